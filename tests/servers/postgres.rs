//! A PostgreSQL for tests, started as an ordinary user, on loopback, with fsync on; it ends with the test process, however
//! that ends.

use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Who runs the server where the tests run as root, which PostgreSQL refuses: nobody.
const NOBODY: u32 = 65_534;

/// A server of our own.
pub(crate) struct Server {
    folder: PathBuf,
    programs: PathBuf,
    port: u16,
    /// Whether it speaks TLS, and nothing else.
    tls: bool,
    /// Stops the server and removes its folder when its standard input, which this process holds, is closed.
    watchdog: Child,
}

/// The newest PostgreSQL of this machine.
fn programs() -> PathBuf {
    let mut found: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .collect();
    found.sort();
    let newest = found.pop();
    newest
        .expect(
            "no PostgreSQL beneath /usr/lib/postgresql: install postgresql, or set VERMILION_TEST_POSTGRES",
        )
        .1
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

/// A command as an ordinary user.
fn ordinary(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(program);
    command
}

fn run(command: &mut Command) {
    let output = command.current_dir("/").output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::start_with(None)
    }

    /// Starts a server that is spoken to by TLS only; it shows a certificate of this key, both in PEM.
    pub(crate) fn start_tls(certificate: &str, key: &str) -> Self {
        Self::start_with(Some([("server.crt", certificate), ("server.key", key)]))
    }

    fn start_with(identity: Option<[(&str, &str); 2]>) -> Self {
        let programs = programs();
        let folder = tempfile::Builder::new().prefix("vermilion-postgres").tempdir().unwrap().keep();
        if is_root() {
            chown(&folder, Some(NOBODY), Some(NOBODY)).unwrap();
        }
        let data = folder.join("data");
        run(ordinary(&programs.join("initdb"))
            .args(["--auth=trust", "--username=vermilion", "--encoding=UTF8", "--locale=C", "--no-sync"])
            .arg("--pgdata")
            .arg(&data));
        let rule = "hostssl all all 127.0.0.1/32 trust\n";
        for (name, text) in identity.into_iter().flatten().chain(identity.map(|_| ("pg_hba.conf", rule))) {
            let file = data.join(name);
            fs::write(&file, text).unwrap();
            fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
            if is_root() {
                chown(&file, Some(NOBODY), Some(NOBODY)).unwrap();
            }
        }
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let watchdog = ordinary(Path::new("/bin/sh"))
            .args(["-c", "cat; \"$1/pg_ctl\" -D \"$2/data\" -m immediate stop; rm -rf \"$2\"", "watchdog"])
            .arg(&programs)
            .arg(&folder)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self { folder, programs, port, tls: identity.is_some(), watchdog };
        server.resume();
        server
    }

    fn control(&self) -> Command {
        let mut command = ordinary(&self.programs.join("pg_ctl"));
        command.arg("--pgdata").arg(self.folder.join("data")).arg("--wait");
        // Else the server would keep the pipes open that its starter reads.
        command.stdin(Stdio::null());
        command
    }

    /// Starts the server again.
    pub(crate) fn resume(&self) {
        let settings = format!(
            "-p {} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=on -c max_connections=400 -c ssl={}",
            self.port, self.tls
        );
        let log = self.folder.join("log");
        run(self.control().arg("--log").arg(log).arg("--options").arg(settings).arg("start"));
    }

    /// Kills the server without letting it write anything down.
    pub(crate) fn kill(&self) {
        run(self.control().arg("--mode=immediate").arg("stop"));
    }

    pub(crate) fn url(&self, database: &str) -> String {
        format!("postgres://vermilion@127.0.0.1:{}/{database}", self.port)
    }

    /// Makes an empty database and gives its address.
    pub(crate) fn create(&self, database: &str) -> String {
        let mut command = Command::new(self.programs.join("createdb"));
        run(command.args(["-h", "127.0.0.1", "-U", "vermilion", "-p", &self.port.to_string(), database]));
        self.url(database)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.watchdog.stdin.take());
        let _ = self.watchdog.wait();
    }
}
