//! What the ledger remembers of each change: who, when, what, why.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};

use crate::domain::certificate::Line;
use crate::domain::identity::CreditCode;
use crate::domain::ids::{AccountId, AnnotationId, CaseId, CertificateId, KeyId, Malformed, TicketId};

/// Who did it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Actor {
    /// An agency, by one of its API keys.
    Agency(KeyId),
    /// A person, a unit or a staff member, logged in.
    Account(AccountId),
    /// The service itself: workers and scheduled tasks.
    Service,
    /// Whoever holds the machine: the command line beside the data folder.
    Operator,
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Agency(key) => write!(f, "key:{key}"),
            Self::Account(account) => write!(f, "account:{account}"),
            Self::Service => f.write_str("service"),
            Self::Operator => f.write_str("operator"),
        }
    }
}

impl FromStr for Actor {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        match text {
            "service" => Ok(Self::Service),
            "operator" => Ok(Self::Operator),
            _ => match text.split_once(':') {
                Some(("key", key)) => Ok(Self::Agency(key.parse()?)),
                Some(("account", account)) => Ok(Self::Account(account.parse()?)),
                _ => Err(Malformed("actor")),
            },
        }
    }
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $what:literal: $($(#[$variant_doc:meta])* $variant:ident = $word:literal),+ $(,)?) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum $name { $($(#[$variant_doc])* $variant),+ }

        impl $name {
            /// Every one of them.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The stable word.
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl FromStr for $name {
            type Err = Malformed;

            fn from_str(text: &str) -> Result<Self, Malformed> {
                Self::ALL.iter().copied().find(|it| it.word() == text).ok_or(Malformed($what))
            }
        }
    };
}

words! {
    /// What happened.
    Deed, "deed":
    /// A certificate entered the register.
    CertificateEntered = "certificate-entered",
    /// A new version of it entered.
    CertificateUpdated = "certificate-updated",
    /// A newer version took its place.
    CertificateSuperseded = "certificate-superseded",
    /// Its standing was decided.
    StatusDecided = "status-decided",
    /// An annotation was ordered.
    AnnotationOrdered = "annotation-ordered",
    /// The intent to seal was written down; what follows uses the key.
    SealingBegun = "sealing-begun",
    /// The copy was sealed and kept.
    AnnotationSealed = "annotation-sealed",
    /// A try failed and will be repeated.
    SealingPostponed = "sealing-postponed",
    /// Tries go on failing: the job waits for a person.
    JobParked = "job-parked",
    /// A person sent a parked job back to the queue.
    JobRetried = "job-retried",
    /// The copy cannot be made.
    AnnotationFailed = "annotation-failed",
    /// The annotation ended before its time.
    AnnotationRevoked = "annotation-revoked",
    /// The plain copy of an exempt certificate was sealed and kept.
    PlainCopySealed = "plain-copy-sealed",
    /// Somebody other than the holder was given the document.
    DocumentRead = "document-read",
    /// An evidence bundle was made.
    EvidenceMade = "evidence-made",
    /// An API key was made.
    KeyCreated = "key-created",
    /// An API key was ended.
    KeyRevoked = "key-revoked",
    /// An account was opened.
    AccountOpened = "account-opened",
    /// Somebody logged in.
    SessionBegun = "session-begun",
    /// Somebody logged out.
    SessionEnded = "session-ended",
    /// Somebody logged out everywhere.
    SessionsEnded = "sessions-ended",
    /// The service notice was accepted.
    NoticeAccepted = "notice-accepted",
    /// A new mobile was proved.
    MobileChanged = "mobile-changed",
    /// An e-mail address was proved.
    EmailChanged = "email-changed",
    /// The e-mail address was taken away.
    EmailRemoved = "email-removed",
    /// The holder is told that a copy expires; what is kept as the reason is the threshold in days.
    ReminderSent = "reminder-sent",
    /// A new password was set.
    PasswordChanged = "password-changed",
    /// A staff member was invited, or invited anew.
    StaffInvited = "staff-invited",
    /// An invitation was accepted.
    InvitationAccepted = "invitation-accepted",
    /// What a unit was called before was changed.
    FormerNamesChanged = "former-names-changed",
    /// What a staff member may do was changed.
    StaffChanged = "staff-changed",
    /// A staff member's account was ended.
    StaffEnded = "staff-ended",
    /// A second factor was set.
    SecondFactorSet = "second-factor-set",
    /// A second factor was removed.
    SecondFactorRemoved = "second-factor-removed",
    /// Somebody whom the register does not know asked for help.
    TicketOpened = "ticket-opened",
    /// Staff saw the scan of a ticket.
    TicketRead = "ticket-read",
    /// A ticket was answered.
    TicketAnswered = "ticket-answered",
    /// A case was opened.
    CaseOpened = "case-opened",
    /// A case was filled in: its form, or a file of it.
    CaseFilled = "case-filled",
    /// Something was done with a case; what is kept as the reason is the act's word.
    CaseActed = "case-acted",
    /// A commitment letter was opened.
    LetterOpened = "letter-opened",
    /// A registrant's profile was changed.
    ProfileChanged = "profile-changed",
    /// A qualification was entered in the library.
    QualificationEntered = "qualification-entered",
    /// Something was noticed about a registrant.
    AnomalyNoticed = "anomaly-noticed",
    /// A registrant answered what was noticed about them.
    AnomalyAnswered = "anomaly-answered",
    /// A company was entered in the company register, or as it is now.
    CompanyEntered = "company-entered",
    /// A verification code was sent.
    CodeSent = "code-sent",
    /// A verification code was mistyped.
    CodeMistyped = "code-mistyped",
}

/// One thing that happened. Names no person: who that is, is in the records.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    /// What.
    pub deed: Deed,
    /// Who.
    pub actor: Actor,
    /// When, by the service's clock.
    pub at: DateTime<Utc>,
    /// The issuer whose business it is; agencies see their own events only.
    pub issuer: Option<CreditCode>,
    /// The certificate it is about.
    pub certificate: Option<CertificateId>,
    /// The annotation it is about.
    pub annotation: Option<AnnotationId>,
    /// The API key it is about.
    pub key: Option<KeyId>,
    /// The account it is about.
    pub account: Option<AccountId>,
    /// The ticket it is about.
    pub ticket: Option<TicketId>,
    /// The case it is about.
    pub case: Option<CaseId>,
    /// Why, in the actor's words, or what exactly (a status, a failure's code). Personal data may hide in it: it
    /// is kept encrypted like the records.
    pub reason: Option<Line<200>>,
}
