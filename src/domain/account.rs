//! Accounts of people: who logs in, with what, and for how long.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::certificate::Name;
use crate::domain::contact::Email;
use crate::domain::identity::{CreditCode, PersonId};
use crate::domain::ids::{AccountId, Sha256};
use crate::domain::refusal::FieldFault;
use crate::domain::staff::Post;
use crate::domain::totp::Totp;

/// The service notice in force. Who accepted an older one is asked again.
pub const NOTICE_VERSION: u16 = 1;

/// A session that nobody used for this long is over.
pub const SESSION_IDLE: TimeDelta = TimeDelta::minutes(30);
/// No session lasts longer.
pub const SESSION_MAX: TimeDelta = TimeDelta::hours(12);
/// How often the use of a session is written down.
pub const SESSION_NOTED: TimeDelta = TimeDelta::minutes(5);

/// How long a verification code can be used.
pub const CODE_LASTS: TimeDelta = TimeDelta::minutes(5);
/// Between two codes to one mobile or address.
pub const CODE_PAUSE: TimeDelta = TimeDelta::minutes(1);
/// How often a code may be mistyped.
pub const CODE_TRIES: u8 = 5;

/// A mobile number of the mainland: 11 digits, the first two 13 to 19.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Mobile(String);

impl Mobile {
    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// For its owner to recognise: `138****5678`.
    pub fn masked(&self) -> String {
        format!("{}****{}", &self.0[..3], &self.0[7..])
    }
}

impl FromStr for Mobile {
    type Err = FieldFault;

    fn from_str(text: &str) -> Result<Self, FieldFault> {
        let digits = text.as_bytes();
        let fits = digits.len() == 11
            && digits.iter().all(u8::is_ascii_digit)
            && digits[0] == b'1'
            && digits[1] >= b'3';
        if fits { Ok(Self(text.to_owned())) } else { Err(FieldFault::NotAMobile) }
    }
}

impl fmt::Debug for Mobile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mobile(…)")
    }
}

/// What somebody types to say who they are: a person's identity number, a unit's credit code, a staff member's name.
/// Letters count as capitals.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct LoginName(String);

impl LoginName {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for LoginName {
    type Err = FieldFault;

    fn from_str(text: &str) -> Result<Self, FieldFault> {
        let fits = (1..=30).contains(&text.len()) && text.bytes().all(|c| c.is_ascii_graphic());
        if fits { Ok(Self(text.to_ascii_uppercase())) } else { Err(FieldFault::NotALoginName) }
    }
}

impl fmt::Debug for LoginName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LoginName(…)")
    }
}

/// Whose account it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owner {
    /// Somebody who has certificates.
    Holder(PersonId),
    /// An employer.
    Unit {
        /// The credit code, which it keeps whatever it is called.
        uscc: CreditCode,
        /// What it was called before.
        former_names: Vec<Name>,
    },
    /// Somebody who works for an authority.
    Staff(Post),
}

impl Owner {
    /// What its owner types to log in.
    pub fn login(&self) -> LoginName {
        match self {
            Self::Holder(person) => LoginName(person.number().to_ascii_uppercase()),
            Self::Unit { uscc, .. } => LoginName(uscc.as_str().to_owned()),
            Self::Staff(post) => post.login.clone(),
        }
    }

    /// The same for others' eyes: a person's number is shown by its ends.
    pub fn login_masked(&self) -> String {
        match self {
            Self::Holder(person) => person.masked(),
            owner => owner.login().as_str().to_owned(),
        }
    }
}

/// A password's argon2id hash in PHC form, which names its own parameters.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(pub String);

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its name.
    pub id: AccountId,
    /// Whose it is.
    pub owner: Owner,
    /// What its owner is called.
    pub name: Name,
    /// Where codes go.
    pub mobile: Mobile,
    /// Where reminders go, if it was proved.
    pub email: Option<Email>,
    /// The password; an empty hash fits none.
    pub password: PasswordHash,
    /// The second factor of the log-in.
    pub totp: Option<Totp>,
    /// Until it is accepted, nobody logs in.
    pub invitation: Option<Invitation>,
    /// When an administrator ended it: nobody logs in any more.
    pub ended_at: Option<DateTime<Utc>>,
    /// Which version of the service notice was accepted, and when.
    pub notice: Option<(u16, DateTime<Utc>)>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Sessions that began before this moment are over: everything was logged out, or the password changed.
    pub sessions_since: DateTime<Utc>,
}

/// An invitation to staff, which the token of its link accepts once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// SHA-256 of the token, which has 256 bits of chance.
    pub token: Sha256,
    /// Until when.
    pub expires_at: DateTime<Utc>,
}

impl Account {
    /// Whether its owner may come in at all.
    pub fn is_open(&self) -> bool {
        self.invitation.is_none() && self.ended_at.is_none()
    }

    /// Whether the notice in force was accepted; it is for holders, and nobody else is asked.
    pub fn has_accepted(&self) -> bool {
        !matches!(self.owner, Owner::Holder(_))
            || self.notice.is_some_and(|(version, _)| version >= NOTICE_VERSION)
    }
}

/// A session. Its token has 256 bits of chance and is kept as a digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// SHA-256 of the token.
    pub token: Sha256,
    /// Whose it is.
    pub account: AccountId,
    /// When it began.
    pub began_at: DateTime<Utc>,
    /// When it was last seen in use, to a few minutes.
    pub seen_at: DateTime<Utc>,
    /// When it was ended.
    pub ended_at: Option<DateTime<Utc>>,
}

impl Session {
    /// When it ends if nobody uses it any more.
    pub fn expires_at(&self) -> DateTime<Utc> {
        (self.seen_at + SESSION_IDLE).min(self.began_at + SESSION_MAX)
    }

