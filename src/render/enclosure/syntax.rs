//! Reads PDF objects from a stranger's bytes (ISO 32000-2, 7.2 and 7.3): bounded in depth and number, so that no file,
//! however hostile, costs more than a little time and memory.

use lopdf::{Dictionary, Object, StringFormat};

use super::BadFile;

/// Arrays and dictionaries in each other.
const MOST_DEPTH: usize = 32;
/// Objects of all kinds in one file: a tagged paper of fifty pages has some ten thousands.
pub(super) const MOST_OBJECTS: usize = 400_000;

/// A place in the bytes, moving forward.
pub(super) struct Reader<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
    /// How many objects may still be read.
    pub(super) left: usize,
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b'\0' | b'\t' | b'\n' | b'\x0c' | b'\r' | b' ')
}

fn is_regular(byte: u8) -> bool {
    !is_space(byte) && !b"()<>[]{}/%".contains(&byte)
}

impl<'a> Reader<'a> {
    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    pub(super) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// White space and comments.
    pub(super) fn skip_space(&mut self) {
        while let Some(byte) = self.peek() {
            if byte == b'%' {
                self.at += self.rest().iter().take_while(|byte| !matches!(byte, b'\n' | b'\r')).count();
            } else if is_space(byte) {
                self.at += 1;
            } else {
                return;
            }
        }
    }

    /// Steps over one token that nobody wants.
    pub(super) fn skip_token(&mut self) {
        let regular = self.rest().iter().take_while(|byte| is_regular(**byte)).count();
        self.at += regular.max(1);
    }

    /// Takes a word that ends where it should; stays where it was otherwise.
    pub(super) fn keyword(&mut self, word: &[u8]) -> bool {
        let after = self.at + word.len();
        let found = self.rest().starts_with(word) && !self.bytes.get(after).copied().is_some_and(is_regular);
        if found {
            self.at = after;
        }
        found
    }

    /// Digits only, at most ten; stays where it was otherwise.
    pub(super) fn unsigned(&mut self) -> Option<u32> {
        let digits = self.rest().iter().take(11).take_while(|byte| byte.is_ascii_digit()).count();
        let number = std::str::from_utf8(&self.rest()[..digits]).ok()?.parse().ok()?;
        self.at += digits;
        Some(number)
    }

    /// `7 0` and a word behind it; stays where it was otherwise.
    pub(super) fn numbered(&mut self, word: &[u8]) -> Option<u32> {
        let start = self.at;
        let read = |reader: &mut Self| {
            let number = reader.unsigned()?;
            reader.peek().filter(|byte| is_space(*byte))?;
            reader.skip_space();
            reader.unsigned()?;
            reader.peek().filter(|byte| is_space(*byte))?;
            reader.skip_space();
            reader.keyword(word).then_some(number)
        };
        let number = read(self);
        if number.is_none() {
            self.at = start;
        }
        number
    }

    /// The next object. A stream shows as its dictionary.
    pub(super) fn object(&mut self) -> Result<Object, BadFile> {
        self.nested(0)
    }

    fn nested(&mut self, depth: usize) -> Result<Object, BadFile> {
        if depth > MOST_DEPTH {
            return Err(BadFile::TooIntricate);
        }
        self.left = self.left.checked_sub(1).ok_or(BadFile::TooIntricate)?;
        self.skip_space();
        match self.peek().ok_or(BadFile::Damaged)? {
            b'/' => self.name().map(Object::Name),
            b'(' => self.literal(),
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
            b'<' => self.hexadecimal(),
            b'+' | b'-' | b'.' | b'0'..=b'9' => self.number(),
            _ if self.keyword(b"null") => Ok(Object::Null),
            _ if self.keyword(b"true") => Ok(Object::Boolean(true)),
            _ if self.keyword(b"false") => Ok(Object::Boolean(false)),
            _ => Err(BadFile::Damaged),
        }
    }

    fn dictionary(&mut self, depth: usize) -> Result<Dictionary, BadFile> {
        self.at += 2;
        let mut dictionary = Dictionary::new();
        loop {
            self.skip_space();
            if self.rest().starts_with(b">>") {
                self.at += 2;
                return Ok(dictionary);
            }
            if self.peek() != Some(b'/') {
                return Err(BadFile::Damaged);
            }
            let key = self.name()?;
            let value = self.nested(depth + 1)?;
            // Readers differ in which of two equal keys they take: a way to show one thing and hide another.
            if dictionary.has(&key) {
                return Err(BadFile::Damaged);
            }
            dictionary.set(key, value);
        }
    }

    fn name(&mut self) -> Result<Vec<u8>, BadFile> {
        self.at += 1;
        let mut name = Vec::new();
        while let Some(byte) = self.peek().filter(|byte| is_regular(*byte)) {
            let digit = |place: usize| char::from(*self.bytes.get(self.at + place)?).to_digit(16);
            match (byte, digit(1), digit(2)) {
                (b'#', Some(high), Some(low)) => {
                    name.push((high * 16 + low) as u8);
                    self.at += 3;
                }
                _ => {
                    name.push(byte);
                    self.at += 1;
                }
            }
        }
        Ok(name)
    }

