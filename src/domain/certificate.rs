//! Professional certificates: what a record says, which version holds, and how it stands on a day.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, NaiveDate, Utc};

use crate::domain::identity::{CreditCode, PersonId, Sex};
use crate::domain::ids::{CertificateId, Malformed, Sha256};
use crate::domain::licence::LicenceId;
use crate::domain::refusal::FieldFault;

/// One line of text of 1 to `MAX` characters, without control characters and without white space at its ends.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Line<const MAX: usize>(String);

impl<const MAX: usize> Line<MAX> {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize> FromStr for Line<MAX> {
    type Err = FieldFault;

    fn from_str(text: &str) -> Result<Self, FieldFault> {
        let text = text.trim();
        if text.is_empty() {
            Err(FieldFault::Empty)
        } else if text.chars().count() > MAX {
            Err(FieldFault::TooLong(MAX))
        } else if text.chars().any(char::is_control) {
            Err(FieldFault::ControlCharacter)
        } else {
            Ok(Self(text.to_owned()))
        }
    }
}

impl<const MAX: usize> fmt::Display for Line<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<const MAX: usize> fmt::Debug for Line<MAX> {
    /// Lines hold names and recipients: their text is not for logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Line(…)")
    }
}

/// A person's name: with rare characters, with ·, in Latin letters, up to 40 characters.
pub type Name = Line<40>;

/// The name for the public: its first character and ＊.
pub fn mask_name(name: &Name) -> String {
    let mut rest = name.as_str().chars();
    let first: String = rest.by_ref().take(1).collect();
    first + &"＊".repeat(rest.count().clamp(1, 2))
}

/// Whether two names are one: the dot between the parts of a name is typed in several ways.
pub fn same_name(one: &Name, other: &Name) -> bool {
    let dotted = |name: &Name| {
        let dot = |c| if matches!(c, '•' | '・' | '‧' | '･') { '·' } else { c };
        name.as_str().chars().map(dot).collect::<String>()
    };
    dotted(one) == dotted(other)
}

/// The type of a certificate, as `planner-qualification`: the key of its policy.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct CertificateType(String);

impl CertificateType {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for CertificateType {
    type Err = FieldFault;

    fn from_str(text: &str) -> Result<Self, FieldFault> {
        let fits = (1..=60).contains(&text.len())
            && text.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-');
        if fits { Ok(Self(text.to_owned())) } else { Err(FieldFault::NotACertificateType) }
    }
}

impl fmt::Display for CertificateType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A management number (管理号): opaque, 10 to 30 digits and capitals.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ManagementNo(String);

impl ManagementNo {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What the public sees of it: the last eight characters, fewer where the number is short.
    pub fn tail(&self) -> &str {
        let shown = (self.0.len() / 2).min(8);
        &self.0[self.0.len() - shown..]
    }
}

impl FromStr for ManagementNo {
    type Err = FieldFault;

    fn from_str(text: &str) -> Result<Self, FieldFault> {
        let fits = (10..=30).contains(&text.len())
            && text.bytes().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
        if fits { Ok(Self(text.to_owned())) } else { Err(FieldFault::NotAManagementNumber) }
    }
}

impl fmt::Display for ManagementNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ManagementNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ManagementNo(…)")
    }
}

/// The person whom a certificate belongs to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Holder {
    /// Name as printed.
    pub name: Name,
    /// Identity document.
    pub id: PersonId,
    /// Sex, where the record says it.
    pub sex: Option<Sex>,
    /// Day of birth, where the record says it.
    pub born: Option<NaiveDate>,
}

impl Holder {
    /// Day of birth, from the record or else from a resident card's number.
    pub fn born_on(&self) -> Option<NaiveDate> {
        self.born.or_else(|| self.id.born())
    }
}

/// The body that issues a certificate.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Issuer {
    /// Name as printed.
    pub name: Line<60>,
    /// Unified social credit code.
    pub uscc: CreditCode,
}

/// What a record says of a certificate. Another record of the same `(kind, management_no)` makes a new version.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Details {
    /// Type, the key of the policy.
    pub kind: CertificateType,
    /// Management number, unique within its type.
    pub management_no: ManagementNo,
    /// Name of the certificate (证书名称).
    pub title: Line<60>,
    /// Level (级别).
    pub level: Option<Line<20>>,
    /// Specialty (专业).
    pub specialty: Option<Line<60>>,
    /// Holder.
    pub holder: Holder,
    /// Issuing body.
    pub issuer: Issuer,
    /// Day of approval.
    pub approved_on: NaiveDate,
    /// Day of issue.
    pub issued_on: NaiveDate,
    /// Last day of the registration, where it ends.
    pub valid_until: Option<NaiveDate>,
    /// Digest of the re-encoded portrait, which lies among the documents.
    pub photo: Option<Sha256>,
    /// Digest of the holder's signature as transparent line art, which lies among the documents too.
    pub signature: Option<Sha256>,
}

/// How a certificate stands by decision, whatever the day.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Standing {
    /// In force.
    Valid,
    /// 已暂停: its copies are held, and good again when it is valid again.
    Suspended,
    /// 已撤销, by its issuer.
    Revoked,
    /// 已注销, at its end.
    Cancelled,
    /// 已更新: a newer version exists.
    Superseded {
        /// The version that replaced it.
        by: CertificateId,
    },
}

