//! PDFs of a filing: read from their first byte to their last, whatever their own tables say; judged; written anew from what
//! was read. What a reader shows is therefore what was judged.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::Read as _;

use flate2::read::ZlibDecoder;
use lopdf::{Dictionary, Document, Object, SaveOptions, Stream};

use super::syntax::{MOST_OBJECTS, Reader};
use super::{BadFile, Treatment};

mod judgement;

/// Most pages of a PDF.
pub(super) const MOST_PAGES: u32 = 50;
/// What all object streams of a file may hold together, inflated.
const MOST_INFLATED: u64 = 32 << 20;
/// Metadata, of the file and of what is in it (ISO 32000-2, 14.3 and 14.5).
const TOLD: [&[u8]; 4] = [b"Metadata", b"PieceInfo", b"LastModified", b"Info"];

/// Judges a PDF and takes its metadata out. Gives the file, its pages, and what became of it.
pub(super) fn clean(bytes: &[u8], most: usize) -> Result<(Vec<u8>, u32, Treatment), BadFile> {
    let paper = Paper::read(bytes)?;
    let pages = paper.pages()?;
    if paper.signed {
        return Ok((bytes.to_vec(), pages, Treatment::SignedAsSent));
    }
    let written = paper.write(bytes)?;
    if written.len() > most {
        return Err(BadFile::CannotFit { most });
    }
    // What was written must read the same: a fault of ours must not be kept as somebody's proof.
    if Paper::read(&written)?.pages()? != pages {
        return Err(BadFile::Damaged);
    }
    Ok((written, pages, Treatment::Rewritten))
}

/// The objects of a file, the last of each number.
struct Paper {
    objects: BTreeMap<u32, Object>,
    /// The catalog.
    root: u32,
    signed: bool,
}

/// An object and where in the file it stands: of two with one number, the later holds.
type Placed = BTreeMap<u32, (usize, Object)>;

/// The body of a stream: where it begins and where the word stands that ends it.
struct Body {
    number: u32,
    order: usize,
    start: usize,
    end: usize,
}

impl Paper {
    fn read(bytes: &[u8]) -> Result<Self, BadFile> {
        let mut reader = Reader { bytes, at: 0, left: MOST_OBJECTS };
        let (mut placed, mut bodies, mut root, mut signed) = (Placed::new(), Vec::new(), None, false);
        let mut trailer = |dictionary: &Dictionary| {
            if dictionary.has(b"Encrypt") {
                return Err(BadFile::Encrypted);
            }
            if let Ok((number, _)) = dictionary.get(b"Root").and_then(Object::as_reference) {
                root = Some(number);
            }
            Ok(())
        };
        loop {
            reader.skip_space();
            let order = reader.at;
            if reader.rest().is_empty() {
                break;
            }
            if reader.keyword(b"trailer") {
                if let Object::Dictionary(dictionary) = reader.object()? {
                    trailer(&dictionary)?;
                }
            } else if let Some(number) = reader.numbered(b"obj") {
                let mut object = reader.object()?;
                signed |= judgement::judge(&object)?;
                reader.skip_space();
                if let Object::Dictionary(dictionary) = &object
                    && reader.rest().starts_with(b"stream")
                {
                    if dictionary.has_type(b"XRef") {
                        trailer(dictionary)?;
                    }
                    let (start, end) = body(&mut reader, dictionary)?;
                    bodies.push(Body { number, order, start, end });
                    object = Object::Stream(Stream::new(dictionary.clone(), Vec::new()));
                }
                placed.insert(number, (order, object));
            } else {
                // Tables of references, and rubbish between objects: nothing that is needed.
                reader.skip_token();
            }
        }
        fill(&mut placed, &bodies, bytes);
        signed |= unpack(&mut placed, reader.left)?;
        let objects = placed.into_iter().map(|(number, (_, object))| (number, object)).collect();
        Ok(Self { objects, root: root.ok_or(BadFile::Damaged)?, signed })
    }

    fn resolved<'a>(&'a self, object: &'a Object) -> Option<&'a Object> {
        match object {
            Object::Reference((number, _)) => self.objects.get(number),
            other => Some(other),
        }
    }

    fn dictionary(&self, number: u32) -> Option<&Dictionary> {
        match self.objects.get(&number)? {
            Object::Dictionary(dictionary) => Some(dictionary),
            _ => None,
        }
    }

