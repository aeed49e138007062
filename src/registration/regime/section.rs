//! Takes a regime's file apart, part by part, and gathers everything that is wrong with it.

use std::cell::RefCell;
use std::fmt;
use std::str::FromStr;

use toml::{Table, Value};

use crate::domain::certificate::Line;
use crate::registration::regime::Label;

/// One thing that is wrong with a regime.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// Where, as `chains.review.stages.unit`.
    pub place: String,
    /// What, and what is wanted.
    pub what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.place.is_empty() {
            f.write_str(&self.what)
        } else {
            write!(f, "{}: {}", self.place, self.what)
        }
    }
}

/// Everything that is wrong, in the order in which it was found.
#[derive(Default)]
pub(super) struct Faults(RefCell<Vec<Fault>>);

impl Faults {
    /// Notes that something is wrong.
    pub(super) fn add(&self, place: impl Into<String>, what: impl Into<String>) {
        self.0.borrow_mut().push(Fault { place: place.into(), what: what.into() });
    }

    /// What was noted.
    pub(super) fn into_vec(self) -> Vec<Fault> {
        self.0.into_inner()
    }
}

/// A table being read, and the path that leads to it.
pub(super) struct Section<'f> {
    place: String,
    table: Table,
    faults: &'f Faults,
}

impl<'f> Section<'f> {
    pub(super) fn new(place: impl Into<String>, table: Table, faults: &'f Faults) -> Self {
        Self { place: place.into(), table, faults }
    }

    /// The path of something in it; its own for an empty name.
    pub(super) fn at(&self, name: &str) -> String {
        match (self.place.is_empty(), name.is_empty()) {
            (true, _) => name.to_owned(),
            (false, true) => self.place.clone(),
            (false, false) => format!("{}.{name}", self.place),
        }
    }

    /// Notes that something in it is wrong.
    pub(super) fn wrong(&self, name: &str, what: impl Into<String>) {
        self.faults.add(self.at(name), what);
    }

    /// Takes whatever is there.
    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        self.table.remove(name)
    }

    fn missing(&self, name: &str) {
        self.wrong(name, "missing");
    }

    /// A text to parse, where there is one; `wanted` says what it should be.
    pub(super) fn maybe<T: FromStr>(&mut self, name: &str, wanted: &str) -> Option<T> {
        match self.take(name)? {
            Value::String(text) => {
                let parsed = text.parse().ok();
                if parsed.is_none() {
                    self.wrong(name, format!("`{text}` is not {wanted}"));
                }
                parsed
            }
            other => {
                self.wrong(name, format!("{wanted} is wanted, as a text, not {}", other.type_str()));
                None
            }
        }
    }

    /// A text to parse that has to be there.
    pub(super) fn parsed<T: FromStr>(&mut self, name: &str, wanted: &str) -> Option<T> {
        if !self.table.contains_key(name) {
            self.missing(name);
        }
        self.maybe(name, wanted)
    }

    /// A line of text that has to be there.
    pub(super) fn line<const MAX: usize>(&mut self, name: &str) -> Option<Line<MAX>> {
        self.parsed(name, &format!("a line of 1 to {MAX} characters"))
    }

    /// What people read: `name`, and in English `en`.
    pub(super) fn label(&mut self, name: &str) -> Option<Label> {
        let en = self.maybe("en", "a line of 1 to 60 characters");
        Some(Label { zh: self.line(name)?, en })
    }

    /// A whole number, where there is one.
    pub(super) fn maybe_number<T: TryFrom<i64>>(&mut self, name: &str) -> Option<T> {
        match self.take(name)? {
            Value::Integer(number) => {
                let fits = T::try_from(number).ok();
                if fits.is_none() {
                    self.wrong(name, format!("{number} is out of range"));
                }
                fits
            }
            other => {
                self.wrong(name, format!("a whole number is wanted, not {}", other.type_str()));
                None
            }
        }
    }

    /// A whole number that has to be there.
    pub(super) fn number<T: TryFrom<i64>>(&mut self, name: &str) -> Option<T> {
        if !self.table.contains_key(name) {
            self.missing(name);
        }
        self.maybe_number(name)
    }

    /// Yes or no; no where nothing is said.
    pub(super) fn flag(&mut self, name: &str) -> bool {
        match self.take(name) {
            None => false,
            Some(Value::Boolean(flag)) => flag,
            Some(other) => {
                self.wrong(name, format!("true or false is wanted, not {}", other.type_str()));
                false
            }
        }
    }

    /// A list of texts, empty where there is none; each with its path.
    pub(super) fn texts(&mut self, name: &str) -> Vec<String> {
        let items = match self.take(name) {
            None => return Vec::new(),
            Some(Value::Array(items)) => items,
            Some(other) => {
                self.wrong(name, format!("a list of texts is wanted, not {}", other.type_str()));
                return Vec::new();
            }
        };
        let text = |item| match item {
            Value::String(text) => Some(text),
            other => {
                self.wrong(name, format!("a list of texts is wanted; one of it is {}", other.type_str()));
                None
            }
        };
        items.into_iter().filter_map(text).collect()
    }

    /// A list of texts to parse.
    pub(super) fn list<T: FromStr>(&mut self, name: &str, wanted: &str) -> Vec<T> {
        let texts = self.texts(name);
        let parse = |text: String| {
            let parsed = text.parse().ok();
            if parsed.is_none() {
                self.wrong(name, format!("`{text}` is not {wanted}"));
            }
            parsed
        };
        texts.into_iter().filter_map(parse).collect()
    }

    /// A table in it, where there is one.
    pub(super) fn maybe_section(&mut self, name: &str) -> Option<Section<'f>> {
        match self.take(name)? {
            Value::Table(table) => Some(Section::new(self.at(name), table, self.faults)),
            other => {
                self.wrong(name, format!("a table is wanted, not {}", other.type_str()));
                None
            }
        }
    }

    /// A table in it that has to be there.
    pub(super) fn section(&mut self, name: &str) -> Option<Section<'f>> {
        if !self.table.contains_key(name) {
            self.missing(name);
        }
        self.maybe_section(name)
    }

    /// A list of tables, empty where there is none; each is placed by its `id`, or else by its number.
    pub(super) fn sections(&mut self, name: &str) -> Vec<Section<'f>> {
        let items = match self.take(name) {
            None => return Vec::new(),
            Some(Value::Array(items)) => items,
            Some(other) => {
                self.wrong(name, format!("a list of tables is wanted, not {}", other.type_str()));
                return Vec::new();
            }
        };
        let one = |(at, item): (usize, Value)| match item {
            Value::Table(table) => {
                let id = table
                    .get("id")
                    .and_then(Value::as_str)
                    .map_or_else(|| (at + 1).to_string(), str::to_owned);
                Some(Section::new(format!("{}.{id}", self.at(name)), table, self.faults))
            }
            other => {
                self.wrong(name, format!("a list of tables is wanted; one of it is {}", other.type_str()));
                None
            }
        };
        items.into_iter().enumerate().filter_map(one).collect()
    }

    /// Everything that is left, by its name: tables of the same kind.
    pub(super) fn named_sections(mut self) -> Vec<(String, Section<'f>)> {
        let names: Vec<String> = self.table.keys().cloned().collect();
        names.into_iter().filter_map(|name| Some((name.clone(), self.maybe_section(&name)?))).collect()
    }

    /// Everything that is left, by its name.
    pub(super) fn entries(self) -> Table {
        self.table
    }

    /// Whatever nobody took is a mistyped name.
    pub(super) fn finish(self) {
        for name in self.table.keys() {
            self.wrong(name, "there is no such setting");
        }
    }
}
