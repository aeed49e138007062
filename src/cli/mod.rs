//! The command line.

mod admin;
mod demo;
mod import;
mod keys;
mod maintenance;
mod migrate;
mod output;
mod regimes;
mod verify;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::app::{self, Failure};
use crate::cli::output::complain;
use crate::config::{Overrides, Role, Settings};

/// Annotates, seals and verifies electronic professional certificates (朱批).
#[derive(Debug, Parser)]
#[command(name = "vermilion", version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

/// Where the settings come from, for commands that open the store.
#[derive(Debug, Clone, clap::Args)]
struct Place {
    /// Settings file (TOML); VERMILION_* variables override it.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Folder of the embedded store.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

impl Place {
    fn settings(&self, listen: Option<SocketAddr>) -> Result<Settings, Failure> {
        let overrides = Overrides { listen, data: self.data.clone() };
        Ok(Settings::read(self.config.as_deref(), std::env::vars(), &overrides)?)
    }
}

/// A running service, for commands that work through it.
#[derive(Debug, Clone, clap::Args)]
struct Server {
    /// Address of a running service, as https://verify.example.org.
    #[arg(long, value_name = "URL", requires = "key")]
    server: Option<String>,
    /// API key for it.
    #[arg(long, env = crate::config::API_KEY, value_name = "KEY", hide_env_values = true)]
    key: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the main job on sample certificates, then serves.
    Demo(demo::Demo),
    /// Runs the service; SIGTERM drains and exits 0.
    Serve {
        #[command(flatten)]
        place: Place,
        /// What this node does.
        #[arg(long, value_enum, default_value_t = Role::All)]
        role: Role,
        /// Address and port to answer on; port 0 takes a free one.
        #[arg(long, value_name = "ADDR")]
        listen: Option<SocketAddr>,
    },
    /// Loads certificates from NDJSON or CSV; exit 1 if any record was refused.
    Import(import::Import),
    /// Judges a PDF offline: exit 0 genuine, 1 not, 2 cannot be judged.
    Verify(verify::Verify),
    /// Keys and chains of the seal.
    #[command(subcommand)]
    Keys(keys::Keys),
    /// API keys.
    #[command(subcommand)]
    Admin(admin::Admin),
    /// Checks settings and store: every entry, chain value and document.
    Check(maintenance::Check),
    /// Copies the store to a folder, while the service runs or not.
    Backup(maintenance::Backup),
    /// Restores a backup into an empty folder.
    Restore(maintenance::Restore),
    /// Moves the store to another home, a folder or PostgreSQL, while the service runs; --switch ends it.
    Migrate(migrate::Migrate),
    /// Writes the evidence bundle of a copy.
    Evidence(admin::Evidence),
    /// Regimes of registration: judges files, shows what there is.
    #[command(subcommand)]
    Regimes(regimes::Regimes),
}

/// Reads the arguments, runs the command, and turns its outcome into an exit code: 0, 1 for "no", 2 for "cannot".
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    let outcome = match arguments.command {
        Command::Demo(demo) => demo.run(),
        Command::Serve { place, role, listen } => serve(&place, role, listen),
        Command::Import(import) => import.run(),
        Command::Verify(verify) => verify.run(),
        Command::Keys(keys) => keys.run(),
        Command::Admin(admin) => admin.run(),
        Command::Check(check) => check.run(),
        Command::Backup(backup) => backup.run(),
        Command::Restore(restore) => restore.run(),
        Command::Migrate(migrate) => migrate.run(),
        Command::Evidence(evidence) => evidence.run(),
        Command::Regimes(regimes) => regimes.run(),
    };
    outcome.unwrap_or_else(|failure| {
        complain(&*failure);
        ExitCode::from(2)
    })
}

fn serve(place: &Place, role: Role, listen: Option<SocketAddr>) -> Result<ExitCode, Failure> {
    let settings = place.settings(listen)?;
    app::log();
    app::block_on(async move {
        let service = app::Service::start(settings, role).await?;
        output::note(&format!("listening on http://{}", service.address()));
        service.run_until_signalled().await?;
        Ok(ExitCode::SUCCESS)
    })
}
