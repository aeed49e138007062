//! What a file is, told by its content and never by its name.

use std::str::FromStr;

use crate::domain::ids::Malformed;

/// The kinds of files that people hand in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Media {
    /// JPEG
    Jpeg,
    /// PNG
    Png,
    /// PDF
    Pdf,
}

impl Media {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Jpeg, Self::Png, Self::Pdf];

    /// The type of the file (RFC 6838).
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Pdf => "application/pdf",
        }
    }

    /// What a file is by its first bytes (ITU-T T.81, B.1.1.3; PNG, 5.2; ISO 32000-2, 7.5.2).
    pub fn of(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0xFF, 0xD8, 0xFF, ..] => Some(Self::Jpeg),
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1A, b'\n', ..] => Some(Self::Png),
            [b'%', b'P', b'D', b'F', b'-', ..] => Some(Self::Pdf),
            _ => None,
        }
    }
}

impl FromStr for Media {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        Self::ALL.into_iter().find(|media| media.media_type() == text).ok_or(Malformed("media type"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_decide_and_a_name_is_not_asked() {
        assert_eq!(Media::of(b"\xff\xd8\xff\xe0"), Some(Media::Jpeg));
        assert_eq!(Media::of(b"\x89PNG\r\n\x1a\n"), Some(Media::Png));
        assert_eq!(Media::of(b"%PDF-1.4"), Some(Media::Pdf));
        for other in [&b""[..], b"GIF89a", b" %PDF-1.4", b"\x89PNG", b"PK\x03\x04", b"<html>"] {
            assert_eq!(Media::of(other), None);
        }
    }

    #[test]
    fn every_type_is_read_as_it_is_written() {
        for media in Media::ALL {
            assert_eq!(media.media_type().parse(), Ok(media));
        }
        assert_eq!("image/gif".parse::<Media>(), Err(Malformed("media type")));
    }
}
