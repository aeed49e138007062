//! What a PDF may not hold if it only shows pages (ISO 32000-2, 12.6.4, 7.11.4, 12.7.8, 13).

use lopdf::{Dictionary, Object, Stream};

use crate::render::enclosure::{Active, BadFile};

/// Judges an object with all that is in it. Says whether a digital signature is.
pub(super) fn judge(object: &Object) -> Result<bool, BadFile> {
    match object {
        // A name may stand alone, for another object to refer to.
        Object::Name(name) => named(name).map_or(Ok(false), |active| Err(BadFile::Active(active))),
        Object::Array(items) => items.iter().try_fold(false, |signed, item| Ok(signed | judge(item)?)),
        Object::Dictionary(dictionary) | Object::Stream(Stream { dict: dictionary, .. }) => {
            entries(dictionary)
        }
        _ => Ok(false),
    }
}

fn entries(dictionary: &Dictionary) -> Result<bool, BadFile> {
    let mut signed = dictionary.has(b"ByteRange") && dictionary.has(b"Contents");
    for (key, value) in dictionary {
        if let Some(active) = keyed(dictionary, key, value) {
            return Err(BadFile::Active(active));
        }
        signed |= judge(value)?;
    }
    Ok(signed)
}

/// Names that mean an act or a file wherever they stand.
fn named(name: &[u8]) -> Option<Active> {
    match name {
        b"JavaScript" => Some(Active::Script),
        b"Launch" | b"SubmitForm" | b"ImportData" | b"GoToE" | b"GoToR" => Some(Active::Action),
        b"EmbeddedFile" | b"FileAttachment" => Some(Active::EmbeddedFile),
        b"RichMedia" | b"RichMediaExecute" | b"Rendition" => Some(Active::Media),
        _ => None,
    }
}

fn keyed(dictionary: &Dictionary, key: &[u8], value: &Object) -> Option<Active> {
    match key {
        b"JavaScript" => Some(Active::Script),
        b"XFA" => Some(Active::DynamicForm),
        b"EmbeddedFiles" => Some(Active::EmbeddedFile),
        b"EF" if dictionary.has(b"F") || dictionary.has(b"UF") || dictionary.has_type(b"Filespec") => {
            Some(Active::EmbeddedFile)
        }
        b"RichMediaContent" => Some(Active::Media),
        b"S" | b"Subtype" => match value {
            Object::Name(name) if matches!(name.as_slice(), b"Movie" | b"Sound" | b"Screen" | b"3D") => {
                Some(Active::Media)
            }
            _ => None,
        },
        _ => None,
    }
}
