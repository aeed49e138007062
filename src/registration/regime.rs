//! A regime as data: its classes, business types, stages, forms, attachments and letters. Whoever holds one holds a sound
//! one: [`Regime::read`] refuses any other, with every reason at once.
//!
//! A file, and what its parts mean:
//!
//! ```toml
//! id = "guard"                       # names are small letters, digits and underscores
//! name = "注册消防员"                # what people read is Chinese, and `en` beside it where wanted
//! warning_days = 30                  # from so many days before its last day a registration warns
//! conditions = ["profile_complete"]  # of every type; each is a word of `Condition`, some with a parameter
//!
//! [[classes]]                        # the first is meant where nobody names one
//! id = "guard"
//! name = "消防员"
//! specialties = ["general"]          # `general` where there are none
//! types = ["initial"]
//! certificate = { kind = "guard-registration", title = "消防员注册证书", issuer = "示例消防协会", uscc = "52990000MJ0000001W", years = 3 }
//!
//! [chains.review]                    # a way, and the names of its two ends
//! approved = "办结"
//! rejected = "不予注册"
//! stages = [                         # the person's first; `acts` says what can be done there and where it leads
//!     { id = "fill", name = "个人填报", actor = "person", acts = { submit = "unit" } },
//!     { id = "unit", name = "单位确认", actor = "unit", days = 5, withdrawal = "free", acts = { confirm = "review", return = "returned" } },
//!     { id = "review", name = "协会审核", actor = "association", days = 20, acts = { approve = "approved", reject = "rejected", request_correction = "correction" } },
//! ]
//!
//! [fields]                           # text, date, choice (with `choices`), uscc, bool
//! contract_from = { label = "合同开始日期", kind = "date" }
//! contract_to = { label = "合同结束日期", kind = "date" }
//!
//! [attachments]                      # sizes in bytes
//! contract = { label = "劳动合同", max_bytes = 5_242_880, media = ["image/png", "application/pdf"] }
//!
//! [letters.promise]                  # `version` rises whenever the text changes; `seconds` is the time of reading
//! version = 1
//! seconds = 60
//! clauses = ["本人{name}受聘于{employer}，所填信息真实。"]
//!
//! [[types]]
//! id = "initial"
//! name = "初始注册"
//! chain = "review"
//! form = ["contract_from", "contract_to?"]   # `?`: may be left empty
//! attachments = ["contract"]
//! letter = "promise"
//! conditions = ["qualification", "first_registration"]
//! effect = "grant"                   # grant, change, extend, replace, reregister, cancel, enrol, convert, correct
//! ```

pub mod book;
pub mod letter;
mod reading;
mod rules;
pub mod section;
mod soundness;

use std::collections::BTreeMap;
use std::fmt;

use crate::domain::certificate::{CertificateType, Issuer, Line};
use crate::registration::case::{Act, Media, Seat, Specialty};
use crate::registration::conditions::Condition;
use crate::registration::regime::letter::LetterText;
use crate::registration::word::{AttachmentKind, ClassId, FieldName, RegimeId, StageId, TypeId};

/// What a person reads: in Chinese, and in English where the file says it.
#[derive(Clone, PartialEq, Eq)]
pub struct Label {
    /// In Chinese.
    pub zh: Line<60>,
    /// In English.
    pub en: Option<Line<60>>,
}

impl fmt::Debug for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Labels come from a public file.
        f.write_str(self.zh.as_str())
    }
}

/// A regime (注册制度): who may be registered as what, and how.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Regime {
    /// Its name.
    pub id: RegimeId,
    /// What it is called.
    pub name: Label,
    /// Its classes; the first is meant where nobody names one. At least one.
    pub classes: Vec<Class>,
    /// Its business types. One name may occur twice where classes differ.
    pub businesses: Vec<Business>,
    /// From so many days before the last day of a registration the person is warned.
    pub warning_days: u32,
}

/// A class of a regime, as 一级临时建造师.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Class {
    /// Its name.
    pub id: ClassId,
    /// What it is called.
    pub name: Label,
    /// At least one; `general` where the class has none of its own.
    pub specialties: Vec<Specialty>,
    /// The business types that it has. At least one.
    pub types: Vec<TypeId>,
    /// The type of certificate that qualifies for it, where the register holds such: one that is valid counts as a passed
    /// examination.
    pub qualification: Option<CertificateType>,
    /// The certificate of a registration.
    pub certificate: CertificateRule,
}

/// What the certificate of a registration is like.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CertificateRule {
    /// Its type, the key of its policy.
    pub kind: CertificateType,
    /// 证书名称
    pub title: Line<60>,
    /// 级别
    pub level: Option<Line<20>>,
    /// Who issues it.
    pub issuer: Issuer,
    /// How long a registration holds.
    pub years: u32,
}

/// A business type (业务类型) as some classes have it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Business {
    /// Its name.
    pub id: TypeId,
    /// What it is called.
    pub name: Label,
    /// The classes that have it so; every class that names it, where empty.
    pub classes: Vec<ClassId>,
    /// The way that its cases go.
    pub chain: Chain,
    /// What is typed.
    pub form: Vec<FormField>,
    /// What is uploaded.
    pub attachments: Vec<AttachmentRule>,
    /// What is read and promised before it is submitted.
    pub letter: Option<LetterText>,
    /// Whether a submission needs a code sent to the mobile.
    pub sms_code: bool,
    /// What must hold, in the order in which it is judged.
    pub conditions: Vec<Condition>,
    /// What approval does.
    pub effect: Consequence,
    /// Where a clerk may enter it for a person who cannot or will not.
    pub offline: Option<Offline>,
}

