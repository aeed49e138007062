//! `vermilion migrate`: the store moves to another home while it is served, and switches with a short pause.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use indicatif::{ProgressBar, ProgressStyle};

use crate::app::migration::{self, Progress};
use crate::app::{self, Failure};
use crate::cli::output::say;
use crate::config::{Overrides, Settings};

/// Variables that say where a store lies: each of the two files says that itself.
const PLACES: [&str; 3] = ["VERMILION_DATA", "VERMILION_POSTGRES__", "VERMILION_DOCUMENTS__"];

#[derive(Debug, clap::Args)]
pub(super) struct Migrate {
    /// Settings of the home where the store is.
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    /// Settings of the home where it is to be: an empty folder, or an empty database and an empty place for documents.
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
    /// Ends the move: the service must be stopped. Copies the rest, verifies what was not verified while it ran, and gives
    /// the old home up.
    #[arg(long)]
    switch: bool,
}

impl Migrate {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let (from, to) = (settings(&self.from)?, settings(&self.to)?);
        let bar = bar()?;
        let shown = bar.clone();
        let watch = move |progress: Progress| {
            shown.set_message(progress.doing);
            shown.set_length(progress.of);
            shown.set_position(progress.done);
        };
        let lines = app::block_on(async move { migration::migrate(&from, &to, self.switch, watch).await });
        bar.finish_and_clear();
        for line in lines? {
            say(&line);
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn settings(file: &Path) -> Result<Settings, Failure> {
    let places = |name: &str| PLACES.iter().any(|place| name.starts_with(place));
    let environment = std::env::vars().filter(|(name, _)| !places(name));
    let read = Settings::read(Some(file), environment, &Overrides::default());
    Ok(read.map_err(|mistakes| format!("{}: {mistakes}", file.display()))?)
}

fn bar() -> Result<ProgressBar, Failure> {
    if !std::io::stderr().is_terminal() {
        return Ok(ProgressBar::hidden());
    }
    let style = ProgressStyle::with_template("{msg} {bar:40} {human_pos}/{human_len} ETA {eta}")?;
    Ok(ProgressBar::new(0).with_style(style))
}
