//! `vermilion verify`: judges a PDF offline, by its own seal and the roots that are trusted.

use std::path::PathBuf;
use std::process::ExitCode;

use chrono::SecondsFormat;
use serde_json::json;

use crate::app;
use crate::app::Failure;
use crate::cli::output::{note, say};
use crate::domain::language::Language;
use crate::seal::check::{self, Finding, Trust};
use crate::seal::key::development;

/// The largest file that is judged.
const LARGEST: u64 = 10 * 1024 * 1024;

#[derive(Debug, clap::Args)]
pub(super) struct Verify {
    /// The file.
    file: PathBuf,
    /// Roots to trust, in PEM; the development root where none is given.
    #[arg(long, value_name = "PEM")]
    trust: Option<PathBuf>,
    /// One JSON object on stdout.
    #[arg(long)]
    json: bool,
}

impl Verify {
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let trust = match &self.trust {
            Some(file) => Trust::from_pem(&std::fs::read_to_string(file)?)?,
            None => {
                note("no --trust given: judged by the worthless development root");
                Trust::from_pem(development::ROOT_PEM)?
            }
        };
        let size =
            std::fs::metadata(&self.file).map_err(|error| format!("{}: {error}", self.file.display()))?.len();
        if size > LARGEST {
            return Err(
                format!("{} has {size} bytes; at most {LARGEST} are judged", self.file.display()).into()
            );
        }
        let bytes = std::fs::read(&self.file)?;
        let report = check::check(&bytes, &trust, app::system_now());
        if self.json {
            let reasons: Vec<_> = report
                .reasons
                .iter()
                .map(|reason| {
                    json!({
                        "code": reason.code(),
                        "message_zh": reason.message(Language::Chinese),
                        "message_en": reason.message(Language::English),
                    })
                })
                .collect();
            let signature = report.signature.as_ref().map(|facts| {
                json!({
                    "signer": facts.signer, "issuer": facts.issuer, "serial": facts.serial,
                    "signed_at": facts.signed_at.map(|at| at.to_rfc3339_opts(SecondsFormat::Secs, true)),
                    "algorithm": facts.algorithm, "covers_whole_file": facts.covers_whole_file,
                })
            });
            let answer = json!({
                "finding": report.finding.word(), "document_sha256": report.digest.to_string(),
                "reasons": reasons, "signature": signature,
            });
            say(&answer.to_string());
        } else {
            say(&format!("{}  {}", report.finding.word(), self.file.display()));
            for reason in &report.reasons {
                say(&format!(
                    "  {}: {} / {}",
                    reason.code(),
                    reason.message(Language::Chinese),
                    reason.message(Language::English)
                ));
            }
            if report.finding == Finding::Sound {
                say(
                    "The seal is sound. Whether the copy is still in force only its issuer's register knows: scan its QR code.",
                );
            }
        }
        Ok(ExitCode::from(match report.finding {
            Finding::Sound => 0,
            Finding::Tampered | Finding::NotOurs | Finding::Unsigned => 1,
            Finding::Unreadable => 2,
        }))
    }
}
