//! The command line as a person types it.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// What a command did.
#[derive(Debug)]
pub(crate) struct Ran {
    /// Its exit code.
    pub(crate) code: i32,
    /// What it printed.
    pub(crate) stdout: String,
    /// What it complained of.
    pub(crate) stderr: String,
}

impl Ran {
    /// What it printed, as JSON.
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.code, 0, "{self:?}");
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Everything that a person sees.
    pub(crate) fn said(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }
}

/// The binary with these arguments, in the development profile and nothing else of the environment.
pub(crate) fn vermilion(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vermilion"));
    let ours = std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("VERMILION_"));
    for (name, _) in ours {
        command.env_remove(name);
    }
    command.env("VERMILION_PROFILE", "development").env("LANG", "C.UTF-8").args(args).stdin(Stdio::null());
    command
}

/// Runs the binary beside a store, to its end.
pub(crate) fn beside(data: &Path, args: &[&str]) -> Ran {
    let mut command = vermilion(args);
    ran(command.arg("--data").arg(data).envs(crate::home::settings(data)).output().unwrap())
}

/// Runs the binary to its end.
pub(crate) fn run(args: &[&str]) -> Ran {
    ran(vermilion(args).output().unwrap())
}

/// Runs a command to its end.
pub(crate) fn ran(output: Output) -> Ran {
    Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}
