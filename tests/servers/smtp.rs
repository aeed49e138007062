//! A mail server for tests, which `tests/setup` installs: it speaks TLS, wants a password, and reads what it is sent with
//! a parser that is not ours. It ends with the test process.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::servers::authority::Authority;

/// Who may send.
pub(crate) const USER: &str = "vermilion";
/// The password of it.
pub(crate) const PASSWORD: &str = "a password of the tests";

/// A server of our own.
pub(crate) struct Server {
    folder: TempDir,
    port: u16,
    mails: Receiver<Value>,
    process: Child,
}

fn program() -> PathBuf {
    let target = std::env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| "target".to_owned());
    let program = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(target).join("tests-venv/bin/python");
    assert!(program.exists(), "no Python at {program:?}: run tests/setup");
    program
}

impl Server {
    /// Starts one that speaks TLS `implicit` or after `starttls`, as `localhost`.
    pub(crate) fn start(mode: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let authority = Authority::new("an authority of one's own");
        let identity = authority.certify("localhost");
        let file = |name: &str, text: &str| {
            let file = folder.path().join(name);
            std::fs::write(&file, text).unwrap();
            file
        };
        file("authority.pem", &authority.pem());
        let (certificate, key) =
            (file("certificate.pem", &identity.certificate), file("key.pem", &identity.key));
        let mut process = Command::new(program())
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/servers/smtp.py"))
            .args([certificate, key])
            .args([USER, PASSWORD, mode])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // It complains at length of every client that hangs up.
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (sender, mails) = channel();
        let said = BufReader::new(process.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in said.lines().map_while(Result::ok) {
                let it: Value = serde_json::from_str(&line).unwrap();
                // The test may be over.
                let _ = sender.send(it);
            }
        });
        let first = mails
            .recv_timeout(Duration::from_secs(60))
            .expect("the mail server does not start: run tests/setup");
        let port = u16::try_from(first["port"].as_u64().unwrap()).unwrap();
        Self { folder, port, mails, process }
    }

    /// Where it answers.
    pub(crate) fn port(&self) -> String {
        self.port.to_string()
    }

    /// The certificate of who vouches for it.
    pub(crate) fn authority(&self) -> String {
        self.folder.path().join("authority.pem").to_str().unwrap().to_owned()
    }

    /// The next mail that it took.
    pub(crate) fn mail(&self) -> Value {
        self.mails.recv_timeout(Duration::from_secs(60)).expect("no mail came")
    }

    /// Whether no mail waits to be read.
    pub(crate) fn is_empty(&self) -> bool {
        self.mails.try_recv().is_err()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
