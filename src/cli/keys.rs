//! `vermilion keys`: chains and keys of the seal.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use chrono::NaiveDate;

use crate::app::Failure;
use crate::cli::output::{note, say};
use crate::seal::key::SealKey as _;
use crate::seal::key::development::{self, Chain};
use crate::seal::key::file::FileKey;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Keys {
    /// Makes a fresh root and seal certificate for trials; for production a licensed CA's certificate is needed.
    New {
        /// Where root.crt.pem, seal.crt.pem and seal.key.pem are written; must not hold them yet.
        #[arg(long, value_name = "DIR")]
        dir: PathBuf,
        /// Organisation in the certificates.
        #[arg(long, default_value = "示例机构")]
        organisation: String,
        /// First day of validity.
        #[arg(long, value_name = "YYYY-MM-DD", default_value = "2020-01-01")]
        from: NaiveDate,
        /// Day on whose beginning (UTC) they end.
        #[arg(long, value_name = "YYYY-MM-DD", default_value = "2050-01-01")]
        until: NaiveDate,
    },
    /// Checks a key and its chain, and says who they are.
    Show {
        /// PKCS#8 key in PEM.
        #[arg(long, value_name = "PEM")]
        key: PathBuf,
        /// Seal certificate and its issuers in PEM.
        #[arg(long, value_name = "PEM")]
        chain: PathBuf,
    },
}

impl Keys {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        match self {
            Self::New { dir, organisation, from, until } => {
                let made = development::generate(&organisation, from, until)?;
                write_chain(&dir, &made)
            }
            Self::Show { key, chain } => show(&key, &chain),
        }
    }
}

fn write_chain(dir: &Path, made: &Chain) -> Result<ExitCode, Failure> {
    std::fs::create_dir_all(dir)?;
    let files =
        [("root.crt.pem", &made.root_pem), ("seal.crt.pem", &made.seal_pem), ("seal.key.pem", &made.key_pem)];
    if let Some((taken, _)) = files.iter().find(|(name, _)| dir.join(name).exists()) {
        return Err(
            format!("{} exists already; keys are never overwritten", dir.join(taken).display()).into()
        );
    }
    for (name, text) in files {
        write_private(&dir.join(name), text)?;
        say(&dir.join(name).display().to_string());
    }
    note("The root's key was thrown away: nothing else can be issued under it.");
    Ok(ExitCode::SUCCESS)
}

/// Readable by its owner alone from the first moment.
fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn show(key: &Path, chain: &Path) -> Result<ExitCode, Failure> {
    let chain_pem = std::fs::read_to_string(chain)?;
    let key = FileKey::load(&std::fs::read_to_string(key)?, &chain_pem)?;
    say(&format!(
        "{key:?}: {:?}, {} certificates; the first speaks for the key",
        key.scheme(),
        key.chain().len()
    ));
    Ok(ExitCode::SUCCESS)
}
