//! A service in a process of its own, to be killed.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::json;

use super::world::{Door, post};

/// A running service.
pub(crate) struct Node {
    child: Child,
    pub(crate) door: Door,
}

/// The command that serves, on a free port; where its store lies is the caller's to add.
pub(crate) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vermilion"));
    let ours = std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("VERMILION_"));
    for (name, _) in ours {
        command.env_remove(name);
    }
    command.args(["serve", "--listen", "127.0.0.1:0"]).env("RUST_LOG", "error");
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

impl Node {
    /// One API key serves every life: it was acknowledged too, and idempotency keys belong to their caller.
    pub(crate) fn start(mut command: Command, key: &mut Option<String>) -> Self {
        let mut child = command.spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut heard = String::new();
        let url = loop {
            let mut line = String::new();
            assert!(stderr.read_line(&mut line).unwrap() > 0, "the service did not start:\n{heard}");
            heard.push_str(&line);
            if let Some(url) = line.trim().strip_prefix("listening on ") {
                break url.to_owned();
            }
        };
        std::thread::spawn(move || std::io::copy(&mut stderr, &mut std::io::sink()));
        let key = key.get_or_insert_with(|| {
            let made = post(&format!("{url}/dev/keys"), "", None, &json!({ "scopes": ["*"], "issuer": "*" }));
            format!("Bearer {}", made.unwrap().1["key"].as_str().unwrap())
        });
        let door = Door { url, key: key.clone() };
        Self { child, door }
    }

    /// Ends it as a power cut would.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to stop; it drains and says that all is well.
    pub(crate) fn stop(mut self) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").arg(id).status().unwrap().success());
        assert!(self.child.wait().unwrap().success(), "SIGTERM drains and exits 0");
    }
}
