//! From a sheet to an unsealed PDF: a function of its argument, without clock, chance or disk.

use std::fmt;
use std::ops::Range;

use chrono::{DateTime, NaiveDate, Utc};

use self::fonts::Weight;
use self::photo::Photo;
use self::signature::Signature;

mod archive;
mod attachment;
pub(crate) mod captcha;
mod dates;
pub mod enclosure;
mod file;
mod fingerprint;
mod fonts;
mod icc;
mod layout;
mod outline;
mod page;
pub mod photo;
pub(crate) mod qr;
pub mod scan;
pub mod signature;
mod stamp;
mod structure;
mod text;
mod watermark;
mod xmp;

/// Everything that stands on the page, as plain data.
#[derive(Clone, PartialEq, Eq)]
pub struct Sheet {
    /// Name of the certificate (证书名称).
    pub title: String,
    /// Holder's name, at most 40 characters.
    pub holder_name: String,
    /// Identity number, whole: the copy is the holder's own.
    pub id_number: String,
    /// 男 or 女, where the record says it.
    pub sex: Option<String>,
    /// Day of birth; the page shows year and month.
    pub born: Option<NaiveDate>,
    /// Level (级别).
    pub level: Option<String>,
    /// Specialty (专业).
    pub specialty: Option<String>,
    /// Day of approval (批准日期).
    pub approved_on: NaiveDate,
    /// Day of issue, printed beneath the issuer.
    pub issued_on: NaiveDate,
    /// Last day of the registration, where it has one.
    pub valid_until: Option<NaiveDate>,
    /// Management number (管理号).
    pub management_no: String,
    /// Electronic licence identifier (证照标识, GB/T 36904).
    pub licence_id: String,
    /// Issuing body.
    pub issuer: String,
    /// Portrait, already validated and re-encoded.
    pub photo: Option<Photo>,
    /// The holder's signature, already transparent line art.
    pub signature: Option<Signature>,
    /// Whether a print must be signed by hand: the page then has a place for it and says so.
    pub hand_signature: bool,
    /// The red seal.
    pub stamp: Stamp,
    /// What kind of copy this is.
    pub copy: CopyKind,
    /// When the copy is made: every date inside the file.
    pub made_at: DateTime<Utc>,
}

/// The words and size of the round seal (国发〔1999〕25号).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Name on the arc, left to right.
    pub arc: String,
    /// Purpose line beneath the star.
    pub purpose: String,
    /// Diameter in millimetres: 50 for ministries, at most 45 for others.
    pub diameter_mm: u8,
}

/// A copy made for one use, or the plain copy of a certificate exempt from annotation.
#[derive(Clone, PartialEq, Eq)]
pub enum CopyKind {
    /// Carries the annotation block, the QR code and the watermark.
    Annotated(Block),
    /// Carries none of them.
    Plain,
}

/// The annotation block.
#[derive(Clone, PartialEq, Eq)]
pub struct Block {
    /// Usage scenario in Chinese (使用场景), as `本人调用`.
    pub scenario: String,
    /// Recipient (接收单位), at most 100 characters.
    pub recipient: Option<String>,
    /// First day of validity (Asia/Shanghai).
    pub valid_from: NaiveDate,
    /// Last day of validity, inclusive.
    pub valid_until: NaiveDate,
    /// The code in groups of four.
    pub code: String,
    /// The link behind the QR code.
    pub verify_url: String,
}

/// Bytes that the signature may fill: room for a CMS with a chain of RSA-4096 certificates.
pub const HOLE: usize = 5_120;

/// Why a sheet does not become a page.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unprintable {
    /// No face holds the character, or it cannot be shown as it stands.
    #[error("no font holds U+{:04X}, which stands in {field}", *character as u32)]
    NoGlyph {
        /// The first character that cannot be printed.
        character: char,
        /// Name of the datum, as [`Sheet`] and its parts have it.
        field: &'static str,
    },
    /// The datum does not fit into its place even at the smallest size.
    #[error("{field} is too long for its place on the page")]
    TooLong {
        /// Name of the datum, as [`Sheet`] and its parts have it.
        field: &'static str,
    },
    /// The machinery failed; no sheet should get here.
    #[error("the page could not be drawn: {0}")]
    Fault(&'static str),
}

/// A complete PDF but for its signature: the places of the signature and of the signed range are still blank.
#[derive(Clone, PartialEq, Eq)]
pub struct UnsealedPdf {
    bytes: Vec<u8>,
    hole: Hole,
}

/// Where the sealer writes. Both places are inside the file and do not overlap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hole {
    /// From `<` to one past `>` of `/Contents`; between them stand `2 * HOLE` zeros.
    pub(crate) contents: Range<usize>,
    /// From `[` to one past `]` of `/ByteRange`; what replaces it is padded with blanks.
    pub(crate) byte_range: Range<usize>,
}

impl UnsealedPdf {
    /// The file.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The file, given away.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// The places that the sealer fills.
    pub(crate) fn hole(&self) -> Hole {
        self.hole.clone()
    }
}

impl fmt::Debug for UnsealedPdf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UnsealedPdf({} bytes)", self.bytes.len())
    }
}

/// Whether every character of a text can be printed; the first that cannot is named together with `field`,
/// the name of the datum in the record. Cheap: nothing is drawn, so a recipient is judged when it is ordered.
pub fn judge_glyphs(field: &'static str, text: &str) -> Result<(), Unprintable> {
    match text.chars().find(|character| fonts::find(Weight::Regular, *character).is_none()) {
        Some(character) => Err(Unprintable::NoGlyph { character, field }),
        None => Ok(()),
    }
}

/// Draws a sheet as an unsealed PDF/A-3u (ISO 19005-3) and PDF/UA-1 (ISO 14289-1) file. The same sheet gives
/// the same bytes. Fails where something cannot be printed as it is: nothing is left out or replaced.
pub fn render(sheet: &Sheet) -> Result<UnsealedPdf, Unprintable> {
    let layout = layout::arrange(sheet)?;
    let drawn = page::draw(&layout, sheet)?;
    archive::finish(drawn, &layout, sheet)
}

#[cfg(test)]
pub(crate) mod tests;