    fn hexadecimal(&mut self) -> Result<Object, BadFile> {
        self.at += 1;
        let (mut bytes, mut half) = (Vec::new(), None);
        loop {
            let byte = self.peek().ok_or(BadFile::Damaged)?;
            self.at += 1;
            match (char::from(byte).to_digit(16), half) {
                (Some(digit), None) => half = Some(digit as u8),
                (Some(digit), Some(high)) => {
                    bytes.push(high << 4 | digit as u8);
                    half = None;
                }
                (None, _) if byte == b'>' => {
                    bytes.extend(half.map(|high| high << 4));
                    return Ok(Object::String(bytes, StringFormat::Hexadecimal));
                }
                (None, _) if is_space(byte) => {}
                _ => return Err(BadFile::Damaged),
            }
        }
    }

    fn literal(&mut self) -> Result<Object, BadFile> {
        self.at += 1;
        let (mut text, mut open) = (Vec::new(), 1);
        loop {
            let byte = self.peek().ok_or(BadFile::Damaged)?;
            self.at += 1;
            match byte {
                b'(' => open += 1,
                b')' if open == 1 => return Ok(Object::String(text, StringFormat::Literal)),
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
    fn escape(&mut self, text: &mut Vec<u8>) -> Result<(), BadFile> {
        let octal = self.rest().iter().take(3).take_while(|byte| matches!(byte, b'0'..=b'7')).count();
        if octal > 0 {
            let code = self.rest()[..octal].iter().fold(0, |sum: u32, byte| sum * 8 + u32::from(byte - b'0'));
            self.at += octal;
            text.push(code as u8); // the standard has the overflow of three digits ignored
            return Ok(());
        }
        let escaped = self.peek().ok_or(BadFile::Damaged)?;
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

    fn number(&mut self) -> Result<Object, BadFile> {
        if let Some(number) = self.numbered(b"R") {
            return Ok(Object::Reference((number, 0)));
        }
        let length = self.rest().iter().take_while(|byte| is_regular(**byte)).count();
        let text = std::str::from_utf8(&self.rest()[..length]).map_err(|_| BadFile::Damaged)?;
        self.at += length;
        if let Ok(number) = text.parse() {
            return Ok(Object::Integer(number));
        }
        let plain = length <= 40 && text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.".contains(&byte));
        let real: f32 = text.parse().ok().filter(|_| plain).ok_or(BadFile::Damaged)?;
        Ok(Object::Real(real))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<Object, BadFile> {
        Reader { bytes: text.as_bytes(), at: 0, left: MOST_OBJECTS }.object()
    }

    #[test]
    fn objects_of_every_kind_are_read() {
        let read =
            read("<</A 1/B(x\\)(y)\\101)/C<00 fF8>/D[1 0 R -2 .5 4. true null 7 0]/E#46 <</G/H>>>> %x\n");
        let read = read.unwrap();
        let read = read.as_dict().unwrap();
        assert_eq!(read.get(b"B").unwrap().as_str().unwrap(), b"x)(y)A");
        assert_eq!(read.get(b"C").unwrap().as_str().unwrap(), b"\x00\xff\x80");
        let items = [
            Object::Reference((1, 0)),
            Object::Integer(-2),
            Object::Real(0.5),
            Object::Real(4.0),
            Object::Boolean(true),
            Object::Null,
            Object::Integer(7),
            Object::Integer(0),
        ];
        assert_eq!(read.get(b"D").unwrap().as_array().unwrap(), &items);
        assert!(read.get(b"EF").unwrap().as_dict().unwrap().has(b"G"));
    }

    #[test]
    fn what_is_none_or_could_be_taken_in_two_ways_is_refused() {
        for text in
            ["<</A 1/#41 2>>", "<</A>>", "(", "[1", "<0g>", "<</A 1", "1x", "truely", "--1", "1e9", "{", ""]
        {
            assert_eq!(read(text), Err(BadFile::Damaged), "{text}");
        }
    }

    #[test]
    fn depth_and_number_are_bounded() {
        assert_eq!(read(&"[".repeat(100_000)), Err(BadFile::TooIntricate));
        assert_eq!(read(&"<</A".repeat(100_000)), Err(BadFile::TooIntricate));
        assert_eq!(read(&format!("[{}]", "1 ".repeat(500_000))), Err(BadFile::TooIntricate));
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes: Vec<u8>) {
            let _ = Reader { bytes: &bytes, at: 0, left: 1_000 }.object();
        }

        #[test]
        fn no_text_of_pdf_signs_makes_the_reader_panic(text in "(<<|>>|<|>|/A|\\[|\\]|\\(|\\)|\\\\|#4|1|0 R|-|\\.|%| ){0,40}") {
            let _ = read(&text);
        }
    }
}
