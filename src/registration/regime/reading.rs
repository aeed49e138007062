//! Reads a regime from TOML. What its types name (chains, fields, attachments, letters) is put into them here.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use toml::{Table, Value};

use crate::domain::certificate::Issuer;
use crate::registration::case::{Media, Specialty};
use crate::registration::conditions::Condition;
use crate::registration::regime::letter::{Clause, LetterText};
use crate::registration::regime::section::{Fault, Faults, Section};
use crate::registration::regime::{
    AttachmentRule, Business, CertificateRule, Chain, Class, FieldKind, FormField, Label, Offline, Regime,
    Stage, Withdrawal, rules, soundness,
};
use crate::registration::word::{AttachmentKind, ClassId, FieldName, TypeId};

const ID: &str = "a name of 1 to 40 small letters, digits and underscores, a letter first";

impl Regime {
    /// Reads a regime's file. An unsound one is refused with everything that is wrong with it, and where.
    pub fn read(text: &str) -> Result<Self, Vec<Fault>> {
        let faults = Faults::default();
        let regime = match text.parse::<Table>() {
            Ok(table) => regime(Section::new("", table, &faults), &faults),
            Err(error) => {
                let line = error.span().map(|span| text[..span.start].lines().count().max(1));
                let place = line.map_or_else(String::new, |line| format!("line {line}"));
                faults.add(place, error.message());
                None
            }
        };
        if let Some(regime) = &regime {
            soundness::judge(regime, &faults);
        }
        let faults = faults.into_vec();
        match regime {
            Some(regime) if faults.is_empty() => Ok(regime),
            _ => Err(faults),
        }
    }
}

/// Parts that types name, and which of them were named.
struct Shelf<T> {
    what: &'static str,
    parts: BTreeMap<String, Option<T>>,
    named: RefCell<BTreeSet<String>>,
}

impl<T: Clone> Shelf<T> {
    fn read<'f>(
        section: &mut Section<'f>,
        name: &'static str,
        mut read: impl FnMut(&str, Section<'f>) -> Option<T>,
    ) -> Self {
        let sections = section.maybe_section(name).map(Section::named_sections).unwrap_or_default();
        let parts = sections.into_iter().map(|(id, part)| (id.clone(), read(&id, part))).collect();
        Self { what: name, parts, named: RefCell::default() }
    }

    /// The part of this name. One that is there but wrong was reported when it was read.
    fn find(&self, id: &str, at: &Section<'_>, setting: &str) -> Option<T> {
        self.named.borrow_mut().insert(id.to_owned());
        if !self.parts.contains_key(id) {
            at.wrong(setting, format!("there is no `{id}` among the {}", self.what));
        }
        self.parts.get(id).cloned().flatten()
    }

    /// What nobody names is a mistyped name or a text that was forgotten.
    fn report_unnamed(&self, faults: &Faults) {
        let named = self.named.borrow();
        for id in self.parts.keys().filter(|id| !named.contains(*id)) {
            faults.add(format!("{}.{id}", self.what), "no type names it");
        }
    }
}

struct Shelves {
    chains: Shelf<Chain>,
    fields: Shelf<FormField>,
    attachments: Shelf<AttachmentRule>,
    letters: Shelf<LetterText>,
    conditions: Vec<Condition>,
}

fn regime(mut section: Section<'_>, faults: &Faults) -> Option<Regime> {
    let id = section.parsed("id", ID);
    let name = section.label("name");
    let warning_days = section.number("warning_days");
    let classes: Vec<_> = section.sections("classes").into_iter().map(class).collect();
    let shelves = Shelves {
        chains: Shelf::read(&mut section, "chains", |_, part| chain(part, faults)),
        fields: Shelf::read(&mut section, "fields", field),
        attachments: Shelf::read(&mut section, "attachments", |id, part| attachment(id, part, faults)),
        letters: Shelf::read(&mut section, "letters", |_, part| letter(part)),
        conditions: rules::conditions(&mut section),
    };
    let types: Vec<_> =
        section.sections("types").into_iter().map(|part| business(part, &shelves, faults)).collect();
    section.finish();
    shelves.chains.report_unnamed(faults);
    shelves.fields.report_unnamed(faults);
    shelves.attachments.report_unnamed(faults);
    shelves.letters.report_unnamed(faults);
    Some(Regime {
        id: id?,
        name: name?,
        classes: classes.into_iter().collect::<Option<_>>()?,
        businesses: types.into_iter().collect::<Option<_>>()?,
        warning_days: warning_days?,
    })
}