    /// How many pages there are: leaves of the tree, whatever it counts itself.
    fn pages(&self) -> Result<u32, BadFile> {
        let root = self.dictionary(self.root).ok_or(BadFile::Damaged)?;
        let top = root.get(b"Pages").and_then(Object::as_reference).map_err(|_| BadFile::Damaged)?;
        let (mut todo, mut met, mut pages) = (vec![top.0], BTreeSet::from([top.0]), 0_u32);
        while let Some(number) = todo.pop() {
            let node = self.dictionary(number).ok_or(BadFile::Damaged)?;
            match node.get(b"Kids").ok().and_then(|kids| self.resolved(kids)) {
                Some(Object::Array(kids)) => {
                    for kid in kids {
                        let (kid, _) = kid.as_reference().map_err(|_| BadFile::Damaged)?;
                        // A page shown twice is a tree that goes in circles.
                        if !met.insert(kid) {
                            return Err(BadFile::Damaged);
                        }
                        todo.push(kid);
                    }
                }
                _ => pages += 1,
            }
        }
        // A tree without leaves is one node without kids.
        if pages == 0 || self.dictionary(top.0).is_none_or(|top| !top.has(b"Kids")) {
            return Err(BadFile::Damaged);
        }
        if pages > MOST_PAGES {
            return Err(BadFile::TooManyPages { pages, most: MOST_PAGES });
        }
        Ok(pages)
    }

    /// Writes what the catalog leads to, numbered without gaps, metadata left out.
    fn write(&self, bytes: &[u8]) -> Result<Vec<u8>, BadFile> {
        let mut numbers = BTreeMap::from([(self.root, 1_u32)]);
        let mut todo = VecDeque::from([self.root]);
        let mut document = Document::new();
        // The minor version of what came, or one that knows all we write.
        document.version = match bytes.get(5..8).map(std::str::from_utf8) {
            Some(Ok(version)) if ("1.5".."1.8").contains(&version) => version.to_owned(),
            _ => "1.5".to_owned(),
        };
        while let Some(number) = todo.pop_front() {
            let mut object = self.objects.get(&number).cloned().unwrap_or(Object::Null);
            forget(&mut object);
            self.renumber(&mut object, &mut numbers, &mut todo);
            let at = numbers.get(&number).copied().unwrap_or(0);
            document.objects.insert((at, 0), object);
        }
        document.max_id = u32::try_from(document.objects.len()).map_err(|_| BadFile::TooIntricate)?;
        document.trailer.set("Root", Object::Reference((1, 0)));
        let mut written = Vec::new();
        let packed = SaveOptions::builder()
            .use_object_streams(true)
            .use_xref_streams(true)
            .max_objects_per_stream(200)
            .compression_level(6);
        document.save_with_options(&mut written, packed.build()).map_err(|_| BadFile::Damaged)?;
        written.push(b'\n');
        Ok(written)
    }

    fn renumber(&self, object: &mut Object, numbers: &mut BTreeMap<u32, u32>, todo: &mut VecDeque<u32>) {
        match object {
            Object::Reference((number, generation)) => {
                if !self.objects.contains_key(number) {
                    *object = Object::Null;
                    return;
                }
                let next = numbers.len() as u32 + 1;
                let new = *numbers.entry(*number).or_insert_with(|| {
                    todo.push_back(*number);
                    next
                });
                (*number, *generation) = (new, 0);
            }
            Object::Array(items) => items.iter_mut().for_each(|item| self.renumber(item, numbers, todo)),
            Object::Dictionary(dictionary) | Object::Stream(Stream { dict: dictionary, .. }) => {
                dictionary.iter_mut().for_each(|(_, item)| self.renumber(item, numbers, todo));
            }
            _ => {}
        }
    }
}

/// Where the body of a stream begins and ends, the reader behind it. A length that is not true is not believed.
fn body(reader: &mut Reader<'_>, dictionary: &Dictionary) -> Result<(usize, usize), BadFile> {
    reader.at += b"stream".len();
    reader.at += match reader.rest() {
        [b'\r', b'\n', ..] => 2,
        [b'\n' | b'\r', ..] => 1,
        _ => 0,
    };
    let (start, word) = (reader.at, b"endstream");
    let told = dictionary.get(b"Length").and_then(Object::as_i64).ok();
    let told = told.and_then(|length| start.checked_add(usize::try_from(length).ok()?));
    let end = told.filter(|end| {
        let after = reader.bytes.get(*end..).unwrap_or_default();
        let blank = after.iter().take(2).take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        after[blank..].starts_with(word)
    });
    let end = match end {
        Some(end) => end,
        None => {
            let found = reader.rest().windows(word.len()).position(|window| window == word);
            start + found.ok_or(BadFile::Damaged)?
        }
    };
    reader.at = end;
    reader.skip_space();
    reader.at += word.len();
    Ok((start, end))
}

/// Gives the streams their bodies, as long as their dictionaries say where that can be.
fn fill(placed: &mut Placed, bodies: &[Body], bytes: &[u8]) {
    for body in bodies {
        let length = match placed.get(&body.number) {
            Some((order, Object::Stream(stream))) if *order == body.order => match stream.dict.get(b"Length")
            {
                Ok(Object::Reference((number, _))) => {
                    placed.get(number).and_then(|(_, length)| length.as_i64().ok())
                }
                _ => None,
            },
            _ => continue,
        };
        let whole = bytes.get(body.start..body.end).unwrap_or_default();
        let told =
            length.and_then(|length| usize::try_from(length).ok()).and_then(|length| whole.get(..length));
        let content = told.filter(|told| whole.len() - told.len() <= 2).unwrap_or(whole);
        if let Some((_, Object::Stream(stream))) = placed.get_mut(&body.number) {
            stream.set_content(content.to_vec());
            // The writer packs nothing that came plain: what came is what goes.
            stream.allows_compression = false;
        }
    }
}

