//! What the command line says: results on stdout, everything else on stderr.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the one place that speaks to the terminal")]

use std::error::Error;

/// A result.
pub(super) fn say(line: &str) {
    println!("{line}");
}

/// A remark for the person at the terminal.
pub(super) fn note(line: &str) {
    eprintln!("{line}");
}

/// A failure with its causes, one a line.
pub(super) fn complain(failure: &(dyn Error + 'static)) {
    eprintln!("error: {failure}");
    let mut next = failure.source();
    while let Some(cause) = next {
        eprintln!("  because: {cause}");
        next = cause.source();
    }
}
