//! SeaweedFS, which `tests/setup` installs: an S3-compatible server for people, that speaks TLS and knows how to put an
//! object only where none is. It ends with the test process.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Who may ask.
pub(crate) const KEY: &str = "vermilion";
/// The secret of it.
pub(crate) const SECRET: &str = "a secret of the tests";

/// What it listens on. All but the two of S3 are its own business; they are named, lest it take what others use.
const PORTS: [&str; 9] = [
    "s3.port",
    "s3.port.https",
    "s3.port.grpc",
    "master.port",
    "master.port.grpc",
    "volume.port",
    "volume.port.grpc",
    "filer.port",
    "filer.port.grpc",
];

/// A server of our own.
pub(crate) struct Server {
    http: u16,
    https: u16,
    /// Kills the server and removes what it left when its standard input, which this process holds, is closed.
    _watchdog: Child,
}

fn program() -> PathBuf {
    let target = std::env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| "target".to_owned());
    let program = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(target).join("tests-venv/bin/weed");
    assert!(program.exists(), "no SeaweedFS at {program:?}: run tests/setup");
    program
}

fn is_up(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}

impl Server {
    /// Starts a server that speaks HTTP.
    pub(crate) fn start() -> Self {
        Self::start_with(None)
    }

    /// Starts a server that speaks HTTPS too; it shows a certificate of this key, both in PEM.
    pub(crate) fn start_tls(certificate: &str, key: &str) -> Self {
        Self::start_with(Some((certificate, key)))
    }

    fn start_with(identity: Option<(&str, &str)>) -> Self {
        let folder = tempfile::Builder::new().prefix("vermilion-seaweed").tempdir().unwrap().keep();
        let within = |name: &str| folder.join(name).to_str().unwrap().to_owned();
        let people = format!(
            r#"{{"identities": [{{"name": "{KEY}", "actions": ["Admin"],
               "credentials": [{{"accessKey": "{KEY}", "secretKey": "{SECRET}"}}]}}]}}"#
        );
        fs::create_dir(folder.join("data")).unwrap();
        fs::write(folder.join("s3.json"), people).unwrap();
        // Held until all are chosen, so that no two are the same.
        let held = PORTS.map(|_| TcpListener::bind("127.0.0.1:0").unwrap());
        let ports = held.each_ref().map(|listener| listener.local_addr().unwrap().port());
        drop(held);

        let mut args = vec![format!("-logdir={}", folder.display()), "server".to_owned()];
        args.extend(PORTS.iter().zip(ports).map(|(name, port)| format!("-{name}={port}")));
        args.extend([format!("-dir={}", within("data")), format!("-s3.config={}", within("s3.json"))]);
        let fixed = "-s3 -ip=127.0.0.1 -ip.bind=127.0.0.1 -s3.port.iceberg=0 -s3.port.lance=0 -volume.max=0 \
                     -master.volumeSizeLimitMB=64 -master.telemetry=false -s3.autoCreateBucket";
        args.extend(fixed.split(' ').map(str::to_owned));
        if let Some((certificate, key)) = identity {
            fs::write(folder.join("server.crt"), certificate).unwrap();
            fs::write(folder.join("server.key"), key).unwrap();
            args.push(format!("-s3.cert.file={}", within("server.crt")));
            args.push(format!("-s3.key.file={}", within("server.key")));
        }
        // Its parts speak to each other over sockets in /tmp, which are named by port.
        let script = "folder=$1 ports=$2; shift 2; \"$0\" \"$@\" >\"$folder/log\" 2>&1 & pid=$!; cat; kill -9 $pid; \
                      wait $pid; rm -rf \"$folder\"; for port in $ports; do rm -f /tmp/seaweedfs-*-\"$port\".sock; done";
        let watchdog = Command::new("/bin/sh")
            .args(["-c", script])
            .arg(program())
            .arg(&folder)
            .arg(ports.map(|port| port.to_string()).join(" "))
            .args(&args)
            .env("HOME", &folder)
            .current_dir(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let [http, https, ..] = ports;
        let begun = Instant::now();
        while !is_up(http) || (identity.is_some() && !is_up(https)) {
            assert!(begun.elapsed().as_secs() < 60, "SeaweedFS does not start: see {folder:?}/log");
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { http, https, _watchdog: watchdog }
    }

    /// Its address.
    pub(crate) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.http)
    }

    /// Its address by TLS, with the host by which it is called there.
    pub(crate) fn endpoint_tls(&self, host: &str) -> String {
        format!("https://{host}:{}", self.https)
    }
}
