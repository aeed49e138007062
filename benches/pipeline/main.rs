//! Measures the whole pipeline in one run and prints ratios: each figure beside a floor or a target measured in the same
//! minutes on the same machine.
//!
//! `cargo bench` runs all of it (100,000 annotations, some ten minutes); `cargo bench -- --quick` a small form.
//! Needs nginx and wrk, which `tests/setup` installs.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a program for a person at a terminal"
)]

#[path = "../../tests/servers/mod.rs"]
mod servers;
#[allow(dead_code, reason = "shared with the drill of moving")]
mod service;

use std::time::{Duration, Instant};

use chrono::{NaiveDate, TimeZone, Utc};
use ring::digest;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use vermilion::render::{Block, CopyKind, Sheet, Stamp, render};
use vermilion::seal::key::development;
use vermilion::seal::seal;

use crate::service::{Server, certificate, median, wrk};

fn main() {
    let quick = std::env::args().any(|argument| argument == "--quick");
    let many = if quick { 3_000 } else { 100_000 };
    println!("Vermilion, measured {} annotations deep; ratios of one run, machines are noisy.\n", many);
    copies(if quick { 1 } else { 5 });
    service(many);
}

/// Render + seal on one core, against what no implementation can avoid: hashing and signing the same bytes.
fn copies(seconds: u64) {
    let key = development::key().unwrap();
    let floor_key =
        EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &SystemRandom::new()).unwrap();
    let floor_key =
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, floor_key.as_ref(), &SystemRandom::new())
            .unwrap();
    let sheets: Vec<Sheet> = (0..64).map(sheet).collect();
    for sheet in &sheets {
        seal(render(sheet).unwrap(), &key).unwrap();
    }

    let (mut made, mut bytes) = (0, 0);
    let begun = cpu_time();
    let wall = Instant::now();
    let mut last = Vec::new();
    while wall.elapsed() < Duration::from_secs(seconds) {
        let sealed = seal(render(&sheets[made % sheets.len()]).unwrap(), &key).unwrap();
        made += 1;
        bytes += sealed.bytes().len();
        last = sealed.bytes().to_vec();
    }
    let copies = made as f64 / (cpu_time() - begun).as_secs_f64();

    let (mut signed, begun, wall) = (0, cpu_time(), Instant::now());
    while wall.elapsed() < Duration::from_secs(seconds) {
        digest::digest(&digest::SHA256, &last);
        floor_key.sign(&SystemRandom::new(), &last[..256]).unwrap();
        signed += 1;
    }
    let floor = signed as f64 / (cpu_time() - begun).as_secs_f64();
    println!(
        "render + seal            {copies:8.0} copies per core-second (target 200), {} bytes each",
        bytes / made
    );
    println!("floor: hash + sign       {floor:8.0} per core-second; ratio {:.4}\n", copies / floor);
}

/// CPU time of this thread: what the machine's other work does not add to.
fn cpu_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(stat.split(' ').next().unwrap().parse().unwrap())
}

fn sheet(n: u32) -> Sheet {
    // 64 different holders, so that no font subset is like another.
    let han: String = (0..3).map(|i| char::from_u32(0x4e00 + (n * 97 + i * 7919) % 6000).unwrap()).collect();
    let day = |text: &str| text.parse::<NaiveDate>().unwrap();
    Sheet {
        title: "注册城乡规划师职业资格证书".into(),
        holder_name: han,
        id_number: "11010519491231002X".into(),
        sex: Some("女".into()),
        born: Some(day("1949-12-31")),
        level: None,
        specialty: Some("城乡规划".into()),
        approved_on: day("2024-09-22"),
        issued_on: day("2024-11-01"),
        valid_until: None,
        management_no: format!("20240922110{n:05}"),
        licence_id: "1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.001.U".into(),
        issuer: "示例省人事考试中心".into(),
        photo: None,
        signature: None,
        hand_signature: false,
        stamp: Stamp {
            arc: "示例机构电子证书专用章".into(), purpose: "测试专用章".into(), diameter_mm: 42
        },
        copy: CopyKind::Annotated(Block {
            scenario: "本人调用".into(),
            recipient: Some("示例建设集团有限公司".into()),
            valid_from: day("2026-11-21"),
            valid_until: day("2027-02-18"),
            code: "K7QF 2M9X 4TRA 81WD 30VN C6JP 5H".into(),
            verify_url: "https://verify.example.org/v/K7QF2M9X4TRA81WD30VNC6JP5H".into(),
        }),
        made_at: Utc.with_ymd_and_hms(2026, 11, 21, 15, 41, 7).unwrap(),
    }
}

/// The service as a process of its own, loaded over HTTP.
fn service(many: usize) {
    let server = Server::start(&[]);

    let body: String = (0..many).map(|n| certificate(n) + "\n").collect();
    let begun = Instant::now();
    let ids = server.import(&body);
    let rate = many as f64 / begun.elapsed().as_secs_f64();
    println!("import                   {rate:8.0} records per second (target 5,000), over HTTP");

    let mut waits: Vec<Duration> = ids.iter().take(60).map(|id| server.order_and_wait(id)).collect();
    println!("order to ready, idle     {:8.1} ms median (target 50)", median(&mut waits).as_secs_f64() * 1e3);

    // One certificate, one annotation: the first sixty have theirs already.
    let rest = &ids[60..];
    let begun = Instant::now();
    let (codes, accepted) = server.order_all(rest);
    let n = rest.len() as f64;
    println!(
        "orders accepted          {:8.0} per second, durable, while copies are made",
        n / accepted.as_secs_f64()
    );
    server.wait_until_idle();
    println!(
        "orders to ready          {:8.0} per second, client included",
        n / begun.elapsed().as_secs_f64()
    );

    let seconds = if many > 10_000 { 8 } else { 3 };
    let mut ratios = Vec::new();
    for round in 1..=3 {
        let ours = wrk(&server.address(), Some(&codes), seconds);
        let floor = service::nginx(seconds);
        ratios.push(Duration::from_secs_f64(ours / floor));
        println!(
            "verification, round {round}    {ours:8.0} per second; nginx with 2 KB {floor:.0}; ratio {:.3}",
            ours / floor
        );
    }
    println!(
        "verification             {:8.3} of nginx, median (target 0.4), {} annotations stored",
        median(&mut ratios).as_secs_f64(),
        many
    );
    println!("resident memory          {:8} MiB (target 200)", server.resident_mib());
}
