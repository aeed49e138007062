//! Takes settings out of a table one by one and gathers every mistake.

use std::str::FromStr;

use toml::{Table, Value};

/// A table being read, with the path that leads to it.
pub(super) struct Reader<'a> {
    path: String,
    table: Table,
    mistakes: &'a mut Vec<String>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(path: &str, table: Table, mistakes: &'a mut Vec<String>) -> Self {
        Self { path: path.to_owned(), table, mistakes }
    }

    /// Notes a mistake of a setting.
    pub(super) fn wrong(&mut self, name: &str, what: impl std::fmt::Display) {
        self.mistakes.push(format!("{}{name}: {what}", self.path));
    }

    /// The raw value of a setting.
    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        self.table.remove(name)
    }

    /// A text. Numbers and days count as text too, since the environment has nothing else.
    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        match self.take(name)? {
            Value::String(text) => Some(text),
            Value::Integer(number) => Some(number.to_string()),
            Value::Boolean(flag) => Some(flag.to_string()),
            Value::Datetime(day) => Some(day.to_string()),
            other => {
                self.wrong(name, format_args!("a text is wanted, not {}", other.type_str()));
                None
            }
        }
    }

    /// A text to parse; `wanted` says what it should be.
    pub(super) fn parse<T: FromStr>(&mut self, name: &str, wanted: &str) -> Option<T> {
        let text = self.text(name)?;
        let parsed = text.parse().ok();
        if parsed.is_none() {
            self.wrong(name, format_args!("`{text}` is not {wanted}"));
        }
        parsed
    }

    /// A list of texts; in the environment, separated by commas.
    pub(super) fn list(&mut self, name: &str) -> Vec<String> {
        match self.take(name) {
            None => Vec::new(),
            Some(Value::String(text)) => text.split(',').map(|item| item.trim().to_owned()).collect(),
            Some(Value::Array(items)) => items
                .into_iter()
                .filter_map(|item| match item {
                    Value::String(text) => Some(text),
                    other => {
                        self.wrong(
                            name,
                            format_args!("a list of texts is wanted, not of {}", other.type_str()),
                        );
                        None
                    }
                })
                .collect(),
            Some(other) => {
                self.wrong(name, format_args!("a list is wanted, not {}", other.type_str()));
                Vec::new()
            }
        }
    }

    /// A table within this one.
    pub(super) fn table(&mut self, name: &str) -> Table {
        match self.take(name) {
            None => Table::new(),
            Some(Value::Table(table)) => table,
            Some(other) => {
                self.wrong(name, format_args!("a section is wanted, not {}", other.type_str()));
                Table::new()
            }
        }
    }

    /// Reads a table within this one.
    pub(super) fn section<T>(&mut self, name: &str, read: impl FnOnce(&mut Reader<'_>) -> T) -> T {
        let table = self.table(name);
        let mut inner = Reader::new(&format!("{}{name}.", self.path), table, self.mistakes);
        let read_out = read(&mut inner);
        inner.finish();
        read_out
    }

    /// The names that are left.
    pub(super) fn names(&self) -> Vec<String> {
        self.table.keys().cloned().collect()
    }

    /// What is left is unknown.
    pub(super) fn finish(&mut self) {
        for name in self.names() {
            self.wrong(&name, "no such setting");
        }
    }
}
