//! Staff of authorities: where they work, and what their role lets them do.

use std::fmt;
use std::str::FromStr;

use crate::domain::account::LoginName;
use crate::domain::identity::CreditCode;
use crate::domain::key::Scope;
use crate::domain::refusal::FieldFault;

/// What somebody is at an authority.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Post {
    /// The name to log in with.
    pub login: LoginName,
    /// Where.
    pub level: Level,
    /// The two digits of the region; every region where none.
    pub region: Option<Region>,
    /// What for.
    pub role: Role,
    /// The one issuer whose certificates they deal with; every issuer's where none.
    pub issuer: Option<CreditCode>,
}

/// What a staff member is there for. Deny by default: a role has the scopes that are named here, and no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// 管理员: everything, the staff and the keys too.
    Administrator,
    /// 经办: the register, the copies, the tickets.
    Registrar,
    /// 审核: reads certificates and copies, reviews filings.
    Reviewer,
    /// 审计: reads everything that was done, and does nothing.
    Auditor,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 4] = [Self::Administrator, Self::Registrar, Self::Reviewer, Self::Auditor];

    /// The stable word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::Registrar => "registrar",
            Self::Reviewer => "reviewer",
            Self::Auditor => "auditor",
        }
    }

    /// What it may do.
    pub fn scopes(self) -> &'static [Scope] {
        match self {
            Self::Administrator => &[Scope::Everything],
            Self::Registrar => &[
                Scope::CertificatesRead,
                Scope::CertificatesWrite,
                Scope::AnnotationsRead,
                Scope::AnnotationsWrite,
                Scope::TicketsWrite,
            ],
            Self::Reviewer => &[Scope::CertificatesRead, Scope::AnnotationsRead, Scope::FilingsReview],
            Self::Auditor => &[Scope::CertificatesRead, Scope::AnnotationsRead, Scope::AuditRead],
        }
    }
}

impl FromStr for Role {
    type Err = FieldFault;

    fn from_str(text: &str) -> Result<Self, FieldFault> {
        let role = Self::ALL.into_iter().find(|role| role.word() == text);
        role.ok_or(FieldFault::NotOneOf("administrator, registrar, reviewer, auditor"))
    }
}

/// Two digits, as characters 3 and 4 of a credit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region([u8; 2]);

impl Region {
    /// The region of a unit: characters 3 and 4 of its credit code (GB 32100, 4.3).
    pub fn of(unit: &CreditCode) -> Self {
        let code = unit.as_str().as_bytes();
        Self([code[2], code[3]])
    }
}

impl FromStr for Region {
    type Err = FieldFault;

    fn from_str(text: &str) -> Result<Self, FieldFault> {
        let digits: [u8; 2] = text.as_bytes().try_into().map_err(|_| FieldFault::NotARegion)?;
        if digits.iter().all(u8::is_ascii_digit) { Ok(Self(digits)) } else { Err(FieldFault::NotARegion) }
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|digit| write!(f, "{}", char::from(*digit)))
    }
}

/// The level of an authority.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// 省级
    Province,
    /// 协会
    Association,
    /// 部级
    Ministry,
    /// 注册管理部门
    Department,
}

impl Level {
    /// Every level.
    pub const ALL: [Self; 4] = [Self::Province, Self::Association, Self::Ministry, Self::Department];

    /// Whether an authority of this level deals with its own region alone.
    pub fn is_regional(self) -> bool {
        matches!(self, Self::Province | Self::Department)
    }

    /// The stable word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Province => "province",
            Self::Association => "association",
            Self::Ministry => "ministry",
            Self::Department => "department",
        }
    }
}

impl FromStr for Level {
    type Err = FieldFault;

    fn from_str(text: &str) -> Result<Self, FieldFault> {
        let level = Self::ALL.into_iter().find(|level| level.word() == text);
        level.ok_or(FieldFault::NotOneOf("province, association, ministry, department"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_is_two_digits_and_only_administrators_may_do_everything() {
        assert!("4a".parse::<Region>().is_err());
        for role in Role::ALL {
            assert_eq!(role.word().parse(), Ok(role));
            let may = |scope| role.scopes().contains(&scope);
            assert_eq!(may(Scope::Everything), role == Role::Administrator);
            assert!(!may(Scope::KeysWrite) && !may(Scope::StaffWrite), "{role:?}");
        }
    }
}