/// Takes the objects out of object streams (ISO 32000-2, 7.5.7). Says whether one of them is a signature.
fn unpack(placed: &mut Placed, left: usize) -> Result<bool, BadFile> {
    let is_pack =
        |object: &Object| matches!(object, Object::Stream(stream) if stream.dict.has_type(b"ObjStm"));
    let packs: Vec<u32> =
        placed.iter().filter(|(_, (_, object))| is_pack(object)).map(|(number, _)| *number).collect();
    let (mut left, mut room, mut signed) = (left, MOST_INFLATED, false);
    for number in packs {
        let Some((order, Object::Stream(stream))) = placed.remove(&number) else { continue };
        let content = inflated(&stream, &mut room)?;
        let number = |key: &[u8]| {
            stream.dict.get(key).and_then(Object::as_i64).ok().and_then(|n| usize::try_from(n).ok())
        };
        let (count, first) = number(b"N").zip(number(b"First")).ok_or(BadFile::Damaged)?;
        let mut index = Reader { bytes: &content, at: 0, left: 0 };
        for _ in 0..count {
            index.skip_space();
            let number = index.unsigned().ok_or(BadFile::Damaged)?;
            index.skip_space();
            let offset = index.unsigned().ok_or(BadFile::Damaged)?;
            let at = first.saturating_add(offset as usize);
            let mut reader = Reader { bytes: &content, at, left };
            let object = reader.object()?;
            left = reader.left;
            signed |= judgement::judge(&object)?;
            if placed.get(&number).is_none_or(|(other, _)| *other < order) {
                placed.insert(number, (order, object));
            }
        }
    }
    Ok(signed)
}

fn inflated(stream: &Stream, room: &mut u64) -> Result<Vec<u8>, BadFile> {
    let filter = match stream.dict.get(b"Filter") {
        Err(_) => None,
        Ok(Object::Name(name)) => Some(name.as_slice()),
        Ok(Object::Array(names)) if names.len() == 1 => names[0].as_name().ok(),
        Ok(_) => return Err(BadFile::Damaged),
    };
    let content = match filter {
        None => stream.content.clone(),
        // Predictors make no sense of objects; nobody writes them here.
        Some(b"FlateDecode") if !stream.dict.has(b"DecodeParms") => {
            let mut content = Vec::new();
            let mut decoder = ZlibDecoder::new(stream.content.as_slice()).take(*room + 1);
            decoder.read_to_end(&mut content).map_err(|_| BadFile::Damaged)?;
            content
        }
        Some(_) => return Err(BadFile::Damaged),
    };
    *room = room.checked_sub(content.len() as u64).ok_or(BadFile::TooIntricate)?;
    Ok(content)
}

/// Takes metadata out of an object and out of the photographs in it.
fn forget(object: &mut Object) {
    match object {
        Object::Array(items) => items.iter_mut().for_each(forget),
        Object::Dictionary(dictionary) => forget_entries(dictionary),
        Object::Stream(stream) => {
            forget_entries(&mut stream.dict);
            let photograph = match stream.dict.get(b"Filter") {
                Ok(Object::Name(name)) => name == b"DCTDecode",
                Ok(Object::Array(names)) => {
                    matches!(names.as_slice(), [Object::Name(name)] if name == b"DCTDecode")
                }
                _ => false,
            };
            if photograph && let Some(stripped) = stripped(&stream.content) {
                stream.set_content(stripped);
            }
        }
        _ => {}
    }
}

fn forget_entries(dictionary: &mut Dictionary) {
    for key in TOLD {
        dictionary.remove(key);
    }
    dictionary.iter_mut().for_each(|(_, item)| forget(item));
}

/// A JPEG without comments and without what cameras write (ITU-T T.81, B.2.4): of the application segments only those stay
/// that tell how its colours are meant. None where it is not one.
fn stripped(jpeg: &[u8]) -> Option<Vec<u8>> {
    let mut rest = jpeg.strip_prefix(&[0xFF, 0xD8])?;
    let mut kept = vec![0xFF, 0xD8];
    loop {
        let (&[0xFF, marker, high, low], _) = rest.split_first_chunk::<4>()? else { return None };
        // From the first scan on there is nothing but the picture.
        if marker == 0xDA {
            kept.extend(rest);
            return Some(kept);
        }
        let (segment, after) = rest.split_at_checked(2 + usize::from(u16::from_be_bytes([high, low])))?;
        if !matches!(marker, 0xE1 | 0xE3..=0xED | 0xEF | 0xFE) {
            kept.extend(segment);
        }
        rest = after;
    }
}
