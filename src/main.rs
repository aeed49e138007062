//! Picks the command; no logic.

use std::process::ExitCode;

fn main() -> ExitCode {
    vermilion::cli::main()
}