/// The stages of a case, the person's first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Chain {
    /// At least two. A case begins at the first; acts lead on from each.
    pub stages: Vec<Stage>,
    /// What the end is called that it comes to when it is approved, as 办结.
    pub approved: Label,
    /// What the other end is called.
    pub rejected: Label,
}

/// A stage of a chain.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stage {
    /// Its name.
    pub id: StageId,
    /// What it is called.
    pub name: Label,
    /// Who acts there.
    pub seat: Seat,
    /// What they may do, and where it leads. At least one.
    pub acts: BTreeMap<Act, Target>,
    /// Within how many working days.
    pub days: Option<u32>,
    /// Whether the person may withdraw from there.
    pub withdrawal: Withdrawal,
}

/// Where an act leads.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Target {
    /// To a stage.
    Stage(StageId),
    /// To the good end.
    Approved,
    /// To the other.
    Rejected,
    /// Back to the person, to be filled in again.
    Returned,
    /// To the person, to correct what is asked for, and back to the same stage.
    Correction,
}

/// Whether a person may withdraw (撤回) a case from a stage.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Withdrawal {
    /// At will.
    Free,
    /// The unit must consent.
    Consent,
    /// No more.
    None,
}

/// A field of a form.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FormField {
    /// Its name.
    pub name: FieldName,
    /// What it is called.
    pub label: Label,
    /// What it takes.
    pub kind: FieldKind,
    /// Whether a case without it cannot be submitted.
    pub required: bool,
}

/// What a field takes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FieldKind {
    /// Any text.
    Text,
    /// A day.
    Date,
    /// One of these.
    Choice(Vec<Line<40>>),
    /// A unit's credit code.
    Uscc,
    /// Yes or no.
    Bool,
}

impl FieldKind {
    /// The stable word.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Date => "date",
            Self::Choice(_) => "choice",
            Self::Uscc => "uscc",
            Self::Bool => "bool",
        }
    }
}

/// A kind of attachment that a case takes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AttachmentRule {
    /// Its name.
    pub kind: AttachmentKind,
    /// What it is called.
    pub label: Label,
    /// Whether a case without it cannot be submitted.
    pub required: bool,
    /// The least size; 0 where there is none.
    pub min_bytes: u64,
    /// The most.
    pub max_bytes: u64,
    /// What it may be. At least one.
    pub media: Vec<Media>,
}

/// What approval does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Consequence {
    /// A registration begins.
    Grant {
        /// The field that says the kind of registrant (登记类别), where there is one.
        category: Option<FieldName>,
    },
    /// The registration is moved to the person's employer.
    Change,
    /// It is extended from its last day.
    Extend,
    /// Its certificate is made anew.
    Replace,
    /// It begins again after it has ended.
    Reregister {
        /// At the same unit: with more than so many months left it keeps its last day; with less it is extended.
        keeps_months: u32,
    },
    /// It ends.
    Cancel,
    /// A qualification enters the library (入库).
    Enrol {
        /// The field that says the number of the qualification certificate.
        management_no: FieldName,
    },
    /// The kind of registrant becomes another.
    Convert {
        /// The field that says which.
        category: FieldName,
    },
    /// The person's name or identity document is corrected everywhere.
    Correct {
        /// The field of the new name.
        name: Option<FieldName>,
        /// The field of the new number.
        id_number: Option<FieldName>,
        /// The field of the new kind of document.
        id_type: Option<FieldName>,
    },
}

/// A clerk's way in: for the dead, the incapable, and those who will not.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Offline {
    /// Whose clerk.
    pub seat: Seat,
    /// The stage that the case is at then.
    pub to: StageId,
    /// What has to be attached instead of what a person attaches.
    pub attachments: Vec<AttachmentKind>,
}

impl Regime {
    /// The class of this name; the first where none is named.
    pub fn class(&self, id: Option<&ClassId>) -> Option<&Class> {
        match id {
            Some(id) => self.classes.iter().find(|class| class.id == *id),
            None => self.classes.first(),
        }
    }

    /// A business type, as a class has it.
    pub fn business(&self, class: &ClassId, id: &TypeId) -> Option<&Business> {
        let class = self.class(Some(class))?;
        if !class.types.contains(id) {
            return None;
        }
        self.businesses.iter().find(|business| business.id == *id && business.serves(&class.id))
    }
}

impl Business {
    /// Whether it is how a class has it.
    pub fn serves(&self, class: &ClassId) -> bool {
        self.classes.is_empty() || self.classes.contains(class)
    }

    /// A field of its form.
    pub fn field(&self, name: &FieldName) -> Option<&FormField> {
        self.form.iter().find(|field| field.name == *name)
    }

    /// A kind of attachment that it takes.
    pub fn attachment(&self, kind: &AttachmentKind) -> Option<&AttachmentRule> {
        self.attachments.iter().find(|rule| rule.kind == *kind)
    }
}

impl Chain {
    /// A stage of it.
    pub fn stage(&self, id: &StageId) -> Option<&Stage> {
        self.stages.iter().find(|stage| stage.id == *id)
    }
}

#[cfg(test)]
pub(crate) mod tests;
