//! A drill of moving: `cargo bench --bench move -- --certificates 20000`.
//!
//! Loads certificates and orders a copy of each on the embedded store, moves to PostgreSQL while more orders come in,
//! switches, and moves back the same way. What is asked about every code before a switch is asked again after it, and must
//! be answered the same; what was ordered last before a switch must end ready after it. Starts a PostgreSQL of its own.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a program for a person at a terminal"
)]

#[path = "../tests/servers/mod.rs"]
mod servers;
#[allow(dead_code, reason = "shared with the benchmark of the pipeline")]
#[path = "pipeline/service.rs"]
mod service;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

use crate::servers::postgres;
use crate::service::Server;

/// Orders that are still being made when the service is stopped for a switch.
const LAST: usize = 40;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let value = |name: &str, otherwise: usize| {
        let at = arguments.iter().position(|argument| argument == name);
        at.and_then(|at| arguments.get(at + 1)).map_or(otherwise, |text| text.parse().expect("a number"))
    };
    let many = value("--certificates", 2_000);
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let database = postgres::Server::start();
    let url = database.create("moved");
    let settings = |name: &str, text: String| {
        let file = folder.path().join(name);
        fs::write(&file, text).unwrap();
        file
    };
    let data = |name: &str| folder.path().join(name).display().to_string();
    let first = settings("first.toml", format!("data = \"{}\"\n", data("first")));
    let shared = settings(
        "postgres.toml",
        format!("[postgres]\nurl = \"{url}\"\n[documents]\nfolder = \"{}\"\n", data("documents")),
    );
    let last = settings("last.toml", format!("data = \"{}\"\n", data("last")));

    let mut drill = Drill { many, ..Drill::default() };
    let begun = Instant::now();
    let mut server = Server::serve(&first, &mut None);
    drill.load(&server);
    println!("loaded                   {many} certificates, {} copies, {:.1?}", many, begun.elapsed());
    for (name, from, to) in [("to PostgreSQL", &first, &shared), ("back to a folder", &shared, &last)] {
        println!("\n{name}");
        server = drill.change(server, from, to);
    }
    server.stop();
    for (name, file) in [("PostgreSQL", &shared), ("the last folder", &last)] {
        let begun = Instant::now();
        let said = run(&["check", "--config"], file);
        println!("\ncheck of {name}, {:.1?}\n{said}", begun.elapsed());
    }
}

/// What anybody is answered about every code, without the moment of asking.
fn answers(server: &Server, codes: &[String]) -> Vec<String> {
    let next = AtomicUsize::new(0);
    let answers = Mutex::new(vec![String::new(); codes.len()]);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let client = server.client();
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(code) = codes.get(at) else { return };
                    let mut answer = client.get(&format!("/api/v1/verify/{code}"));
                    answer.as_object_mut().unwrap().remove("checked_at");
                    answers.lock().unwrap()[at] = answer.to_string();
                }
            });
        }
    });
    answers.into_inner().unwrap()
}

/// What was made so far.
#[derive(Default)]
struct Drill {
    many: usize,
    certificates: Vec<String>,
    codes: Vec<String>,
    /// The certificate that the next order is for.
    next: AtomicUsize,
}

impl Drill {
    fn load(&mut self, server: &Server) {
        let records: Vec<String> = (0..self.many).map(|n| service::certificate(n) + "\n").collect();
        for some in records.chunks(10_000) {
            self.certificates.extend(server.import(&some.concat()));
        }
        let left = AtomicUsize::new(self.many);
        let ordered = self.order(server, 16, || take(&left));
        self.codes.extend(ordered);
        server.wait_until_idle();
    }

    /// Orders as long as `go_on` says so, a copy of each certificate in turn.
    fn order(&self, server: &Server, callers: usize, go_on: impl Fn() -> bool + Sync) -> Vec<String> {
        let codes = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for _ in 0..callers {
                scope.spawn(|| {
                    let client = server.client();
                    while go_on() {
                        let at = self.next.fetch_add(1, Ordering::Relaxed);
                        // A certificate has three copies at most.
                        if at >= 3 * self.certificates.len() {
                            return;
                        }
                        let code = client.order(&self.certificates[at % self.certificates.len()]);
                        codes.lock().unwrap().push(code);
                    }
                });
            }
        });
        codes.into_inner().unwrap()
    }

    /// Moves the store while orders come in, switches, and holds every answer against the one before.
    fn change(&mut self, server: Server, from: &Path, to: &Path) -> Server {
        let copied = AtomicBool::new(false);
        let begun = Instant::now();
        let (said, ordered) = std::thread::scope(|scope| {
            let moving = scope.spawn(|| {
                let said = migrate(from, to, false);
                copied.store(true, Ordering::Relaxed);
                said
            });
            let left = AtomicUsize::new(self.many.saturating_sub(LAST));
            let ordered = self.order(&server, 2, || take(&left) && !copied.load(Ordering::Relaxed));
            (moving.join().unwrap(), ordered)
        });
        println!("{said}copied in {:.1?}, while {} orders came in", begun.elapsed(), ordered.len());
        self.codes.extend(ordered);
        server.wait_until_idle();
        let before = answers(&server, &self.codes);
        let left = AtomicUsize::new(LAST);
        let last = self.order(&server, 4, || take(&left));

        // One key serves every home: it moves too.
        let mut key = Some(server.key());
        let begun = Instant::now();
        server.stop();
        let stopped = begun.elapsed();
        print!("{}", migrate(from, to, true));
        let switched = begun.elapsed();
        let server = Server::serve(to, &mut key);
        println!(
            "pause for callers        {:.1?}: stopped {stopped:.1?}, switched {:.1?}, started {:.1?}",
            begun.elapsed(),
            switched - stopped,
            begun.elapsed() - switched
        );
        assert!(refused(from), "the home that was left is served again");

        server.wait_until_idle();
        let after = answers(&server, &self.codes);
        for ((code, before), after) in self.codes.iter().zip(&before).zip(&after) {
            assert_eq!(before, after, "{code}");
        }
        for answer in answers(&server, &last) {
            assert!(answer.contains("genuine"), "ordered before the switch, not ready after it: {answer}");
        }
        println!("every answer is the same {} codes; {} orders went on", before.len(), last.len());
        self.codes.extend(last);
        server
    }
}

/// Takes one of those that are left.
fn take(left: &AtomicUsize) -> bool {
    left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
}

/// Whether a home is refused by those who would serve it.
fn refused(settings: &Path) -> bool {
    let served = Command::new(env!("CARGO_BIN_EXE_vermilion"))
        .args(["serve", "--listen", "127.0.0.1:0", "--config"])
        .arg(settings)
        .output()
        .unwrap();
    !served.status.success() && String::from_utf8_lossy(&served.stderr).contains("moved")
}

fn migrate(from: &Path, to: &Path, switch: bool) -> String {
    let mut arguments = vec!["migrate", "--from", from.to_str().unwrap()];
    arguments.extend(switch.then_some("--switch"));
    arguments.push("--to");
    run(&arguments, to)
}

/// Runs a command to its end and gives what it said.
fn run(arguments: &[&str], file: &Path) -> String {
    let ran = Command::new(env!("CARGO_BIN_EXE_vermilion")).args(arguments).arg(file).output().unwrap();
    let (said, complained) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success(), "{arguments:?}: {said}{complained}");
    said.into_owned()
}
