//! `vermilion check`, `backup`, `restore`: the store's upkeep.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::app;
use crate::app::Failure;
use crate::cli::Place;
use crate::cli::output::{note, say};

#[derive(Debug, clap::Args)]
pub(super) struct Check {
    #[command(flatten)]
    place: Place,
}

impl Check {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let settings = self.place.settings(None)?;
        let findings = app::check(&settings)?;
        for line in &findings.lines {
            say(line);
        }
        Ok(ExitCode::from(u8::from(!findings.sound)))
    }
}

#[derive(Debug, clap::Args)]
pub(super) struct Backup {
    #[command(flatten)]
    place: Place,
    /// An empty folder, or one that does not exist yet.
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
}

impl Backup {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let settings = self.place.settings(None)?;
        say(&app::backup(&settings, &self.to)?);
        note("The master key is not in the backup: keep it elsewhere, or the backup cannot be read.");
        Ok(ExitCode::SUCCESS)
    }
}

#[derive(Debug, clap::Args)]
pub(super) struct Restore {
    /// Folder of a backup.
    from: PathBuf,
    #[command(flatten)]
    place: Place,
}

impl Restore {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let settings = self.place.settings(None)?;
        say(&app::restore(&settings, &self.from)?);
        Ok(ExitCode::SUCCESS)
    }
}