    /// Whether it still is one.
    pub fn is_live(&self, account: &Account, now: DateTime<Utc>) -> bool {
        self.ended_at.is_none()
            && account.is_open()
            && self.began_at >= account.sessions_since
            && now < self.expires_at()
    }

    /// Whether its use is to be written down: idle time is counted from there.
    pub fn is_to_be_noted(&self, now: DateTime<Utc>) -> bool {
        now - self.seen_at >= SESSION_NOTED
    }
}

/// What a verification code is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// To open an account.
    SignUp,
    /// To submit a filing.
    Submit,
    /// To prove a new mobile.
    ChangeMobile,
    /// To prove an e-mail address.
    ChangeEmail,
    /// To set a new password in place of a forgotten one.
    Recovery,
}

impl Purpose {
    /// Every purpose.
    pub const ALL: [Self; 5] =
        [Self::SignUp, Self::Submit, Self::ChangeMobile, Self::ChangeEmail, Self::Recovery];
    /// Those whose code anybody may have sent to a mobile; see [`Purpose::for_mobile`].
    pub const BY_MOBILE: [Self; 4] = [Self::SignUp, Self::Submit, Self::ChangeMobile, Self::Recovery];

    /// The stable word.
    pub fn word(self) -> &'static str {
        match self {
            Self::SignUp => "sign_up",
            Self::Submit => "submit",
            Self::ChangeMobile => "change_mobile",
            Self::ChangeEmail => "change_email",
            Self::Recovery => "recovery",
        }
    }

    /// One of those whose code goes to a mobile, by its word.
    ///
    /// # Errors
    /// `change_email` is none: its code goes to an address, and only for who is logged in.
    pub fn for_mobile(word: &str) -> Result<Self, FieldFault> {
        let purpose = Self::BY_MOBILE.into_iter().find(|purpose| purpose.word() == word);
        purpose.ok_or(FieldFault::NotOneOf("sign_up, submit, change_mobile, recovery"))
    }
}

impl FromStr for Purpose {
    type Err = FieldFault;

    fn from_str(text: &str) -> Result<Self, FieldFault> {
        let purpose = Self::ALL.into_iter().find(|purpose| purpose.word() == text);
        purpose.ok_or(FieldFault::NotOneOf("sign_up, submit, change_mobile, change_email, recovery"))
    }
}

/// The last code sent to a mobile or an e-mail address for a purpose. A newer one takes its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerificationCode {
    /// For what.
    pub purpose: Purpose,
    /// SHA-256 of salt and digits.
    pub digest: Sha256,
    /// The salt.
    pub salt: [u8; 16],
    /// When it was sent.
    pub sent_at: DateTime<Utc>,
    /// How often it was mistyped.
    pub mistyped: u8,
    /// Whether it was used.
    pub used: bool,
}

impl VerificationCode {
    /// Whether it can be used at `now`, if the digits are right.
    pub fn is_open(&self, now: DateTime<Utc>) -> bool {
        !self.used && self.mistyped < CODE_TRIES && now < self.sent_at + CODE_LASTS
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use super::*;

    fn at(minute: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + minute * 60, 0).unwrap()
    }

    fn account(sessions_since: DateTime<Utc>) -> Account {
        Account {
            id: AccountId::mint(at(0), [1; 10]),
            owner: Owner::Holder(PersonId::parse("111", "11010519491231002X").unwrap()),
            name: "张三".parse().unwrap(),
            mobile: "13800005678".parse().unwrap(),
            email: None,
            password: PasswordHash(String::new()),
            totp: None,
            invitation: None,
            ended_at: None,
            notice: None,
            created_at: at(0),
            sessions_since,
        }
    }

    #[test]
    fn a_session_ends_when_idle_when_old_when_logged_out_and_when_all_are() {
        let account = account(at(0));
        let session = |began: i64, seen: i64| Session {
            token: Sha256::new([0; 32]),
            account: account.id,
            began_at: at(began),
            seen_at: at(seen),
            ended_at: None,
        };
        assert!(session(0, 0).is_live(&account, at(29)));
        assert!(!session(0, 0).is_live(&account, at(30)), "idle");
        assert!(session(0, 719).is_live(&account, at(719)));
        assert!(!session(0, 719).is_live(&account, at(720)), "twelve hours");
        assert!(!Session { ended_at: Some(at(1)), ..session(0, 0) }.is_live(&account, at(1)));
        let later = Account { sessions_since: at(5), ..account.clone() };
        assert!(!session(4, 6).is_live(&later, at(6)), "logged out everywhere");
        assert!(session(5, 6).is_live(&later, at(6)));
    }

    #[test]
    fn a_code_can_be_used_for_five_minutes_once_and_mistyped_five_times() {
        let code = VerificationCode {
            purpose: Purpose::SignUp,
            digest: Sha256::new([0; 32]),
            salt: [0; 16],
            sent_at: at(0),
            mistyped: 4,
            used: false,
        };
        assert!(code.is_open(at(4)));
        assert!(!code.is_open(at(5)));
        assert!(!VerificationCode { mistyped: 5, ..code.clone() }.is_open(at(0)));
        assert!(!VerificationCode { used: true, ..code }.is_open(at(0)));
    }

    #[test]
    fn names_to_log_in_with_know_no_case_and_mobiles_are_shown_by_their_ends() {
        let typed: LoginName = "11010519491231002x".parse().unwrap();
        assert_eq!(account(at(0)).owner.login(), typed);
        assert_eq!(account(at(0)).mobile.masked(), "138****5678");
        assert!("12800005678".parse::<Mobile>().is_err());
        assert!("138000056780".parse::<Mobile>().is_err());
    }
}
