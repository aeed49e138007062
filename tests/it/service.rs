//! The service as its users meet it: the real binary in a process of its own, on a folder of its own.

use std::io::{BufRead as _, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::call::{Answer, Call};

/// How long anything may take before the test gives up: generous, for busy machines.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where every clock of the tests begins: an afternoon in Shanghai.
pub(crate) const START: &str = "2026-11-21T15:00:00+08:00";

/// A running service in the development profile. On drop it is killed, and its log is searched for what may not be
/// in it.
pub(crate) struct Service {
    folder: Arc<TempDir>,
    process: Child,
    address: String,
    log: Arc<Mutex<String>>,
    /// A key that may do everything for everybody.
    key: String,
    /// Personal data and secrets that this service was given.
    planted: Mutex<Vec<String>>,
}

impl Service {
    /// Starts on a new folder, with the clock at [`START`].
    pub(crate) fn start() -> Self {
        Self::start_on(Arc::new(TempDir::new().unwrap()))
    }

    /// Starts on a folder that another service may have left, with the clock at [`START`] again.
    pub(crate) fn start_on(folder: Arc<TempDir>) -> Self {
        Self::start_as(folder, "all", Some(START))
    }

    /// Starts a node of a role (`api`, `worker`, `all`) on a folder, with the clock at a moment, or at the real time.
    pub(crate) fn start_as(folder: Arc<TempDir>, role: &str, clock: Option<&str>) -> Self {
        let mut command = Self::command(&folder.path().join("data"));
        match clock {
            Some(moment) => command.env("VERMILION_CLOCK", moment),
            None => command.env_remove("VERMILION_CLOCK"),
        };
        command.args(["--role", role]);
        Self::run(command, folder)
    }

    /// Starts a node of a role on a new folder, with settings besides, named as in the environment.
    pub(crate) fn start_with(role: &str, settings: &[(&str, &str)]) -> Self {
        let folder = Arc::new(TempDir::new().unwrap());
        let mut command = Self::command(&folder.path().join("data"));
        command.args(["--role", role]).envs(settings.iter().copied());
        Self::run(command, folder)
    }

    /// Starts what a command says on a folder that another service may have left.
    pub(crate) fn run(mut command: Command, folder: Arc<TempDir>) -> Self {
        let mut process = command.spawn().unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let (sender, address) = channel();
        listen(process.stdout.take().unwrap(), Arc::clone(&log), sender.clone());
        listen(process.stderr.take().unwrap(), Arc::clone(&log), sender);
        let address = first_address(&address, &mut process, &log);
        let mut service =
            Self { folder, process, address, log, key: String::new(), planted: Mutex::new(Vec::new()) };
        service.key = service.new_key(&["*"], "*");
        service
    }

    /// The command that serves a folder, as an administrator would type it.
    pub(crate) fn command(data: &Path) -> Command {
        let mut command = crate::command::vermilion(&["serve", "--listen", "127.0.0.1:0", "--data"]);
        // All that is ever logged: what may not be in it is searched for at the end.
        command.env("RUST_LOG", "warn,vermilion=debug").env("VERMILION_CLOCK", START);
        command.envs(crate::home::settings(data));
        command.arg(data).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Where it answers, without a slash at the end.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// A key that may do everything for everybody.
    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    /// Its data folder.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A place for files of the test, gone with it.
    pub(crate) fn scratch(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    // ---- calls ------------------------------------------------------------------------------------------------------

    /// Asks with the key that may do everything.
    pub(crate) fn get(&self, path: &str) -> Answer {
        Call::get(path).key(&self.key).send(self)
    }

    /// Sends JSON with the key that may do everything.
    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        Call::post(path).key(&self.key).json(body).send(self)
    }

    /// Asks as the public does, without any key.
    pub(crate) fn public(&self, path: &str) -> Answer {
        Call::get(path).send(self)
    }

    /// A key with these scopes for an issuer's credit code, or for all with `*`.
    pub(crate) fn new_key(&self, scopes: &[&str], issuer: &str) -> String {
        let body = json!({"scopes": scopes, "issuer": issuer});
        let answer = Call::post("/dev/keys").json(&body).send(self).created();
        let key = answer["key"].as_str().unwrap().to_owned();
        assert!(key.starts_with("vk_"), "a key begins with vk_");
        self.plant(&key);
        key
    }

    /// Notes what may never occur in the log.
    pub(crate) fn plant(&self, secret: &str) {
        self.planted.lock().unwrap().push(secret.to_owned());
    }

    // ---- the clock --------------------------------------------------------------------------------------------------

    /// Puts the service's clock to a moment (RFC 3339).
    pub(crate) fn set_clock(&self, moment: &str) {
        self.move_clock(&json!({"set": moment}));
    }

    /// Moves the service's clock on (ISO 8601 duration, as `P1D`).
    pub(crate) fn advance(&self, duration: &str) {
        self.move_clock(&json!({"advance": duration}));
    }

    /// The day in Shanghai that the clock shows.
    pub(crate) fn today(&self) -> chrono::NaiveDate {
        let face = Call::post("/dev/clock").json(&json!({"advance": "PT0S"})).send(self).expect(200);
        let now = chrono::DateTime::parse_from_rfc3339(face["now"].as_str().unwrap()).unwrap();
        now.date_naive()
    }

    fn move_clock(&self, how: &Value) {
        let answer = Call::post("/dev/clock").json(how).send(self);
        assert!(answer.status < 300, "{answer}");
    }

    // ---- records and copies -----------------------------------------------------------------------------------------

    /// Enters a record and returns the certificate's id.
    pub(crate) fn enter(&self, record: &Value) -> String {
        self.plant_record(record);
        let entered = self.post("/api/v1/admin/certificates", record).created();
        entered["certificate_id"].as_str().unwrap().to_owned()
    }

    /// Notes the personal data of a record.
    pub(crate) fn plant_record(&self, record: &Value) {
        for field in ["name", "id_number"] {
            self.plant(record["holder"][field].as_str().unwrap());
        }
    }

    /// Orders an annotation at the counter.
    pub(crate) fn order(&self, certificate: &str, days: u32) -> Answer {
        self.post(&format!("/api/v1/admin/certificates/{certificate}/annotations"), &order(days))
    }

    /// Orders an annotation and waits until its copy is ready.
    pub(crate) fn copy(&self, certificate: &str, days: u32) -> Value {
        let ordered = self.order(certificate, days).expect(202);
        self.ready(ordered["id"].as_str().unwrap())
    }

    /// The annotation as it stands.
    pub(crate) fn annotation(&self, id: &str) -> Value {
        self.get(&format!("/api/v1/admin/annotations/{id}")).expect(200)
    }

    /// Waits until an annotation is ready.
    pub(crate) fn ready(&self, id: &str) -> Value {
        let settled = self.settled(id);
        assert_eq!(settled["state"], "ready", "{settled}");
        settled
    }

    /// Waits until an annotation neither waits nor is being sealed.
    pub(crate) fn settled(&self, id: &str) -> Value {
        let settled =
            |annotation: &Value| !["queued", "sealing"].contains(&annotation["state"].as_str().unwrap());
        until(|| Some(self.annotation(id)).filter(settled))
            .unwrap_or_else(|| panic!("still not done: {}\n{}", self.annotation(id), self.log()))
    }

    /// The sealed copy's bytes.
    pub(crate) fn document(&self, id: &str) -> Vec<u8> {
        self.get(&format!("/api/v1/admin/annotations/{id}/document")).pdf()
    }

    /// What the public is told about a code.
    pub(crate) fn verify(&self, code: &str) -> Value {
        self.public(&format!("/api/v1/verify/{code}")).expect(200)
    }

    /// The one word that the public is told about a code.
    pub(crate) fn verdict(&self, code: &str) -> String {
        self.verify(code)["verdict"].as_str().unwrap().to_owned()
    }

    /// What the public is told about a file.
    pub(crate) fn judge_file(&self, bytes: &[u8]) -> Value {
        Call::post("/api/v1/verify/document").body("application/pdf", bytes).send(self).expect(200)
    }

    // ---- the process ------------------------------------------------------------------------------------------------

    /// Everything that it printed so far.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Ends it as a power cut would, and gives its folder back.
    pub(crate) fn kill9(mut self) -> Arc<TempDir> {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        Arc::clone(&self.folder)
    }

    /// Ends it and starts it again on the same folder.
    pub(crate) fn restart(self) -> Self {
        let planted = self.planted.lock().unwrap().clone();
        let service = Self::start_on(self.kill9());
        service.planted.lock().unwrap().extend(planted);
        service
    }

    /// Asks it to stop (SIGTERM) and waits until it has drained.
    pub(crate) fn stop(mut self) -> (ExitStatus, Arc<TempDir>) {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        let status = until(|| self.process.try_wait().unwrap()).expect("it did not stop");
        (status, Arc::clone(&self.folder))
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let log = self.log();
        if std::thread::panicking() {
            eprintln!("--- the service's last lines\n{}", last_lines(&log, 40));
            return;
        }
        for secret in self.planted.lock().unwrap().iter() {
            assert!(!log.contains(secret), "personal data or a secret stands in the log");
        }
        assert!(!log.contains("panicked at"), "a thread panicked:\n{}", last_lines(&log, 40));
    }
}

/// An order for so many days, made at the counter.
pub(crate) fn order(days: u32) -> Value {
    json!({"scenario": "self_use", "days": days, "recipient": null, "on_behalf_reason": "本人到柜台办理"})
}

/// Asks again and again until there is an answer or the patience ends: another process cannot be waited for otherwise.
pub(crate) fn until<T>(mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask() {
            return Some(answer);
        }
        if Instant::now() > end {
            return None;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Copies what a process prints into the log, and tells the address once it is printed.
fn listen(from: impl Read + Send + 'static, log: Arc<Mutex<String>>, address: Sender<String>) {
    std::thread::spawn(move || {
        for line in BufReader::new(from).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line);
            let mut log = log.lock().unwrap();
            log.push_str(&line);
            log.push('\n');
            if let Some((_, rest)) = line.split_once("listening on http://") {
                let host = rest.split(|c: char| !(c.is_ascii_alphanumeric() || ".:".contains(c))).next();
                // A second line is nobody's.
                let _ = address.send(format!("http://{}", host.unwrap_or_default()));
            }
        }
    });
}

fn first_address(address: &Receiver<String>, process: &mut Child, log: &Mutex<String>) -> String {
    match address.recv_timeout(PATIENCE) {
        Ok(address) => address,
        Err(_) => {
            let _ = process.kill();
            let status = process.wait();
            panic!("it does not listen ({status:?}):\n{}", last_lines(&log.lock().unwrap(), 40));
        }
    }
}

fn last_lines(log: &str, count: usize) -> String {
    let lines: Vec<_> = log.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}
