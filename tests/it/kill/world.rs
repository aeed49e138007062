//! What callers ask of a service that is killed again and again, what they were answered, and whether it still holds.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::servers::node::Node;

/// Where a service answers, and the key to ask it with.
#[derive(Clone)]
pub(crate) struct Door {
    pub(crate) url: String,
    pub(crate) key: String,
}

impl Door {
    pub(crate) fn of(node: &Node) -> Self {
        Self { url: node.url.clone(), key: node.key.clone() }
    }

    pub(crate) fn get(&self, path: &str) -> (u16, Value) {
        get(&format!("{}{path}", self.url), &self.key).expect("the service answers while nobody kills it")
    }

    /// What lies at a path, whatever it is.
    pub(crate) fn bytes(&self, path: &str) -> Vec<u8> {
        let asked = ureq::get(format!("{}{path}", self.url)).header("Authorization", &self.key).call();
        asked.unwrap().into_body().read_to_vec().unwrap()
    }
}

/// Numbers that look random and repeat with their seed.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

/// Everything that was answered with success, and what was asked without an answer.
#[derive(Default)]
pub(crate) struct World {
    pub(crate) next_certificate: usize,
    pub(crate) certificates: Vec<String>,
    pub(crate) ended_certificates: HashSet<String>,
    /// Annotation to certificate.
    pub(crate) orders: HashMap<String, String>,
    pub(crate) revoked: HashSet<String>,
    /// Idempotency key to certificate: orders whose answer was lost.
    pub(crate) lost: Vec<(String, String)>,
    pub(crate) fresh: Vec<String>,
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
pub(crate) fn post(url: &str, key: &str, idempotency: Option<&str>, body: &Value) -> Option<(u16, Value)> {
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

/// One thing that a caller does.
pub(crate) fn act(url: &str, key: &str, world: &Mutex<World>, dice: &mut Dice) {
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
        let answer = request.send(body).ok()?;
        // While the database is away, nobody knows whose key it is.
        let status = answer.status().as_u16();
        assert!(status == 200 || status == 503, "a batch was answered {status}");
        (status == 200).then(|| answer.into_body().read_to_string().ok()).flatten()
    });
    let Some(answer) = answer else { return };
    let mut world = world.lock().unwrap();
    for line in answer.lines() {
        let Ok(result) = serde_json::from_str::<Value>(line) else { return };
        // What the machine failed to do may be done or not; nobody was told that it is.
        if result["problem"]["status"].as_u64().is_some_and(|status| status >= 500) {
            continue;
        }
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
        None | Some((500.., _)) => world.lost.push((idempotency.to_owned(), certificate.to_owned())),
        Some((202, annotation)) => {
            let id = annotation["id"].as_str().unwrap().to_owned();
            world.fresh.push(id.clone());
            world.orders.insert(id, certificate.to_owned());
        }
        Some((status, problem)) => {
            assert!(status == 409, "an order was answered {status}: {problem}");
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
pub(crate) fn ask_again(door: &Door, world: &Mutex<World>) -> usize {
    let lost = std::mem::take(&mut world.lock().unwrap().lost);
    let asked = lost.len();
    for (idempotency, certificate) in lost {
        let body = json!({ "scenario": "self_use", "days": 90, "on_behalf_reason": "kill rounds" });
        let path = format!("{}/api/v1/admin/certificates/{certificate}/annotations", door.url);
        let first = post(&path, &door.key, Some(&idempotency), &body).unwrap();
        let again = post(&path, &door.key, Some(&idempotency), &body).unwrap();
        if first.0 == 202 {
            assert_eq!((again.0, &again.1["id"]), (202, &first.1["id"]), "one key, one annotation");
            let id = first.1["id"].as_str().unwrap().to_owned();
            world.lock().unwrap().orders.insert(id, certificate);
        } else {
            assert!(matches!(first.0, 409), "{first:?}");
        }
    }
    asked
}

/// What the last life answered, and some of what earlier ones did.
pub(crate) fn verify_fresh(door: &Door, world: &Mutex<World>, dice: &mut Dice) {
    let mut world = world.lock().unwrap();
    let mut ids = std::mem::take(&mut world.fresh);
    for _ in 0..20 {
        if let Some(id) = world.certificates.get(dice.roll(world.certificates.len().max(1) as u64) as usize) {
            ids.push(id.clone());
        }
    }
    ids.extend(world.orders.keys().take(20).cloned());
    for id in ids {
        verify_one(door, &world, &id);
    }
}

fn verify_one(door: &Door, world: &World, id: &str) -> Option<String> {
    let Some(certificate) = world.orders.get(id) else {
        let (status, certificate) = door.get(&format!("/api/v1/admin/certificates/{id}"));
        assert_eq!(status, 200, "certificate {id} was acknowledged and is missing");
        if world.ended_certificates.contains(id) {
            assert_eq!(certificate["status"], "revoked", "certificate {id} was revoked");
        }
        return None;
    };
    let (status, annotation) = door.get(&format!("/api/v1/admin/annotations/{id}"));
    assert_eq!(status, 200, "order {id} was acknowledged and is missing");
    let state = annotation["state"].as_str().unwrap();
    assert_ne!(state, "failed", "{annotation}");
    if world.revoked.contains(id) || world.ended_certificates.contains(certificate) {
        assert_eq!(state, "revoked", "annotation {id} was revoked, or its certificate was");
    }
    Some(state.to_owned())
}

/// At the end: every order is ready or revoked, every quota holds, nothing was sealed twice, every document is there.
pub(crate) fn verify_all(door: &Door, world: &World) {
    let patience = Instant::now();
    while door.get("/api/v1/admin/queue").1["depth"] != 0 {
        assert!(patience.elapsed() < Duration::from_secs(300), "the queue does not empty");
        std::thread::sleep(Duration::from_millis(50));
    }
    for id in &world.certificates {
        verify_one(door, world, id);
    }
    let mut ready: HashMap<&str, usize> = HashMap::new();
    for (documents, (id, certificate)) in world.orders.iter().enumerate() {
        let state = verify_one(door, world, id).unwrap();
        assert!(matches!(state.as_str(), "ready" | "revoked"), "order {id} ended as {state}");
        if state == "ready" {
            *ready.entry(certificate).or_default() += 1;
            if documents < 200 {
                let url = format!("{}/api/v1/admin/annotations/{id}/document", door.url);
                let answer =
                    AGENT.with(|agent| agent.get(url).header("Authorization", &door.key).call()).unwrap();
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
        let (_, page) = door.get(&format!("/api/v1/admin/audit?limit=500{cursor}"));
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