/// One version of a certificate.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Certificate {
    /// Name of this version.
    pub id: CertificateId,
    /// 1, 2, 3 … per `(kind, management_no)`.
    pub version: u16,
    /// Electronic licence identifier.
    pub licence_id: LicenceId,
    /// What the record says.
    pub details: Details,
    /// How it stands by decision.
    pub standing: Standing,
    /// When this version entered the register.
    pub entered_at: DateTime<Utc>,
}

impl Certificate {
    /// How the certificate stands on a day: by decision, or lapsed after its last day.
    pub fn status_on(&self, day: NaiveDate) -> Status {
        match &self.standing {
            Standing::Revoked => Status::Revoked,
            Standing::Cancelled => Status::Cancelled,
            Standing::Superseded { .. } => Status::Superseded,
            Standing::Valid | Standing::Suspended if self.lapsed_on(day) => Status::Lapsed,
            Standing::Suspended => Status::Suspended,
            Standing::Valid => Status::Valid,
        }
    }

    /// Whether a day lies after the last day of its registration.
    pub(crate) fn lapsed_on(&self, day: NaiveDate) -> bool {
        self.details.valid_until.is_some_and(|last| last < day)
    }
}

/// The status of a certificate, as shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    /// 有效
    Valid,
    /// 已暂停
    Suspended,
    /// 已撤销
    Revoked,
    /// 已注销
    Cancelled,
    /// 已失效
    Lapsed,
    /// 已更新
    Superseded,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 6] =
        [Self::Valid, Self::Suspended, Self::Revoked, Self::Cancelled, Self::Lapsed, Self::Superseded];

    /// The stable word of the interface.
    pub fn word(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Suspended => "suspended",
            Self::Revoked => "revoked",
            Self::Cancelled => "cancelled",
            Self::Lapsed => "lapsed",
            Self::Superseded => "superseded",
        }
    }

    /// The field's own word.
    pub fn chinese(self) -> &'static str {
        match self {
            Self::Valid => "有效",
            Self::Suspended => "已暂停",
            Self::Revoked => "已撤销",
            Self::Cancelled => "已注销",
            Self::Lapsed => "已失效",
            Self::Superseded => "已更新",
        }
    }
}

impl FromStr for Status {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        Self::ALL.into_iter().find(|status| status.word() == text).ok_or(Malformed("status"))
    }
}

/// What an agency may decide about a certificate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Decision {
    /// Lift a suspension.
    Reinstate,
    /// Hold the certificate and its copies.
    Suspend,
    /// End it by the issuer's ruling.
    Revoke,
    /// End it at its holder's wish or by law.
    Cancel,
}

impl Decision {
    /// The standing that the decision leads to.
    pub fn standing(self) -> Standing {
        match self {
            Self::Reinstate => Standing::Valid,
            Self::Suspend => Standing::Suspended,
            Self::Revoke => Standing::Revoked,
            Self::Cancel => Standing::Cancelled,
        }
    }

    /// Whether live annotations die with it.
    pub fn ends_copies(self) -> bool {
        matches!(self, Self::Revoke | Self::Cancel)
    }
}

impl FromStr for Decision {
    type Err = FieldFault;

    fn from_str(text: &str) -> Result<Self, FieldFault> {
        match text {
            "valid" => Ok(Self::Reinstate),
            "suspended" => Ok(Self::Suspend),
            "revoked" => Ok(Self::Revoke),
            "cancelled" => Ok(Self::Cancel),
            _ => Err(FieldFault::NotOneOf("valid, suspended, revoked, cancelled")),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use super::*;

    #[test]
    fn a_masked_name_shows_its_first_character_and_hides_its_length() {
        for (name, shown) in
            [("韦伟希", "韦＊＊"), ("郭翀", "郭＊"), ("𬱖", "𬱖＊"), ("买买提江·吾买尔", "买＊＊")]
        {
            assert_eq!(mask_name(&name.parse().unwrap()), shown);
        }
    }

    #[test]
    fn the_dot_of_a_name_may_be_typed_in_several_ways() {
        let same = |one: &str, other: &str| same_name(&one.parse().unwrap(), &other.parse().unwrap());
        assert!(same("阿依古丽·买买提", "阿依古丽•买买提"));
        assert!(same("阿依古丽·买买提", " 阿依古丽・买买提\u{3000}"));
        assert!(!same("阿依古丽·买买提", "阿依古丽买买提"));
    }

    #[test]
    fn a_line_is_trimmed_bounded_and_without_control_characters() {
        assert_eq!(" 结构 ".parse::<Line<2>>().unwrap().as_str(), "结构");
        assert_eq!("结构师".parse::<Line<2>>(), Err(FieldFault::TooLong(2)));
        assert_eq!("\u{3000}".parse::<Line<2>>(), Err(FieldFault::Empty));
        assert_eq!("a\nb".parse::<Line<9>>(), Err(FieldFault::ControlCharacter));
    }

    #[test]
    fn half_of_a_management_number_stays_hidden() {
        assert_eq!("2024092211000000".parse::<ManagementNo>().unwrap().tail(), "11000000");
        assert_eq!("A234567890".parse::<ManagementNo>().unwrap().tail(), "67890");
        assert_eq!("a234567890".parse::<ManagementNo>(), Err(FieldFault::NotAManagementNumber));
    }
}
