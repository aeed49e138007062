//! Writes the finished document as bytes: a header, the objects, one cross-reference table, the trailer. The
//! signature comes last, with its two places still blank and their positions known.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::Write;
use std::ops::Range;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use lopdf::{Dictionary, Document, Object, ObjectId, Stream, StringFormat};

use super::{HOLE, Hole, Unprintable, UnsealedPdf};

/// Where the document begins.
pub(crate) struct Roots {
    pub(crate) root: ObjectId,
    pub(crate) info: ObjectId,
    pub(crate) signature: ObjectId,
    pub(crate) id: [u8; 16],
}

/// Fixed width: no number in it may pass the largest of a 32-bit reader (ISO 19005-3, 6.1.13).
const BYTE_RANGE: &str = "[0 999999999 999999999 999999999]";

/// Writes what can be reached from the roots, numbered without gaps.
pub(crate) fn write(document: &Document, roots: &Roots) -> Result<UnsealedPdf, Unprintable> {
    let order = reachable(document, roots);
    let numbers: BTreeMap<ObjectId, usize> = order.iter().copied().zip(1..).collect();
    let mut out = Output { bytes: Vec::with_capacity(64 << 10), numbers };
    out.bytes.extend(b"%PDF-1.7\n%\xE6\x9C\xB1\xE6\n");
    let (mut offsets, mut hole) = (Vec::new(), None);
    for id in &order {
        offsets.push(out.bytes.len());
        out.text(&format!("{} 0 obj\n", offsets.len()));
        let object = document.objects.get(id).ok_or(Unprintable::Fault("an object was lost"))?;
        match object {
            Object::Dictionary(dictionary) if *id == roots.signature => {
                hole = Some(out.signature(dictionary))
            }
            Object::Stream(stream) => out.stream(stream)?,
            other => out.object(other),
        }
        out.text("\nendobj\n");
    }
    let start = out.bytes.len();
    out.text(&format!("xref\n0 {}\n0000000000 65535 f \n", offsets.len() + 1));
    for offset in &offsets {
        out.text(&format!("{offset:010} 00000 n \n"));
    }
    let id: String = roots.id.iter().map(|byte| format!("{byte:02X}")).collect();
    let number = |id: &ObjectId| out.numbers.get(id).copied().unwrap_or(0);
    let (root, info) = (number(&roots.root), number(&roots.info));
    let size = offsets.len() + 1;
    out.text(&format!(
        "trailer\n<</Size {size}/Root {root} 0 R/Info {info} 0 R/ID[<{id}><{id}>]>>\nstartxref\n{start}\n%%EOF\n"
    ));
    let hole = hole.ok_or(Unprintable::Fault("the signature was lost"))?;
    Ok(UnsealedPdf { bytes: out.bytes, hole })
}

/// All objects that the roots lead to, in the order in which they are met; the signature last.
fn reachable(document: &Document, roots: &Roots) -> Vec<ObjectId> {
    let mut queue = VecDeque::from([roots.root, roots.info]);
    let mut order = Vec::new();
    let mut met = BTreeSet::from([roots.root, roots.info, roots.signature]);
    while let Some(id) = queue.pop_front() {
        order.push(id);
        if let Some(object) = document.objects.get(&id) {
            follow(object, &mut |id| {
                if met.insert(id) {
                    queue.push_back(id);
                }
            });
        }
    }
    order.push(roots.signature);
    order
}

fn follow(object: &Object, visit: &mut dyn FnMut(ObjectId)) {
    match object {
        Object::Reference(id) => visit(*id),
        Object::Array(items) => items.iter().for_each(|item| follow(item, visit)),
        Object::Dictionary(dictionary) => dictionary.iter().for_each(|(_, item)| follow(item, visit)),
        Object::Stream(stream) => stream.dict.iter().for_each(|(_, item)| follow(item, visit)),
        _ => {}
    }
}

struct Output {
    bytes: Vec<u8>,
    numbers: BTreeMap<ObjectId, usize>,
}

impl Output {
    fn text(&mut self, text: &str) {
        self.bytes.extend(text.as_bytes());
    }

