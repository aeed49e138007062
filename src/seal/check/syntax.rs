//! Reads PDF objects from raw bytes (ISO 32000-2, 7.2 and 7.3): bounded in depth and number, so that no file,
//! however hostile, costs more than a little time and memory. Nothing is decompressed.

use std::ops::Range;

use super::reason::Reason;

/// No file of ours comes near it.
const MAX_DEPTH: usize = 24;
/// Objects of all kinds in one file.
const MAX_OBJECTS: usize = 100_000;

/// An object. Streams show as their dictionaries.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Object {
    /// null, true, false, a real number: nothing that the check looks at.
    Other,
    Integer(i64),
    Name(Vec<u8>),
    /// A literal string, escapes resolved.
    Text(Vec<u8>),
    /// A hexadecimal string: where it stands, from `<` to one past `>`.
    Hex(Range<usize>),
    Array(Vec<Object>),
    Dictionary(Dictionary),
    /// A reference to an object of generation 0.
    Reference(u32),
}

/// A dictionary; no key occurs twice.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Dictionary(Vec<(Vec<u8>, Object)>);

impl Dictionary {
    pub(super) fn value(&self, key: &str) -> Option<&Object> {
        self.0.iter().find(|(name, _)| name == key.as_bytes()).map(|(_, value)| value)
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &Object> {
        self.0.iter().map(|(_, value)| value)
    }

    pub(super) fn has_name(&self, key: &str, name: &str) -> bool {
        matches!(self.value(key), Some(Object::Name(found)) if found == name.as_bytes())
    }

    pub(super) fn has_integer(&self, key: &str, number: i64) -> bool {
        self.value(key) == Some(&Object::Integer(number))
    }
}

/// A place in the bytes, moving forward.
pub(super) struct Reader<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
    left: usize,
}

pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b'\0' | b'\t' | b'\n' | b'\x0c' | b'\r' | b' ')
}

