//! The file as bytes: one revision, read from the first byte to the last with nothing left over. Every byte belongs
//! to the header, to an object, to the table of contents or to the trailer; hence nothing can hide between them.

use std::collections::BTreeMap;

use super::reason::Reason;
use super::syntax::{Dictionary, Object, Reader, is_space};

/// A file of one revision.
pub(super) struct Layout {
    objects: BTreeMap<u32, Object>,
    root: Object,
}

/// Reads a file written in the order that ISO 32000-2, 7.5.1 draws: header, body, cross-reference table, trailer.
/// Files written otherwise may be good PDFs, but they are not ours.
pub(super) fn read(bytes: &[u8]) -> Result<Layout, Reason> {
    let mut reader = Reader::new(bytes, 0);
    header(&mut reader)?;
    let mut objects = BTreeMap::new();
    let mut offsets = BTreeMap::new();
    loop {
        reader.skip_space();
        if reader.peek() == Some(b'x') {
            break;
        }
        let start = reader.at;
        let (number, object) = indirect(&mut reader)?;
        let repeated = objects.insert(number, object).is_some();
        offsets.insert(number, start);
        if repeated {
            return Err(Reason::StructureNotOurs);
        }
    }
    let table = reader.at;
    cross_references(&mut reader, &offsets)?;

    reader.keyword(b"trailer")?;
    let Object::Dictionary(trailer) = reader.object()? else { return Err(Reason::StructureNotOurs) };
    if trailer.value("Encrypt").is_some() {
        return Err(Reason::Encrypted);
    }
    if trailer.value("Prev").is_some() || trailer.value("XRefStm").is_some() {
        return Err(Reason::LaterRevision);
    }
    let size = i64::try_from(offsets.len() + 1).unwrap_or(i64::MAX);
    let Some(root @ Object::Reference(_)) = trailer.value("Root") else {
        return Err(Reason::StructureNotOurs);
    };
    reader.keyword(b"startxref")?;
    reader.skip_space();
    if reader.unsigned()? != table || !trailer.has_integer("Size", size) {
        return Err(Reason::StructureNotOurs);
    }
    reader.skip_space();
    reader.take(b"%%EOF")?;
    match reader.rest() {
        b"" | b"\n" | b"\r" | b"\r\n" => Ok(Layout { objects, root: root.clone() }),
        after => Err(addition(after)),
    }
}

/// What bytes are that stand where the file should have ended.
pub(super) fn addition(after: &[u8]) -> Reason {
    if position(after, b"startxref").is_some() { Reason::LaterRevision } else { Reason::BytesAfterSignature }
}

/// Where the needle first stands.
pub(super) fn position(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    let first = needle.first()?;
    let mut from = 0;
    while let Some(found) = haystack.get(from..)?.iter().position(|byte| byte == first) {
        if haystack[from + found..].starts_with(needle) {
            return Some(from + found);
        }
        from += found + 1;
    }
    None
}

fn header(reader: &mut Reader<'_>) -> Result<(), Reason> {
    reader.take(b"%PDF-1.")?;
    reader.unsigned()?;
    reader.take(b"\n")?;
    // The comment that tells transfer programs that the file is binary.
    if reader.peek() == Some(b'%') {
        let length =
            reader.rest().iter().take(64).position(|byte| *byte == b'\n').ok_or(Reason::StructureNotOurs)?;
        reader.at += length;
    }
    Ok(())
}

fn indirect(reader: &mut Reader<'_>) -> Result<(u32, Object), Reason> {
    let number = u32::try_from(reader.unsigned()?).map_err(|_| Reason::StructureNotOurs)?;
    reader.take(b" 0 obj")?;
    let object = reader.object()?;
    reader.skip_space();
    if reader.rest().starts_with(b"stream") {
        let Object::Dictionary(dictionary) = &object else { return Err(Reason::StructureNotOurs) };
        let Some(Object::Integer(length)) = dictionary.value("Length") else {
            return Err(Reason::StructureNotOurs);
        };
        reader.take(b"stream")?;
        reader.take(b"\r\n").or_else(|_| reader.take(b"\n"))?;
        let length = usize::try_from(*length).map_err(|_| Reason::StructureNotOurs)?;
        let end = reader.at.checked_add(length).filter(|end| *end <= reader.bytes.len());
        reader.at = end.ok_or(Reason::StructureNotOurs)?;
        reader.keyword(b"endstream")?;
    }
    reader.keyword(b"endobj")?;
    Ok((number, object))
}

/// One table, without gaps, that says of every object exactly where it stands.
fn cross_references(reader: &mut Reader<'_>, offsets: &BTreeMap<u32, usize>) -> Result<(), Reason> {
    reader.take(b"xref\n0 ")?;
    if reader.unsigned()? != offsets.len() + 1 {
        return Err(Reason::StructureNotOurs);
    }
    reader.take(b"\n0000000000 65535 f \n")?;
    for (expected, (number, offset)) in (1..).zip(offsets) {
        if *number != expected {
            return Err(Reason::StructureNotOurs);
        }
        reader.take(format!("{offset:010} 00000 n \n").as_bytes())?;
    }
    Ok(())
}

