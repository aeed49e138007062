//! An S3-compatible server for tests, which `tests/setup` installs: it checks signatures, and ends with the test process.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Who may ask.
pub(crate) const KEY: &str = "vermilion";
/// The secret of it.
pub(crate) const SECRET: &str = "a secret of the tests";

/// A server of our own.
pub(crate) struct Server {
    folder: PathBuf,
    port: u16,
    /// Stops the server and removes its folder when its standard input, which this process holds, is closed.
    _watchdog: Child,
}

fn program() -> PathBuf {
    let target = std::env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| "target".to_owned());
    let program = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(target).join("tests-venv/bin/nanio");
    assert!(program.exists(), "no S3 server at {program:?}: run tests/setup");
    program
}

impl Server {
    pub(crate) fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("vermilion-s3").tempdir().unwrap().keep();
        fs::create_dir(folder.join("data")).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let script = "\"$0\" serve --host 127.0.0.1 --port \"$1\" --data-dir \"$2/data\" --no-access-log \
                      >\"$2/log\" 2>&1 & pid=$!; cat; kill $pid; wait $pid; rm -rf \"$2\"";
        let watchdog = Command::new("/bin/sh")
            .args(["-c", script])
            .arg(program())
            .arg(port.to_string())
            .arg(&folder)
            .env("NANIO_ACCESS_KEY", KEY)
            .env("NANIO_SECRET_KEY", SECRET)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(begun.elapsed().as_secs() < 60, "the S3 server does not start: see {folder:?}/log");
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { folder, port, _watchdog: watchdog }
    }

    /// Its address.
    pub(crate) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Makes a bucket, which is a folder there.
    pub(crate) fn create(&self, bucket: &str) {
        fs::create_dir_all(self.folder.join("data").join(bucket)).unwrap();
    }
}
