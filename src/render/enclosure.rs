//! Files of a filing (申报材料): read with suspicion, known by their content, kept as what we wrote ourselves. Pictures are
//! decoded and encoded anew, PDFs are read whole and written anew; nothing that tells of a camera, a place or an author
//! survives.

use std::fmt;

use crate::domain::media::Media;

mod paper;
mod picture;
mod syntax;

/// Most bytes of a file that is looked at at all (10 MiB): a larger picture is not even fitted.
pub const MOST_BYTES: usize = 10 << 20;

/// What a place for a file takes.
#[derive(Clone, Copy, Debug)]
pub struct Bounds<'a> {
    /// The kinds of files.
    pub media: &'a [Media],
    /// Fewest bytes of what is sent.
    pub min_bytes: usize,
    /// Most bytes of what is kept. A larger picture is fitted, a larger PDF is refused.
    pub max_bytes: usize,
}

/// A file as it is kept.
#[derive(Clone, PartialEq, Eq)]
pub struct Enclosure {
    bytes: Vec<u8>,
    media: Media,
    extent: Extent,
    treatment: Treatment,
}

/// How large what is seen is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// A picture, in pixels.
    Pixels {
        /// From left to right.
        width: u32,
        /// From top to bottom.
        height: u32,
    },
    /// A PDF, in pages.
    Pages(u32),
}

/// What became of a file before it was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Treatment {
    /// A picture was encoded anew, as large as it came.
    Encoded,
    /// A picture was encoded anew and lost quality or pixels, to fit into its place.
    Fitted,
    /// A PDF was written anew, without its metadata.
    Rewritten,
    /// A PDF bears a digital signature, which writing it anew would break: it is kept as it came, metadata and all.
    SignedAsSent,
}

/// Why a file is not kept. Each has a stable code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadFile {
    /// Fewer bytes than its place wants.
    #[error("the file has {bytes} bytes; {least} are wanted at least")]
    TooSmall {
        /// How many were sent.
        bytes: usize,
        /// How many are wanted.
        least: usize,
    },
    /// More bytes than its place takes, where nothing can be done about it.
    #[error("the file has {bytes} bytes; at most {most} are taken")]
    TooLarge {
        /// How many were sent.
        bytes: usize,
        /// How many are taken.
        most: usize,
    },
    /// None of JPEG, PNG and PDF, whatever its name says.
    #[error("the file is neither JPEG nor PNG nor PDF")]
    UnknownFormat,
    /// A kind of file that its place does not take.
    #[error("a file of type {} is not taken here", .0.media_type())]
    NotTaken(Media),
    /// It begins like what it should be, but it cannot be read to its end.
    #[error("the file is damaged")]
    Damaged,
    /// More pixels than a camera's.
    #[error("the picture has more pixels than can be read")]
    TooManyPixels,
    /// Even as small as can still be read, the picture needs more bytes than its place takes.
    #[error("the picture cannot be made to fit into {most} bytes and still be read")]
    CannotFit {
        /// How many are taken.
        most: usize,
    },
    /// A PDF that wants a password, or might.
    #[error("the PDF is encrypted")]
    Encrypted,
    /// A PDF that does more than show pages.
    #[error("the PDF holds {}", .0.words())]
    Active(Active),
    /// A PDF of more than 50 pages.
    #[error("the PDF has {pages} pages; at most {most} are taken")]
    TooManyPages {
        /// How many it has.
        pages: u32,
        /// How many are taken.
        most: u32,
    },
    /// A PDF nested too deep or of too many parts.
    #[error("the PDF is too intricate to be read")]
    TooIntricate,
}

/// What a PDF may hold that does more than show pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Active {
    /// JavaScript.
    Script,
    /// An action that starts programs, sends data or opens other files.
    Action,
    /// A file inside the file.
    EmbeddedFile,
    /// A form in XFA.
    DynamicForm,
    /// Sound, film or a model in space.
    Media,
}

impl Active {
    fn words(self) -> &'static str {
        match self {
            Self::Script => "a script",
            Self::Action => "an action that reaches beyond its pages",
            Self::EmbeddedFile => "another file",
            Self::DynamicForm => "a dynamic form",
            Self::Media => "sound, film or a model",
        }
    }
}

impl BadFile {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::TooSmall { .. } => "file-too-small",
            Self::TooLarge { .. } => "file-too-large",
            Self::UnknownFormat => "file-type-unknown",
            Self::NotTaken(_) => "file-type-not-taken",
            Self::Damaged => "file-damaged",
            Self::TooManyPixels => "picture-too-many-pixels",
            Self::CannotFit { .. } => "picture-cannot-fit",
            Self::Encrypted => "pdf-encrypted",
            Self::Active(_) => "pdf-active",
            Self::TooManyPages { .. } => "pdf-too-many-pages",
            Self::TooIntricate => "pdf-too-intricate",
        }
    }
}

impl Enclosure {
    /// Reads a file and makes of it what is kept. The same file gives the same bytes. Never panics.
    ///
    /// A JPEG stays one. A PNG stays one where it is line art or transparent, and becomes a JPEG otherwise; where only PNG
    /// is taken, it always stays. What is too large gives up quality first, then pixels, as long as it can still be read.
    ///
    /// # Errors
    /// The first reason why it cannot be kept.
    pub fn of(bytes: &[u8], bounds: &Bounds<'_>) -> Result<Self, BadFile> {
        let sent = bytes.len();
        let media = Media::of(bytes);
        let most = match media {
            Some(Media::Pdf) => bounds.max_bytes.min(MOST_BYTES),
            _ => MOST_BYTES,
        };
        if sent > most {
            return Err(BadFile::TooLarge { bytes: sent, most });
        }
        let media = media.ok_or(BadFile::UnknownFormat)?;
        if !bounds.media.contains(&media) {
            return Err(BadFile::NotTaken(media));
        }
        if sent < bounds.min_bytes {
            return Err(BadFile::TooSmall { bytes: sent, least: bounds.min_bytes });
        }
        match media {
            Media::Jpeg | Media::Png => picture::fit(bytes, media, bounds),
            Media::Pdf => {
                let (bytes, pages, treatment) = paper::clean(bytes, most)?;
                Ok(Self { bytes, media, extent: Extent::Pages(pages), treatment })
            }
        }
    }

    /// The file.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The file, given away.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// What it is now.
    pub fn media(&self) -> Media {
        self.media
    }

    /// How large what is seen is.
    pub fn extent(&self) -> Extent {
        self.extent
    }

    /// What became of it.
    pub fn treatment(&self) -> Treatment {
        self.treatment
    }
}

impl fmt::Debug for Enclosure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Enclosure({:?}, {} bytes)", self.media, self.bytes.len())
    }
}

/// A small JPEG of a kept picture, on white, at most 320 pixels long. A PDF has none: its pages are drawn by whoever reads
/// it.
///
/// # Errors
/// For what is no picture.
pub fn preview(kept: &[u8]) -> Result<Vec<u8>, BadFile> {
    picture::preview(kept)
}

#[cfg(test)]
mod tests;