fn class(mut section: Section<'_>) -> Option<Class> {
    let id = section.parsed("id", ID);
    let name = section.label("name");
    let specialties: Vec<Specialty> = section.list("specialties", "a line of 1 to 40 characters");
    let types: Vec<TypeId> = section.list("types", ID);
    let qualification =
        section.maybe("qualification", "a certificate type of small letters, digits and hyphens");
    let certificate = section.section("certificate").and_then(certificate);
    section.finish();
    Some(Class { id: id?, name: name?, specialties, types, qualification, certificate: certificate? })
}

fn certificate(mut section: Section<'_>) -> Option<CertificateRule> {
    let kind = section.parsed("kind", "a certificate type of small letters, digits and hyphens");
    let title = section.line("title");
    let level = section.maybe("level", "a line of 1 to 20 characters");
    let issuer = section.line("issuer");
    let uscc = section.parsed("uscc", "a credit code (GB 32100)");
    let years = section.number("years");
    section.finish();
    Some(CertificateRule {
        kind: kind?,
        title: title?,
        level,
        issuer: Issuer { name: issuer?, uscc: uscc? },
        years: years?,
    })
}

fn chain(mut section: Section<'_>, faults: &Faults) -> Option<Chain> {
    let place = section.at("");
    let stages: Vec<_> = section.sections("stages").into_iter().map(stage).collect();
    let approved = section.line("approved").map(|zh| Label { zh, en: None });
    let rejected = section.line("rejected").map(|zh| Label { zh, en: None });
    section.finish();
    let chain = Chain {
        stages: stages.into_iter().collect::<Option<_>>()?,
        approved: approved?,
        rejected: rejected?,
    };
    soundness::chain(&chain, &place, faults);
    Some(chain)
}

fn stage(mut section: Section<'_>) -> Option<Stage> {
    let id = section.parsed("id", ID);
    let name = section.label("name");
    let seat = section.parsed("actor", "one of person, unit, province, association, ministry, department");
    let acts = rules::acts(&mut section);
    let days = section.maybe_number("days");
    let withdrawal = match section.maybe::<String>("withdrawal", "free, consent or none").as_deref() {
        None | Some("none") => Withdrawal::None,
        Some("free") => Withdrawal::Free,
        Some("consent") => Withdrawal::Consent,
        Some(other) => {
            section.wrong("withdrawal", format!("`{other}` is not free, consent or none"));
            Withdrawal::None
        }
    };
    section.finish();
    Some(Stage { id: id?, name: name?, seat: seat?, acts, days, withdrawal })
}

fn field(id: &str, mut section: Section<'_>) -> Option<FormField> {
    let label = section.label("label");
    let choices = section.list("choices", "a line of 1 to 40 characters");
    let kind = section.parsed::<String>("kind", "a kind of field");
    let kind = match kind.as_deref() {
        Some("text") => Some(FieldKind::Text),
        Some("date") => Some(FieldKind::Date),
        Some("choice") => Some(FieldKind::Choice(choices.clone())),
        Some("uscc") => Some(FieldKind::Uscc),
        Some("bool") => Some(FieldKind::Bool),
        Some(other) => {
            section.wrong("kind", format!("`{other}` is not text, date, choice, uscc or bool"));
            None
        }
        None => None,
    };
    let is_choice = matches!(kind, Some(FieldKind::Choice(_)));
    if kind.is_some() && is_choice == choices.is_empty() {
        section.wrong("choices", "a choice has some, and no other kind has any");
    }
    let name: Option<FieldName> = named(id, &section);
    section.finish();
    Some(FormField { name: name?, label: label?, kind: kind?, required: true })
}

fn attachment(id: &str, mut section: Section<'_>, faults: &Faults) -> Option<AttachmentRule> {
    let place = section.at("");
    let label = section.label("label");
    let min_bytes = section.maybe_number("min_bytes").unwrap_or(0);
    let max_bytes = section.number("max_bytes");
    let media: Vec<Media> = section.list("media", "image/jpeg, image/png or application/pdf");
    let kind: Option<AttachmentKind> = named(id, &section);
    section.finish();
    let rule = AttachmentRule {
        kind: kind?,
        label: label?,
        required: true,
        min_bytes,
        max_bytes: max_bytes?,
        media,
    };
    soundness::attachment(&rule, &place, faults);
    Some(rule)
}

