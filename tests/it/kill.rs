//! Kills the service with SIGKILL at random moments under load, harms its index, starts it again, and checks that
//! nothing that was answered with success is missing. Shared by a test (a few rounds) and by a program (many).

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// What the rounds came to.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) kills: usize,
    pub(crate) kills_at_start: usize,
    pub(crate) harms: usize,
    pub(crate) certificates: usize,
    pub(crate) orders: usize,
    pub(crate) revocations: usize,
    pub(crate) asked_again: usize,
}

/// Numbers that look random and repeat with their seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

/// Everything that was answered with success, and what was asked without an answer.
#[derive(Default)]
struct World {
    next_certificate: usize,
    certificates: Vec<String>,
    ended_certificates: HashSet<String>,
    /// Annotation to certificate.
    orders: HashMap<String, String>,
    revoked: HashSet<String>,
    /// Idempotency key to certificate: orders whose answer was lost.
    lost: Vec<(String, String)>,
    fresh: Vec<String>,
}

struct Process {
    child: Child,
    url: String,
    key: String,
}

impl Process {
    /// One API key serves every life: it was acknowledged too, and idempotency keys belong to their caller.
    fn start(data: &Path, key: &mut Option<String>) -> Self {
        let mut child = spawn(data);
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
        let key = key.clone();
        Self { child, url, key }
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn get(&self, path: &str) -> (u16, Value) {
        get(&format!("{}{path}", self.url), &self.key).expect("the service answers while nobody kills it")
    }
}

fn spawn(data: &Path) -> Child {
    Command::new(env!("CARGO_BIN_EXE_vermilion"))
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(data)
        .env("RUST_LOG", "error")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(30)))
        .build()
        .new_agent()
}

thread_local! {
    static AGENT: ureq::Agent = agent();
}

/// None where no whole answer came: the outcome is unknown.
fn post(url: &str, key: &str, idempotency: Option<&str>, body: &Value) -> Option<(u16, Value)> {
    AGENT.with(|agent| {
        let mut request = agent.post(url).header("Authorization", key);
        if let Some(idempotency) = idempotency {
            request = request.header("Idempotency-Key", idempotency);
        }
        let answer = request.send_json(body).ok()?;
        let status = answer.status().as_u16();
        let text = answer.into_body().read_to_string().ok()?;
        Some((status, serde_json::from_str(&text).ok()?))
    })
}

fn get(url: &str, key: &str) -> Option<(u16, Value)> {
    AGENT.with(|agent| {
        let answer = agent.get(url).header("Authorization", key).call().ok()?;
        let status = answer.status().as_u16();
        Some((status, answer.into_body().read_json().ok()?))
    })
}

/// Runs the rounds on a folder of its own; panics at the first thing that is missing or broken.
pub(crate) fn rounds(count: usize, seed: u64) -> Tally {
    println!("kill rounds: {count}, seed {seed}");
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let data = folder.path().join("data");
    let mut dice = Dice(seed | 1);
    let mut tally = Tally::default();
    let world = Mutex::new(World::default());
    let mut key = None;
    for round in 0..count {
        let process = Process::start(&data, &mut key);
        ask_again(&process, &world, &mut tally);
        verify_fresh(&process, &world, &mut dice);
        load_and_kill(process, &world, dice.roll(1_000_000_007), Duration::from_millis(30 + dice.roll(700)));
        tally.kills += 1;
        harm(&data, &mut dice, &mut tally);
        if dice.roll(100) < 20 {
            // Killed while it starts, recovers or rebuilds.
            let mut child = spawn(&data);
            std::thread::sleep(Duration::from_millis(dice.roll(120)));
            child.kill().unwrap();
            child.wait().unwrap();
            tally.kills_at_start += 1;
        }
        if round % 10 == 9 {
            let world = world.lock().unwrap();
            println!(
                "round {}: {} certificates, {} orders",
                round + 1,
                world.certificates.len(),
                world.orders.len()
            );
        }
    }
    let process = Process::start(&data, &mut key);
    ask_again(&process, &world, &mut tally);
    let world = world.into_inner().unwrap();
    verify_all(&process, &world);
    let pid = process.child.id().to_string();
    assert!(Command::new("kill").arg(pid).status().unwrap().success());
    let mut child = process.child;
    assert!(child.wait().unwrap().success(), "SIGTERM drains and exits 0");
    let check =
        Command::new(env!("CARGO_BIN_EXE_vermilion")).args(["check", "--data"]).arg(&data).output().unwrap();
    assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stdout));
    tally.certificates = world.certificates.len();
    tally.orders = world.orders.len();
    tally.revocations = world.revoked.len() + world.ended_certificates.len();
    println!("{tally:?}");
    tally
}

