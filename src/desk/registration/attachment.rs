//! The files of cases: judged by their content, kept as the service wrote them, given to the parties of the case alone.

use crate::desk::registration::Registering;
use crate::desk::registration::filing::CaseView;
use crate::desk::{Desk, DeskError};
use crate::domain::event::Deed;
use crate::domain::ids::CaseId;
use crate::domain::media::Media;
use crate::domain::refusal::file::FileFault;
use crate::domain::refusal::{FieldFault, Refusal};
use crate::registration::case::{Attachment, Case};
use crate::registration::filing::{self, business};
use crate::registration::regime::Regime;
use crate::registration::word::AttachmentKind;
use crate::render::enclosure::{BadFile, Bounds, Enclosure, MOST_BYTES};

/// Most bytes of a file that is looked at at all.
pub const FILE_MOST: usize = MOST_BYTES;

/// A file is kept behind the name of its case: the same file of two cases is two documents.
const NAME: usize = 16;

impl Desk {
    /// Puts a file to a case, in the place of the one of its kind.
    ///
    /// # Errors
    /// `invalid-fields`, where it cannot be kept; `act-not-allowed`; `not-asked-for`; `NotFound`.
    pub async fn attach(
        &self,
        who: &Registering,
        id: CaseId,
        kind: &AttachmentKind,
        file: Vec<u8>,
    ) -> Result<CaseView, DeskError> {
        let (case, _) = self.visible(who, id).await?;
        let regime = self.regime_of(&case)?;
        filing::may_attach(&case, regime, &who.party, kind)?;
        let rule = business(&case, regime)?.attachment(kind).ok_or(DeskError::NotFound)?.clone();
        let sent = file.len();
        let read = tokio::task::spawn_blocking(move || {
            let bounds = Bounds {
                media: &rule.media,
                min_bytes: usize::try_from(rule.min_bytes).unwrap_or(usize::MAX),
                max_bytes: usize::try_from(rule.max_bytes).unwrap_or(usize::MAX),
            };
            Enclosure::of(&file, &bounds)
        });
        let read = read.await.unwrap_or(Err(BadFile::Damaged));
        let kept = read.map_err(|bad| Refusal::field(format!("attachments.{kind}"), file_fault(bad)))?;
        let document = [&id.as_bytes()[..], kept.as_bytes()].concat();
        let digest = crate::desk::digest(&document);
        self.store.put_document(&case.person, digest, &document).await?;
        let attachment =
            Attachment { document: digest, media: kept.media(), bytes: sent as u64, added_at: self.now() };
        let attach =
            |case: &Case, regime: &Regime| filing::attach(case, regime, &who.party, kind, attachment.clone());
        self.change_case(who, id, Deed::CaseFilled, attach).await
    }

    /// Takes a file away again.
    ///
    /// # Errors
    /// `act-not-allowed`; `not-asked-for`; `NotFound`.
    pub async fn detach(
        &self,
        who: &Registering,
        id: CaseId,
        kind: &AttachmentKind,
    ) -> Result<CaseView, DeskError> {
        let detach = |case: &Case, regime: &Regime| filing::detach(case, regime, &who.party, kind);
        self.change_case(who, id, Deed::CaseFilled, detach).await
    }

    /// A file of a case, for whoever may see the case.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn attachment(
        &self,
        who: &Registering,
        id: CaseId,
        kind: &AttachmentKind,
    ) -> Result<(Media, Vec<u8>), DeskError> {
        let (case, _) = self.visible(who, id).await?;
        let attachment = case.attachments.get(kind).ok_or(DeskError::NotFound)?;
        let document = self.store.document(attachment.document).await?.ok_or(DeskError::NotFound)?;
        Ok((attachment.media, document.get(NAME..).ok_or(DeskError::NotFound)?.to_vec()))
    }
}

/// What is wrong with a file, for whoever sent it.
fn file_fault(bad: BadFile) -> FieldFault {
    FieldFault::BadFile(match bad {
        BadFile::TooSmall { least, .. } => FileFault::TooSmall { least: least as u64 },
        BadFile::TooLarge { most, .. } => FileFault::TooLarge { most: most as u64 },
        BadFile::UnknownFormat | BadFile::NotTaken(_) => FileFault::OfAnotherKind,
        BadFile::Damaged => FileFault::Damaged,
        BadFile::TooManyPixels | BadFile::CannotFit { .. } => FileFault::CannotFit,
        BadFile::Encrypted => FileFault::Encrypted,
        BadFile::Active(_) | BadFile::TooManyPages { .. } | BadFile::TooIntricate => FileFault::NotPlain,
    })
}