fn letter(mut section: Section<'_>) -> Option<LetterText> {
    let version = section.number("version");
    let seconds = section.number("seconds");
    let blanks = "a clause of at most 500 characters with {name}, {id_number}, {employer}, {specialty}, {type} or {class}";
    let clauses: Vec<Clause> = section.list("clauses", blanks);
    if clauses.is_empty() {
        section.wrong("clauses", "at least one is wanted");
    }
    section.finish();
    Some(LetterText { version: version?, seconds: seconds?, clauses })
}

fn business(mut section: Section<'_>, shelves: &Shelves, faults: &Faults) -> Option<Business> {
    let place = section.at("");
    let id = section.parsed("id", ID);
    let name = section.label("name");
    let classes: Vec<ClassId> = section.list("classes", ID);
    let chain = section.parsed::<String>("chain", "the name of a chain");
    let chain = chain.and_then(|chain| shelves.chains.find(&chain, &section, "chain"));
    let form = section.texts("form");
    let form = chosen(
        &form,
        |id| shelves.fields.find(id, &section, "form"),
        |field, required| {
            field.required = required;
        },
    );
    let attachments = section.texts("attachments");
    let attachments = chosen(
        &attachments,
        |id| shelves.attachments.find(id, &section, "attachments"),
        |rule, required| {
            rule.required = required;
        },
    );
    let letter = section.maybe::<String>("letter", "the name of a letter");
    let letter = letter.map(|letter| shelves.letters.find(&letter, &section, "letter"));
    let sms_code = section.flag("sms_code");
    let own = rules::conditions(&mut section);
    let conditions = shelves.conditions.iter().cloned().chain(own).collect();
    let effect = rules::consequence(&mut section);
    let offline = section.maybe_section("offline").map(offline);
    section.finish();
    let business = Business {
        id: id?,
        name: name?,
        classes,
        chain: chain?,
        form,
        attachments,
        letter: letter.transpose_ok()?,
        sms_code,
        conditions,
        effect: effect?,
        offline: offline.transpose_ok()?,
    };
    soundness::business(&business, &place, faults);
    Some(business)
}

fn offline(mut section: Section<'_>) -> Option<Offline> {
    let seat = section.parsed("actor", "one of province, association, ministry, department");
    let to = section.parsed("to", ID);
    let attachments = section.list("attachments", ID);
    section.finish();
    Some(Offline { seat: seat?, to: to?, attachments })
}

/// The parts that a list names; `?` after a name makes one optional.
fn chosen<T>(names: &[String], find: impl Fn(&str) -> Option<T>, mark: impl Fn(&mut T, bool)) -> Vec<T> {
    let one = |name: &String| {
        let (id, required) = name.strip_suffix('?').map_or((name.as_str(), true), |id| (id, false));
        let mut part = find(id)?;
        mark(&mut part, required);
        Some(part)
    };
    names.iter().filter_map(one).collect()
}

fn named<T: std::str::FromStr>(id: &str, section: &Section<'_>) -> Option<T> {
    let name = id.parse().ok();
    if name.is_none() {
        section.wrong("", format!("`{id}` is not {ID}"));
    }
    name
}

trait TransposeOk<T> {
    /// What is not there is well; what is there and wrong is not.
    fn transpose_ok(self) -> Option<Option<T>>;
}

impl<T> TransposeOk<T> for Option<Option<T>> {
    fn transpose_ok(self) -> Option<Option<T>> {
        match self {
            None => Some(None),
            Some(None) => None,
            Some(Some(value)) => Some(Some(value)),
        }
    }
}

/// Reads a value that is a word, or a table of one word with what belongs to it.
pub(super) fn worded(value: Value) -> Option<(String, Option<Value>)> {
    match value {
        Value::String(word) => Some((word, None)),
        Value::Table(table) if table.len() == 1 => {
            table.into_iter().next().map(|(word, with)| (word, Some(with)))
        }
        _ => None,
    }
}
