//! Cells of CSV files that people open in a spreadsheet.

/// The kind of the files.
pub(super) const CSV: &str = "text/csv; charset=utf-8";
/// The kind of files with a JSON object a line.
pub(super) const NDJSON: &str = "application/x-ndjson";

/// What a CSV file begins with, or Excel takes Chinese for another encoding.
pub(super) const MARK: &[u8] = b"\xEF\xBB\xBF";

/// A cell's text: what a spreadsheet would take for a formula is told to be text (OWASP, "CSV injection").
fn inert(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() }
}

/// A row with its end.
pub(super) fn row<'a>(cells: impl IntoIterator<Item = &'a str>) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new()
        .quote_style(csv::QuoteStyle::Necessary)
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    // Writing to memory cannot fail.
    let _ = writer.write_record(cells.into_iter().map(inert));
    writer.into_inner().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_text_whatever_it_begins_with() {
        let printed = row(["=HYPERLINK(\"x\")", "+1", "-1", "@a", "a,b", "甲"]);
        let printed = String::from_utf8_lossy(&printed).into_owned();
        assert_eq!(printed, "\"'=HYPERLINK(\"\"x\"\")\",'+1,'-1,'@a,\"a,b\",甲\r\n");
    }
}
