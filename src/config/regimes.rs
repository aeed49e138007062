//! Regimes of registration: the bundled ones, and those of files.

use crate::registration::regime::book::Book;

/// The bundled regimes, and those of these files; every reason against a file is named.
pub(super) fn read(files: &[String], mistakes: &mut Vec<String>) -> Option<Book> {
    let mut book = match Book::bundled() {
        Ok(book) => book,
        Err(unsound) => {
            mistakes.push(format!("regimes: {unsound}"));
            return None;
        }
    };
    for file in files {
        match std::fs::read_to_string(file) {
            Ok(text) => {
                book.add(file, &text).unwrap_or_else(|unsound| mistakes.push(format!("regimes: {unsound}")))
            }
            Err(error) => mistakes.push(format!("regimes: {file} cannot be read: {error}")),
        }
    }
    Some(book)
}