/// Four callers until the axe falls.
fn load_and_kill(process: Process, world: &Mutex<World>, seed: u64, life: Duration) {
    let over = AtomicBool::new(false);
    let (url, key) = (process.url.clone(), process.key.clone());
    std::thread::scope(|scope| {
        for caller in 0..4 {
            let (url, key, over) = (&url, &key, &over);
            let mut dice = Dice((seed + caller * 7919) | 1);
            scope.spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    act(url, key, world, &mut dice);
                }
            });
        }
        std::thread::sleep(life);
        process.kill();
        over.store(true, Ordering::Relaxed);
    });
}

fn act(url: &str, key: &str, world: &Mutex<World>, dice: &mut Dice) {
    let known = world.lock().unwrap().certificates.len();
    match dice.roll(100) {
        _ if known < 4 => enter(url, key, world, 4),
        0..20 => enter(url, key, world, 1 + dice.roll(20) as usize),
        20..90 => {
            // The newest are ordered most, so that quotas fill.
            let certificate = {
                let world = world.lock().unwrap();
                let back = dice.roll(dice_span(world.certificates.len()));
                world.certificates[world.certificates.len() - 1 - back as usize].clone()
            };
            let idempotency = format!("kill-{}-{}", dice.roll(u64::MAX), dice.roll(u64::MAX));
            order(url, key, world, &certificate, &idempotency);
        }
        90..97 => revoke(url, key, world, dice),
        _ => end(url, key, world, dice),
    }
}

fn dice_span(certificates: usize) -> u64 {
    (certificates as u64).min(40)
}

fn enter(url: &str, key: &str, world: &Mutex<World>, many: usize) {
    let first = {
        let mut world = world.lock().unwrap();
        world.next_certificate += many;
        world.next_certificate - many
    };
    let body: String = (first..first + many).map(|n| record(n) + "\n").collect();
    let answer = AGENT.with(|agent| {
        let request = agent.post(format!("{url}/api/v1/admin/certificates/batch"));
        let request = request.header("Authorization", key).header("Content-Type", "application/x-ndjson");
        request.send(body).ok().and_then(|answer| answer.into_body().read_to_string().ok())
    });
    let Some(answer) = answer else { return };
    let mut world = world.lock().unwrap();
    for line in answer.lines() {
        let Ok(result) = serde_json::from_str::<Value>(line) else { return };
        assert_eq!(result["status"], "created", "{result}");
        let id = result["certificate_id"].as_str().unwrap().to_owned();
        world.certificates.push(id.clone());
        world.fresh.push(id);
    }
}

fn order(url: &str, key: &str, world: &Mutex<World>, certificate: &str, idempotency: &str) {
    let body = json!({ "scenario": "self_use", "days": 90, "on_behalf_reason": "kill rounds" });
    let path = format!("{url}/api/v1/admin/certificates/{certificate}/annotations");
    let answer = post(&path, key, Some(idempotency), &body);
    let mut world = world.lock().unwrap();
    match answer {
        None => world.lost.push((idempotency.to_owned(), certificate.to_owned())),
        Some((202, annotation)) => {
            let id = annotation["id"].as_str().unwrap().to_owned();
            world.fresh.push(id.clone());
            world.orders.insert(id, certificate.to_owned());
        }
        Some((status, problem)) => {
            assert!(matches!(status, 409 | 503), "an order was answered {status}: {problem}");
        }
    }
}