    fn object(&mut self, object: &Object) {
        match object {
            Object::Null => self.text("null"),
            Object::Boolean(value) => self.text(if *value { "true" } else { "false" }),
            Object::Integer(value) => self.text(&value.to_string()),
            Object::Real(value) => self.text(&value.to_string()),
            Object::Name(name) => self.name(name),
            Object::String(bytes, StringFormat::Hexadecimal) => {
                let digits: String = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
                self.text(&format!("<{digits}>"));
            }
            Object::String(bytes, StringFormat::Literal) => self.literal(bytes),
            Object::Array(items) => {
                self.text("[");
                for (place, item) in items.iter().enumerate() {
                    if place > 0 {
                        self.gap(item);
                    }
                    self.object(item);
                }
                self.text("]");
            }
            Object::Dictionary(dictionary) => self.dictionary(dictionary),
            // A stream is an object of its own; inside another object it can only be referred to.
            Object::Stream(_) => self.text("null"),
            Object::Reference(id) => {
                let number = self.numbers.get(id).copied().unwrap_or(0);
                self.text(&format!("{number} 0 R"));
            }
        }
    }

    /// A blank where the next object does not begin with a delimiter of its own.
    fn gap(&mut self, next: &Object) {
        if !matches!(next, Object::Name(_) | Object::String(..) | Object::Array(_) | Object::Dictionary(_)) {
            self.text(" ");
        }
    }

    fn name(&mut self, name: &[u8]) {
        self.text("/");
        for byte in name {
            if byte.is_ascii_alphanumeric() || b"+-_.".contains(byte) {
                self.bytes.push(*byte);
            } else {
                self.text(&format!("#{byte:02X}"));
            }
        }
    }

    fn literal(&mut self, bytes: &[u8]) {
        self.bytes.push(b'(');
        for byte in bytes {
            match byte {
                b'(' | b')' | b'\\' => self.bytes.extend([b'\\', *byte]),
                // A bare carriage return would be read as a line feed.
                b'\r' => self.text("\\r"),
                _ => self.bytes.push(*byte),
            }
        }
        self.bytes.push(b')');
    }

    fn entries(&mut self, dictionary: &Dictionary) {
        for (key, value) in dictionary {
            self.name(key);
            self.gap(value);
            self.object(value);
        }
    }

    fn dictionary(&mut self, dictionary: &Dictionary) {
        self.text("<<");
        self.entries(dictionary);
        self.text(">>");
    }

    /// Writes a stream, deflated unless it is encoded already or must stay plain.
    fn stream(&mut self, stream: &Stream) -> Result<(), Unprintable> {
        let mut dictionary = stream.dict.clone();
        let mut packed = None;
        if stream.allows_compression && !dictionary.has(b"Filter") {
            packed = Some(deflate(&stream.content, LEVEL)?);
            dictionary.set("Filter", "FlateDecode");
        }
        let content = packed.as_ref().unwrap_or(&stream.content);
        dictionary.set("Length", i64::try_from(content.len()).unwrap_or(0));
        self.dictionary(&dictionary);
        self.text("\nstream\n");
        self.bytes.extend(content);
        self.text("\nendstream");
        Ok(())
    }

    fn signature(&mut self, dictionary: &Dictionary) -> Hole {
        self.text("<<");
        self.entries(dictionary);
        self.text("/ByteRange");
        let byte_range = self.place(BYTE_RANGE.as_bytes());
        self.text("/Contents");
        let contents = self.place(format!("<{}>", "0".repeat(2 * HOLE)).as_bytes());
        self.text(">>");
        Hole { contents, byte_range }
    }

    fn place(&mut self, blank: &[u8]) -> Range<usize> {
        let start = self.bytes.len();
        self.bytes.extend(blank);
        start..self.bytes.len()
    }
}

/// Outlines hardly shrink beyond this: the highest level gains one per cent for twice the time.
pub(crate) const LEVEL: u32 = 4;

/// What is drawn once and shown on many pages may take its time.
pub(crate) const THOROUGH: u32 = 9;

/// Packs a stream for `/FlateDecode`.
pub(crate) fn deflate(content: &[u8], level: u32) -> Result<Vec<u8>, Unprintable> {
    let fault = |_| Unprintable::Fault("a stream cannot be deflated");
    let mut encoder = ZlibEncoder::new(Vec::with_capacity(content.len() / 2), Compression::new(level));
    encoder.write_all(content).map_err(fault)?;
    encoder.finish().map_err(fault)
}
