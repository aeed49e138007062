//! Whether the time of an answer tells a stranger what the answer does not: `cargo bench --bench uniform`. Each question is
//! asked about two things that exist and one that does not, in turns and in a random order; the two that exist show how
//! far the same differs from itself. Ends with 1 where the time tells.
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

use std::cell::Cell;
use std::process::ExitCode;
use std::time::Instant;

use serde_json::{Value, json};

use crate::service::{Server, certificate};

/// How far the medians may lie apart.
const BOUNDS: std::ops::RangeInclusive<f64> = 0.95..=1.05;

/// Resamples of the bootstrap.
const RESAMPLES: usize = 2_000;

const PASSWORD: &str = "correct horse battery";

fn main() -> ExitCode {
    let number = std::env::args().skip_while(|argument| argument != "--rounds").nth(1);
    let rounds: usize = number.map_or(200, |number| number.parse().unwrap());
    let stranger = Stranger::start(rounds);
    println!("Known against unknown, {rounds} rounds each; ratios of medians with 95 % intervals.\n");
    let verdicts = [
        measure("log-in: an account, none", rounds, |round, arm| {
            stranger.log_in(&stranger.person(round, arm))
        }),
        measure("a code to recover: a mobile of an account, of none", rounds, |round, arm| {
            stranger.send_code("recovery", &mobile(round, arm))
        }),
        measure("recovery, right code: an account of another mobile, none", rounds, |round, arm| {
            stranger.recover(&stranger.person(round, arm), round)
        }),
        measure("sign-up: another's name, no certificate", rounds, |round, arm| {
            stranger.sign_up(&stranger.person(round, arm))
        }),
        measure("query: another's name, no certificate", rounds, |round, arm| {
            stranger.query(&stranger.person(round, arm))
        }),
        measure("verify: a code that nobody has, no code", rounds * 5, |_, arm| stranger.verify(arm)),
    ];
    if verdicts.iter().all(|tells| !tells) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What is asked about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Arm {
    /// Something that exists.
    Known,
    /// Something else that exists.
    KnownToo,
    /// Something that does not.
    Unknown,
}

/// Times a question in turns and says whether the time tells; then prints how it came to that.
fn measure(what: &str, rounds: usize, ask: impl Fn(usize, Arm) -> f64) -> bool {
    let mut chance = Chance::new();
    // The first of each pay for what is cold.
    for arm in [Arm::Known, Arm::KnownToo, Arm::Unknown] {
        ask(rounds, arm);
    }
    let times: Vec<[f64; 3]> = (0..rounds)
        .map(|round| {
            let mut arms = [Arm::Known, Arm::KnownToo, Arm::Unknown];
            arms.swap(2, chance.below(3));
            arms.swap(1, chance.below(2));
            let mut took = [0.0; 3];
            arms.into_iter().for_each(|arm| took[arm as usize] = ask(round, arm));
            took
        })
        .collect();
    let (itself, other) = (Ratio::of(&times, 1, &mut chance), Ratio::of(&times, 2, &mut chance));
    // Two names for the same kind of thing lie so far apart by chance alone.
    let noise = itself.least.ln().abs().max(itself.most.ln().abs());
    let tells = !BOUNDS.contains(&other.ratio) && other.ratio.ln().abs() > noise;
    println!("{what}");
    println!("  {:8.3} ms median; {} unknown to known", median(times.iter().map(|it| it[0])) * 1e3, other);
    println!(
        "           control:   {itself} known to known{}\n",
        if tells { "  ** the time tells **" } else { "" }
    );
    tells
}

/// A ratio of medians, and where it lies in 95 of 100 resamples.
struct Ratio {
    ratio: f64,
    least: f64,
    most: f64,
}

impl Ratio {
    /// Of an arm's times to those of the first, resampled by rounds: what disturbs a round disturbs all of it.
    fn of(times: &[[f64; 3]], arm: usize, chance: &mut Chance) -> Self {
        let ratio = |rounds: &[usize]| {
            median(rounds.iter().map(|round| times[*round][arm]))
                / median(rounds.iter().map(|round| times[*round][0]))
        };
        let all: Vec<usize> = (0..times.len()).collect();
        let mut resampled: Vec<f64> = (0..RESAMPLES)
            .map(|_| ratio(&all.iter().map(|_| chance.below(all.len())).collect::<Vec<_>>()))
            .collect();
        resampled.sort_by(f64::total_cmp);
        Self { ratio: ratio(&all), least: resampled[RESAMPLES / 40], most: resampled[RESAMPLES * 39 / 40] }
    }
}

impl std::fmt::Display for Ratio {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.3} ({:.3} to {:.3})", self.ratio, self.least, self.most)
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    let middle = values.len() / 2;
    *values.select_nth_unstable_by(middle, f64::total_cmp).1
}

/// Small chance (xorshift64*): an order of turns needs no better.
struct Chance(u64);

impl Chance {
    fn new() -> Self {
        let seed =
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos() as u64;
        Self(seed | 1)
    }

    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % bound
    }
}

/// Somebody who asks and holds a watch. Each question comes from an address of its own, so that none has to wait.
struct Stranger {
    _server: Server,
    url: String,
    agent: ureq::Agent,
    people: Vec<Value>,
    rounds: usize,
    asked: Cell<u32>,
}