fn revoke(url: &str, key: &str, world: &Mutex<World>, dice: &mut Dice) {
    let chosen = {
        let world = world.lock().unwrap();
        let orders: Vec<&String> = world.orders.keys().collect();
        if orders.is_empty() {
            return;
        }
        orders[dice.roll(orders.len() as u64) as usize].clone()
    };
    let answer = post(&format!("{url}/api/v1/admin/annotations/{chosen}/revocation"), key, None, &json!({}));
    if let Some((200, _)) = answer {
        let mut world = world.lock().unwrap();
        world.fresh.push(chosen.clone());
        world.revoked.insert(chosen);
    }
}

fn end(url: &str, key: &str, world: &Mutex<World>, dice: &mut Dice) {
    let chosen = {
        let world = world.lock().unwrap();
        world.certificates[dice.roll(world.certificates.len() as u64) as usize].clone()
    };
    let body = json!({ "status": "revoked", "reason": "kill rounds" });
    let answer = post(&format!("{url}/api/v1/admin/certificates/{chosen}/status"), key, None, &body);
    if let Some((200, _)) = answer {
        let mut world = world.lock().unwrap();
        world.fresh.push(chosen.clone());
        world.ended_certificates.insert(chosen);
    }
}

/// Orders whose answer was lost are asked again under their idempotency key, twice: both answers name one annotation.
fn ask_again(process: &Process, world: &Mutex<World>, tally: &mut Tally) {
    let lost = std::mem::take(&mut world.lock().unwrap().lost);
    for (idempotency, certificate) in lost {
        let body = json!({ "scenario": "self_use", "days": 90, "on_behalf_reason": "kill rounds" });
        let path = format!("{}/api/v1/admin/certificates/{certificate}/annotations", process.url);
        let first = post(&path, &process.key, Some(&idempotency), &body).unwrap();
        let again = post(&path, &process.key, Some(&idempotency), &body).unwrap();
        tally.asked_again += 1;
        if first.0 == 202 {
            assert_eq!((again.0, &again.1["id"]), (202, &first.1["id"]), "one key, one annotation");
            let id = first.1["id"].as_str().unwrap().to_owned();
            world.lock().unwrap().orders.insert(id, certificate);
        } else {
            assert!(matches!(first.0, 409), "{first:?}");
        }
    }
}

/// What the last life answered, and some of what earlier ones did.
fn verify_fresh(process: &Process, world: &Mutex<World>, dice: &mut Dice) {
    let mut world = world.lock().unwrap();
    let mut ids = std::mem::take(&mut world.fresh);
    for _ in 0..20 {
        if let Some(id) = world.certificates.get(dice.roll(world.certificates.len().max(1) as u64) as usize) {
            ids.push(id.clone());
        }
    }
    ids.extend(world.orders.keys().take(20).cloned());
    for id in ids {
        verify_one(process, &world, &id);
    }
}

fn verify_one(process: &Process, world: &World, id: &str) -> Option<String> {
    let Some(certificate) = world.orders.get(id) else {
        let (status, certificate) = process.get(&format!("/api/v1/admin/certificates/{id}"));
        assert_eq!(status, 200, "certificate {id} was acknowledged and is missing");
        if world.ended_certificates.contains(id) {
            assert_eq!(certificate["status"], "revoked", "certificate {id} was revoked");
        }
        return None;
    };
    let (status, annotation) = process.get(&format!("/api/v1/admin/annotations/{id}"));
    assert_eq!(status, 200, "order {id} was acknowledged and is missing");
    let state = annotation["state"].as_str().unwrap();
    assert_ne!(state, "failed", "{annotation}");
    if world.revoked.contains(id) || world.ended_certificates.contains(certificate) {
        assert_eq!(state, "revoked", "annotation {id} was revoked, or its certificate was");
    }
    Some(state.to_owned())
}

