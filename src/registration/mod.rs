//! Registration (注册): filings of persons, reviewed by units and authorities, that end in a certificate. Pure: regimes are
//! data, functions here decide, the desk writes.
//!
//! A case from its beginning to the register, as the desk walks it:
//!
//! 1. [`regime::book::Book`] holds the regimes; whoever holds a [`regime::Regime`] holds a sound one.
//! 2. The desk reads the [`registrant::Registrant`] and looks up the [`conditions::Facts`] of today: the newest certificate
//!    of the registration, the employer's account, the verified name, the social insurance.
//! 3. [`filing::open`] judges the conditions that need no form and answers a [`next::Next`]: a draft, and the registrant who
//!    now mentions it. [`filing::fill`], [`filing::attach`] and [`filing::open_letter`] answer the draft as it is then.
//! 4. [`acts::allowed_acts`] says what a [`party::Party`] may do, [`acts::act`] does it: another `Next`, or a refusal. A code
//!    is proved last: the desk rehearses the submission with [`conditions::Facts::code_proved`] set, spends the code where
//!    only that is left, and submits.
//! 5. Where the act was the last of its chain, `Next::effect` says what the register has to do. For
//!    [`next::Effect::Enter`] the desk lets the register make the certificate of `details` (a version of the same
//!    `(kind, management_no)`), hands the name it got to [`next::Next::granted`], which puts it into case and registrant, and
//!    writes certificate, case and registrant in one step. The number comes of the case's name, so that doing it twice is
//!    doing it once. [`next::Effect::Cancel`] ends a certificate; [`next::Effect::Correct`] concerns everything of a
//!    person, and [`next::Next::reissued`] takes the certificates that were made anew for it.
//!
//! What a clerk enters for somebody who cannot file takes another way in: [`offline::enter`].

pub mod acts;
pub mod approval;
pub mod case;
pub mod company;
pub mod completeness;
pub mod conditions;
pub mod filing;
pub mod next;
mod number;
pub mod offline;
pub mod party;
pub mod picture;
pub mod query;
pub mod regime;
pub mod registrant;
#[cfg(test)]
pub(crate) mod sample;
mod submission;
pub mod timeline;
pub mod validity;
#[cfg(test)]
mod walks;
pub mod word;