fn is_regular(byte: u8) -> bool {
    !is_space(byte) && !b"()<>[]{}/%".contains(&byte)
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at, left: MAX_OBJECTS }
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    pub(super) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    pub(super) fn skip_space(&mut self) {
        while self.peek().is_some_and(is_space) {
            self.at += 1;
        }
    }

    /// Takes exactly these bytes.
    pub(super) fn take(&mut self, wanted: &[u8]) -> Result<(), Reason> {
        if !self.rest().starts_with(wanted) {
            return Err(Reason::StructureNotOurs);
        }
        self.at += wanted.len();
        Ok(())
    }

    /// Takes a word that ends where it should.
    pub(super) fn keyword(&mut self, word: &[u8]) -> Result<(), Reason> {
        self.skip_space();
        self.take(word)?;
        if self.peek().is_some_and(is_regular) { Err(Reason::StructureNotOurs) } else { Ok(()) }
    }

    /// Digits only, at most ten.
    pub(super) fn unsigned(&mut self) -> Result<usize, Reason> {
        let digits = self.rest().iter().take(11).take_while(|c| c.is_ascii_digit()).count();
        if digits == 0 || digits > 10 {
            return Err(Reason::StructureNotOurs);
        }
        let number = self.rest()[..digits].iter().fold(0, |sum: u64, c| sum * 10 + u64::from(c - b'0'));
        self.at += digits;
        usize::try_from(number).map_err(|_| Reason::StructureNotOurs)
    }

    pub(super) fn object(&mut self) -> Result<Object, Reason> {
        self.nested(0)
    }

    fn nested(&mut self, depth: usize) -> Result<Object, Reason> {
        if depth > MAX_DEPTH {
            return Err(Reason::TooDeep);
        }
        self.left = self.left.checked_sub(1).ok_or(Reason::TooComplex)?;
        self.skip_space();
        match self.peek().ok_or(Reason::StructureNotOurs)? {
            b'/' => self.name().map(Object::Name),
            b'(' => self.text().map(Object::Text),
            b'[' => {
                self.at += 1;
                let mut items = Vec::new();
                loop {
                    self.skip_space();
                    if self.peek() == Some(b']') {
                        self.at += 1;
                        return Ok(Object::Array(items));
                    }
                    items.push(self.nested(depth + 1)?);
                }
            }
            b'<' if self.rest().starts_with(b"<<") => self.dictionary(depth).map(Object::Dictionary),
            b'<' => {
                let inside =
                    self.rest()[1..].iter().take_while(|c| c.is_ascii_hexdigit() || is_space(**c)).count();
                let start = self.at;
                self.at += 1 + inside;
                self.take(b">")?;
                Ok(Object::Hex(start..self.at))
            }
            b'+' | b'-' | b'.' | b'0'..=b'9' => self.number(),
            _ => {
                for word in [b"null".as_slice(), b"true", b"false"] {
                    if self.rest().starts_with(word) {
                        self.keyword(word)?;
                        return Ok(Object::Other);
                    }
                }
                Err(Reason::StructureNotOurs)
            }
        }
    }

    fn dictionary(&mut self, depth: usize) -> Result<Dictionary, Reason> {
        self.take(b"<<")?;
        let mut entries: Vec<(Vec<u8>, Object)> = Vec::new();
        loop {
            self.skip_space();
            if self.rest().starts_with(b">>") {
                self.at += 2;
                break;
            }
            entries.push((self.name()?, self.nested(depth + 1)?));
        }
        // Readers differ in which of two equal keys they take: a way to show one thing and sign another.
        let mut keys: Vec<_> = entries.iter().map(|(key, _)| key.as_slice()).collect();
        keys.sort_unstable();
        if keys.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(Reason::StructureNotOurs);
        }
        Ok(Dictionary(entries))
    }

    fn name(&mut self) -> Result<Vec<u8>, Reason> {
        self.take(b"/")?;
        let mut name = Vec::new();
        while let Some(byte) = self.peek().filter(|byte| is_regular(*byte)) {
            self.at += 1;
            if byte != b'#' {
                name.push(byte);
                continue;
            }
            let pair = self.rest().get(..2).and_then(|pair| std::str::from_utf8(pair).ok());
            let escaped = pair.filter(|pair| pair.bytes().all(|c| c.is_ascii_hexdigit()));
            name.push(
                escaped.and_then(|pair| u8::from_str_radix(pair, 16).ok()).ok_or(Reason::StructureNotOurs)?,
            );
            self.at += 2;
        }
        Ok(name)
    }

    fn text(&mut self) -> Result<Vec<u8>, Reason> {
        self.take(b"(")?;
        let (mut text, mut open) = (Vec::new(), 1);
        loop {
            let byte = self.peek().ok_or(Reason::StructureNotOurs)?;
            self.at += 1;
            match byte {
                b'(' => open += 1,
                b')' if open == 1 => return Ok(text),
                b')' => open -= 1,
                b'\\' => {
                    self.escape(&mut text)?;
                    continue;
                }
                _ => {}
            }
            text.push(byte);
        }
    }

    /// What follows a backslash in a string (ISO 32000-2, 7.3.4.2).
    fn escape(&mut self, text: &mut Vec<u8>) -> Result<(), Reason> {
        let octal = self.rest().iter().take(3).take_while(|c| matches!(c, b'0'..=b'7')).count();
        if octal > 0 {
            let code = self.rest()[..octal].iter().fold(0, |sum: u32, c| sum * 8 + u32::from(c - b'0'));
            self.at += octal;
            text.push(code as u8); // the standard has the overflow of three digits ignored
            return Ok(());
        }
        let escaped = self.peek().ok_or(Reason::StructureNotOurs)?;
        self.at += 1;
        match escaped {
            b'n' => text.push(b'\n'),
            b'r' => text.push(b'\r'),
            b't' => text.push(b'\t'),
            b'b' => text.push(b'\x08'),
            b'f' => text.push(b'\x0c'),
            b'\n' => {}
            b'\r' => self.at += usize::from(self.peek() == Some(b'\n')),
            other => text.push(other),
        }
        Ok(())
    }

    fn number(&mut self) -> Result<Object, Reason> {
        let length = self.rest().iter().take_while(|c| c.is_ascii_digit() || b"+-.".contains(c)).count();
        let text = std::str::from_utf8(&self.rest()[..length]).map_err(|_| Reason::StructureNotOurs)?;
        let after = self.at + length;
        if self.bytes.get(after).copied().is_some_and(is_regular) {
            return Err(Reason::StructureNotOurs);
        }
        let Ok(number) = text.parse::<i64>() else {
            let real = length <= 40 && text.parse::<f64>().is_ok();
            self.at = after;
            return if real { Ok(Object::Other) } else { Err(Reason::StructureNotOurs) };
        };
        if let Some(reference) = self.reference(number) {
            return Ok(reference);
        }
        self.at = after;
        Ok(Object::Integer(number))
    }

    /// `7 0 R` at the place of the reader.
    fn reference(&mut self, number: i64) -> Option<Object> {
        let target = u32::try_from(number).ok()?;
        let mut ahead = Reader::new(self.bytes, self.at);
        ahead.unsigned().ok()?;
        for part in [b"0".as_slice(), b"R"] {
            ahead.peek().filter(|byte| is_space(*byte))?;
            ahead.keyword(part).ok()?;
        }
        self.at = ahead.at;
        Some(Object::Reference(target))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "a failed test panics")]
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Result<Object, Reason> {
        Reader::new(text.as_bytes(), 0).object()
    }

    #[test]
    fn objects_of_every_kind_are_read() {
        let Object::Dictionary(read) =
            read("<</A 1/B(x\\)(y))/C<00 ff>/D[1 0 R -2 .5 true null]/E#46 <</G/H>>>>").unwrap()
        else {
            panic!("no dictionary")
        };
        assert!(read.has_integer("A", 1));
        assert_eq!(read.value("B"), Some(&Object::Text(b"x)(y)".to_vec())));
        assert_eq!(read.value("C"), Some(&Object::Hex(18..25)));
        let items = [Object::Reference(1), Object::Integer(-2), Object::Other, Object::Other, Object::Other];
        assert_eq!(read.value("D"), Some(&Object::Array(items.to_vec())));
        assert!(matches!(read.value("EF"), Some(Object::Dictionary(inner)) if inner.has_name("G", "H")));
    }

    #[test]
    fn escapes_in_strings_are_resolved() {
        let text = Object::Text(b"D:2\nx(a".to_vec());
        assert_eq!(read("(D\\0722\\nx\\(\\\na)"), Ok(text));
    }

    #[test]
    fn what_readers_could_take_in_two_ways_is_refused() {
        for text in [
            "<</A 1/A 2>>",
            "<</A 1/#41 2>>",
            "<</A>>",
            "(",
            "[1",
            "<0g>",
            "<</A 1",
            "1x",
            "truely",
            "--1",
            "/#4",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn depth_and_number_are_bounded() {
        assert_eq!(read(&"[".repeat(100_000)), Err(Reason::TooDeep));
        assert_eq!(read(&"<</A".repeat(100_000)), Err(Reason::TooDeep));
        assert_eq!(read(&format!("[{}]", "1 ".repeat(200_000))), Err(Reason::TooComplex));
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes: Vec<u8>) {
            let _ = Reader::new(&bytes, 0).object();
        }

        #[test]
        fn no_text_of_pdf_signs_makes_the_reader_panic(text in "(<<|>>|<|>|/A|\\[|\\]|\\(|\\)|\\\\|#4|1|0 R|-|\\.| ){0,40}") {
            let _ = read(&text);
        }
    }
}