/// At the end: every order is ready or revoked, every quota holds, nothing was sealed twice, every document is there.
fn verify_all(process: &Process, world: &World) {
    let patience = Instant::now();
    while process.get("/api/v1/admin/queue").1["depth"] != 0 {
        assert!(patience.elapsed() < Duration::from_secs(300), "the queue does not empty");
        std::thread::sleep(Duration::from_millis(50));
    }
    for id in &world.certificates {
        verify_one(process, world, id);
    }
    let mut ready: HashMap<&str, usize> = HashMap::new();
    for (documents, (id, certificate)) in world.orders.iter().enumerate() {
        let state = verify_one(process, world, id).unwrap();
        assert!(matches!(state.as_str(), "ready" | "revoked"), "order {id} ended as {state}");
        if state == "ready" {
            *ready.entry(certificate).or_default() += 1;
            if documents < 200 {
                let url = format!("{}/api/v1/admin/annotations/{id}/document", process.url);
                let answer =
                    AGENT.with(|agent| agent.get(url).header("Authorization", &process.key).call()).unwrap();
                let pdf = answer.into_body().read_to_vec().unwrap();
                assert!(pdf.starts_with(b"%PDF-1.7"), "the document of {id}");
            }
        }
    }
    for (certificate, count) in ready {
        assert!(count <= 3, "certificate {certificate} has {count} active annotations");
    }
    let mut sealed = HashSet::new();
    let mut cursor = String::new();
    loop {
        let (_, page) = process.get(&format!("/api/v1/admin/audit?limit=500{cursor}"));
        for entry in page["items"].as_array().unwrap() {
            for event in entry["events"].as_array().unwrap() {
                if event["deed"] == "annotation-sealed" {
                    let id = event["annotation_id"].as_str().unwrap().to_owned();
                    assert!(sealed.insert(id.clone()), "annotation {id} was sealed twice");
                }
            }
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
}

/// The index is disposable: deleted, cut or scribbled over, nothing may be lost.
fn harm(data: &Path, dice: &mut Dice, tally: &mut Tally) {
    let index = data.join("index");
    match dice.roll(100) {
        0..10 => {
            let _ = fs::remove_dir_all(&index);
            tally.harms += 1;
        }
        10..20 => {
            for file in files(&index) {
                let Ok(meta) = file.metadata() else { continue };
                if meta.len() == 0 {
                    continue;
                }
                let at = dice.roll(meta.len());
                let Ok(mut file) = fs::OpenOptions::new().write(true).open(&file) else { continue };
                std::io::Seek::seek(&mut file, std::io::SeekFrom::Start(at)).unwrap();
                file.write_all(&[0xa5; 700]).unwrap();
            }
            tally.harms += 1;
        }
        20..25 => {
            for file in files(&index) {
                let length = file.metadata().map(|meta| meta.len()).unwrap_or(0);
                if let Ok(file) = fs::OpenOptions::new().write(true).open(&file) {
                    file.set_len(length / 2).unwrap();
                }
            }
            tally.harms += 1;
        }
        _ => {}
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.is_file()).collect()
}

/// A certificate record that nobody has: area code 00.
fn record(n: usize) -> String {
    let born = chrono::NaiveDate::from_ymd_opt(1960, 1, 1).unwrap() + chrono::Days::new((n % 12_000) as u64);
    let seventeen = format!("110000{}{:03}", born.format("%Y%m%d"), n / 12_000 % 1000);
    let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let sum: u32 =
        seventeen.bytes().zip(weights).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
    let check = char::from(b"10X98765432"[(sum % 11) as usize]);
    json!({
        "type": "planner-qualification", "management_no": format!("2024092211{n:08}"),
        "title": "注册城乡规划师职业资格证书", "level": null, "specialty": "城乡规划",
        "holder": { "name": "示例姓名", "id_type": "111", "id_number": format!("{seventeen}{check}") },
        "issuer": { "name": "示例省人事考试中心", "uscc": "123700007000000372" },
        "approved_on": "2024-09-22", "issued_on": "2024-11-01", "valid_until": null,
    })
    .to_string()
}
