//! The closed lists of words of the interface, described from the lists of the domain.

use std::borrow::Cow;

use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::desk::account::staff::StaffState as StateOfStaff;
use crate::desk::register::How;
use crate::desk::standing::FileFinding;
use crate::domain::account::Purpose;
use crate::domain::annotation::Phase;
use crate::domain::certificate::Status;
use crate::domain::event::Deed;
use crate::domain::key::Scope;
use crate::domain::media::Media;
use crate::domain::staff::{Level, Role};
use crate::domain::tally::Door;
use crate::domain::ticket::{Outcome, Standing};
use crate::domain::verdict::Verdict;
use crate::registration::case::{Act, CaseState, Seat};
use crate::registration::registrant::AnomalyKind;

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident: $words:expr;)*) => {
        $(
            $(#[$doc])*
            pub(crate) enum $name {}

            impl PartialSchema for $name {
                fn schema() -> RefOr<Schema> {
                    let words: Vec<&str> = $words;
                    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words)).into()
                }
            }

            impl ToSchema for $name {
                fn name() -> Cow<'static, str> {
                    stringify!($name).into()
                }
            }
        )*
    };
}

words! {
    /// Where an annotation stands.
    AnnotationState: Phase::ALL.iter().map(|it| it.word()).collect();
    /// How a certificate stands.
    CertificateStatus: Status::ALL.iter().map(|it| it.word()).collect();
    /// What a stranger is told about a copy.
    CopyVerdict: Verdict::ALL.iter().map(|it| it.word()).collect();
    /// What a stranger is told about a file.
    DocumentVerdict: {
        let others =
            [FileFinding::Tampered, FileFinding::NotOurs, FileFinding::Unsigned, FileFinding::Unreadable];
        let ours = Verdict::ALL.iter().map(|it| it.word());
        ours.chain(others.map(FileFinding::word)).collect()
    };
    /// What a key may do.
    KeyScope: Scope::ALL.iter().map(|it| it.word()).collect();
    /// What happened.
    AuditDeed: Deed::ALL.iter().map(|it| it.word()).collect();
    /// What a record did.
    RecordStatus: {
        let entered = [How::Created, How::Updated, How::Unchanged].map(How::word);
        entered.into_iter().chain(["refused"]).collect()
    };
    /// What a verification code is for.
    CodePurpose: Purpose::BY_MOBILE.iter().map(|it| it.word()).collect();
    /// Whose an account is.
    AccountKind: vec!["holder", "unit", "staff"];
    /// The level of an authority.
    AuthorityLevel: Level::ALL.iter().map(|it| it.word()).collect();
    /// Whether a staff member's account can be used.
    StaffState: StateOfStaff::ALL.iter().map(|it| it.word()).collect();
    /// What a staff member is there for.
    StaffRole: Role::ALL.iter().map(|it| it.word()).collect();
    /// By which door something was verified.
    CheckDoor: Door::ALL.iter().map(|it| it.word()).collect();
    /// Whether a ticket waits.
    TicketStanding: [Standing::Open, Standing::Answered].map(Standing::word).to_vec();
    /// What became of a ticket.
    TicketOutcome: [Outcome::Accepted, Outcome::Declined].map(Outcome::word).to_vec();
    /// Where a case of registration stands.
    CaseStateWord: CaseState::WORDS.to_vec();
    /// What is done with a case.
    ActWord: Act::ALL.iter().map(|it| it.word()).collect();
    /// Who acts on a case.
    SeatWord: Seat::ALL.iter().map(|it| it.word()).collect();
    /// What a field of a form takes.
    FieldKindWord: vec!["text", "date", "choice", "uscc", "bool"];
    /// What a file is.
    MediaWord: Media::ALL.iter().map(|it| it.media_type()).collect();
    /// Whether a person may withdraw a case from a stage.
    WithdrawalWord: vec!["free", "consent", "none"];
    /// What was noticed about a person.
    AnomalyWord: [AnomalyKind::SocialInsurance, AnomalyKind::Duplicate].map(AnomalyKind::word).to_vec();
    /// What an agency decides.
    StatusDecision: vec!["valid", "suspended", "revoked", "cancelled"];
}

/// A file, byte by byte.
pub(crate) enum File {}

impl PartialSchema for File {
    fn schema() -> RefOr<Schema> {
        let binary = utoipa::openapi::SchemaFormat::KnownFormat(utoipa::openapi::KnownFormat::Binary);
        ObjectBuilder::new().schema_type(Type::String).format(Some(binary)).into()
    }
}

impl ToSchema for File {}