impl Layout {
    /// The only signature of the file, and whether it certifies the file against every change (ISO 32000-2,
    /// 12.8.2.2): the catalog names it, the only field holds it, and it permits nothing.
    pub(super) fn signature(&self) -> Result<(&Dictionary, bool), Reason> {
        let mut found = Vec::new();
        for (number, object) in &self.objects {
            signatures(object, &mut |signature| found.push((*number, signature)));
        }
        match found[..] {
            [] => Err(Reason::NoSignature),
            [(number, signature)] => Ok((signature, self.certified_by(number) && permits_nothing(signature))),
            _ => Err(Reason::SeveralSignatures),
        }
    }

    fn certified_by(&self, number: u32) -> bool {
        let wanted = Some(Object::Reference(number));
        let catalog = self.dictionary(Some(&self.root));
        let permissions = catalog.and_then(|catalog| self.dictionary(catalog.value("Perms")));
        let form = catalog.and_then(|catalog| self.dictionary(catalog.value("AcroForm")));
        let Some(Object::Array(fields)) = form.and_then(|form| self.resolve(form.value("Fields"))) else {
            return false;
        };
        let [field] = &fields[..] else { return false };
        let field = self.dictionary(Some(field));
        permissions.is_some_and(|permissions| permissions.value("DocMDP") == wanted.as_ref())
            && field.is_some_and(|field| field.has_name("FT", "Sig") && field.value("V") == wanted.as_ref())
    }

    fn resolve<'a>(&'a self, object: Option<&'a Object>) -> Option<&'a Object> {
        match object? {
            Object::Reference(number) => self.objects.get(number),
            direct => Some(direct),
        }
    }

    fn dictionary<'a>(&'a self, object: Option<&'a Object>) -> Option<&'a Dictionary> {
        match self.resolve(object)? {
            Object::Dictionary(dictionary) => Some(dictionary),
            _ => None,
        }
    }
}

fn permits_nothing(signature: &Dictionary) -> bool {
    let Some(Object::Array(references)) = signature.value("Reference") else { return false };
    let [Object::Dictionary(reference)] = &references[..] else { return false };
    let Some(Object::Dictionary(parameters)) = reference.value("TransformParams") else { return false };
    reference.has_name("TransformMethod", "DocMDP") && parameters.has_integer("P", 1)
}

/// All signature dictionaries inside an object. One of the two marks is enough, so that blurring the other does
/// not hide a signature.
fn signatures<'a>(object: &'a Object, visit: &mut dyn FnMut(&'a Dictionary)) {
    match object {
        Object::Array(items) => items.iter().for_each(|item| signatures(item, visit)),
        Object::Dictionary(dictionary) => {
            if dictionary.value("ByteRange").is_some() || dictionary.has_name("Type", "Sig") {
                visit(dictionary);
            }
            dictionary.values().for_each(|value| signatures(value, visit));
        }
        _ => {}
    }
}

/// The first signature of a file that is not laid out as ours are, as far as it can be read at all; `None` where
/// there is none. Looks at raw bytes only: a signature dictionary never stands in a compressed stream, for its hole
/// must have an offset.
pub(super) fn stray_signature(bytes: &[u8]) -> Option<Dictionary> {
    const MARK: &[u8] = b"/ByteRange";
    let (mut from, mut seen) = (0, false);
    // A hostile file may hold the mark a million times; the first few tell enough.
    for _ in 0..16 {
        let Some(found) = bytes.get(from..).and_then(|rest| position(rest, MARK)) else { break };
        let mark = from + found;
        from = mark + MARK.len();
        seen = true;
        // Back to the beginning of the object: at most as far as the longest hole.
        let window = &bytes[mark.saturating_sub(1 << 18)..mark];
        let Some(start) = window.windows(4).rposition(|word| is_space(word[0]) && word[1..] == *b"obj")
        else {
            continue;
        };
        let mut reader = Reader::new(bytes, mark - window.len() + start + 4);
        if let Ok(Object::Dictionary(dictionary)) = reader.object()
            && dictionary.value("ByteRange").is_some()
        {
            return Some(dictionary);
        }
    }
    seen.then(Dictionary::default)
}

/// What a file without signature, laid out by others, is.
pub(super) fn judge_unsigned(bytes: &[u8]) -> Reason {
    let tail = &bytes[bytes.len().saturating_sub(2048)..];
    let encrypted = position(bytes, b"/Encrypt").is_some_and(|at| {
        let mut reader = Reader::new(bytes, at + b"/Encrypt".len());
        matches!(reader.object(), Ok(Object::Reference(_) | Object::Dictionary(_)))
    });
    if encrypted {
        Reason::Encrypted
    } else if position(tail, b"startxref").is_none()
        || position(tail, b"%%EOF").is_none()
        || position(bytes, b" obj").is_none()
    {
        Reason::Incomplete
    } else {
        Reason::NoSignature
    }
}