impl Stranger {
    /// A service in which two in three of the people have a certificate and an account.
    fn start(rounds: usize) -> Self {
        let server = Server::start(&[("VERMILION_TRUSTED_PROXIES", "127.0.0.1".to_owned())]);
        let lines: Vec<String> = (0..3 * (rounds + 1)).map(certificate).collect();
        let known = 2 * (rounds + 1);
        server.import(&lines[..known].iter().map(|line| format!("{line}\n")).collect::<String>());
        let stranger = Self {
            url: server.address(),
            _server: server,
            agent: ureq::Agent::config_builder().http_status_as_error(false).build().new_agent(),
            people: lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect(),
            rounds,
            asked: Cell::new(0),
        };
        for number in 0..known {
            let holder = &stranger.people[number]["holder"];
            let arm = if number <= rounds { Arm::Known } else { Arm::KnownToo };
            let form = json!({
                "kind": "holder", "name": holder["name"], "id_number": holder["id_number"], "password": PASSWORD,
                "mobile": mobile(number % (rounds + 1), arm),
            });
            stranger.post("/dev/accounts", &form, 200);
        }
        stranger
    }

    /// Nobody is asked about twice.
    fn person(&self, round: usize, arm: Arm) -> Value {
        self.people[round + arm as usize * (self.rounds + 1)].clone()
    }

    /// How long an answer takes, in seconds; it is one of these.
    fn time(&self, path: &str, form: &Value, status: u16) -> f64 {
        let begun = Instant::now();
        self.post(path, form, status);
        begun.elapsed().as_secs_f64()
    }

    fn post(&self, path: &str, form: &Value, status: u16) -> Value {
        self.asked.set(self.asked.get() + 1);
        let [_, a, b, c] = self.asked.get().to_be_bytes();
        let from = format!("10.{a}.{b}.{c}");
        let call = self.agent.post(format!("{}{path}", self.url)).header("X-Forwarded-For", from);
        let mut answer = call.send_json(form).unwrap();
        assert_eq!(answer.status().as_u16(), status, "{path}: {:?}", answer.body_mut().read_to_string());
        answer.body_mut().read_json().unwrap_or_default()
    }

    fn get(&self, path: &str) -> Value {
        self.agent.get(format!("{}{path}", self.url)).call().unwrap().body_mut().read_json().unwrap()
    }

    fn captcha(&self) -> (Value, Value) {
        let drawn = self.post("/api/v1/captchas", &json!({"kind": "question"}), 200);
        let id = drawn["captcha_id"].clone();
        let heard = self.get(&format!("/dev/outbox?to=captcha:{}", id.as_str().unwrap()));
        (id, heard["items"][0]["value"].clone())
    }

    fn log_in(&self, person: &Value) -> f64 {
        let (captcha_id, captcha) = self.captcha();
        let form = json!({
            "account": person["holder"]["id_number"], "password": "not the password", "captcha_id": captcha_id,
            "captcha": captcha,
        });
        self.time("/api/v1/sessions", &form, 401)
    }

    fn send_code(&self, purpose: &str, mobile: &str) -> f64 {
        self.time("/api/v1/verification-codes", &json!({"purpose": purpose, "mobile": mobile}), 202)
    }

    /// Asks for a code to a mobile that nobody has had a code sent to, and reads it.
    fn code(&self, purpose: &str) -> (String, Value) {
        let mobile = format!("15{:09}", self.asked.get());
        self.send_code(purpose, &mobile);
        let heard = self.get(&format!("/dev/outbox?to={mobile}"));
        (mobile, heard["items"][0]["value"].clone())
    }

    fn recover(&self, person: &Value, _: usize) -> f64 {
        let (mobile, code) = self.code("recovery");
        let form = json!({
            "account": person["holder"]["id_number"], "mobile": mobile, "code": code, "password": "a third good one",
        });
        self.time("/api/v1/accounts/recovery", &form, 422)
    }

    fn sign_up(&self, person: &Value) -> f64 {
        let (mobile, code) = self.code("sign_up");
        let form = json!({
            "name": "张某某", "id_number": person["holder"]["id_number"], "mobile": mobile, "code": code,
            "password": "a third good one",
        });
        self.time("/api/v1/accounts", &form, 422)
    }

    fn query(&self, person: &Value) -> f64 {
        let (captcha_id, captcha) = self.captcha();
        let form = json!({
            "name": "张某某", "id_number": person["holder"]["id_number"], "management_no": person["management_no"],
            "captcha_id": captcha_id, "captcha": captcha,
        });
        self.time("/api/v1/verify/query", &form, 200)
    }

    fn verify(&self, arm: Arm) -> f64 {
        let path = match arm {
            Arm::Known => "K7QF2M9X4TRA81WD30VNC6JP5H",
            Arm::KnownToo => "5QF02M9X4TRA81WD30VNC6JP5H",
            Arm::Unknown => "K7QF2M9X4TRA81WD30VNC6JP5-is-no-code",
        };
        let begun = Instant::now();
        assert_eq!(self.get(&format!("/api/v1/verify/{path}"))["verdict"], "unknown");
        begun.elapsed().as_secs_f64()
    }
}

/// Each its own, so that none has to wait for the last code.
fn mobile(round: usize, arm: Arm) -> String {
    format!("13{}{round:08}", arm as usize + 1)
}
