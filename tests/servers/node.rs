//! The service itself, in a process of its own, for programs and tests that stop it, kill it or load it.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

/// A running service.
pub(crate) struct Node {
    child: Child,
    /// Where it answers, without a slash at the end.
    pub(crate) url: String,
    /// What the header `Authorization` says to be allowed everything.
    pub(crate) key: String,
}

/// The command that serves, on a free port; where its store lies is the caller's to add. It logs failures only.
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
            let body = json!({ "scopes": ["*"], "issuer": "*" });
            let made = ureq::post(format!("{url}/dev/keys")).send_json(body).unwrap();
            let made: Value = made.into_body().read_json().unwrap();
            format!("Bearer {}", made["key"].as_str().unwrap())
        });
        let key = key.clone();
        Self { child, url, key }
    }

    /// Its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
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

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
