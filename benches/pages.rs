//! How long the pages take, each beside the program's answer of the same data in the same run:
//! `cargo bench --bench pages`. 100,000 certificates are stored; `-- --certificates N` for another number. Ends with 1
//! where a page's median is above the target.
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

use std::process::ExitCode;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::service::{Server, certificate, median};

/// Most that a page may take.
const TARGET: Duration = Duration::from_millis(20);

/// People whose pages are looked at in turn, so that no answer is one that was just given.
const PEOPLE: usize = 50;
const ROUNDS: usize = 400;

/// Who looks, and what there is to see.
struct Person {
    token: String,
    certificate: String,
    annotation: String,
    code: String,
}

fn main() -> ExitCode {
    let number = std::env::args().skip_while(|argument| argument != "--certificates").nth(1);
    let many: usize = number.map_or(100_000, |number| number.parse().unwrap());
    let server = Server::start(&[]);
    let body: String = (0..many).map(|n| certificate(n) + "\n").collect();
    let ids = server.import(&body);
    let stride = many / PEOPLE;
    let people: Vec<Person> = (0..PEOPLE).map(|n| settle(&server, n * stride, &ids[n * stride])).collect();
    server.wait_until_idle();

    println!("{many} certificates stored, {ROUNDS} rounds in turns, medians over HTTP; target {TARGET:?}.\n");
    println!("{:<28}{:>10}{:>12}{:>8}{:>9}", "page", "page, ms", "program, ms", "ratio", "KB");
    let rows = [
        row("list of certificates", |_| "/me".into(), |_| "/api/v1/me/certificates".into()),
        row(
            "certificate",
            |person| format!("/me/certificates/{}", person.certificate),
            |person| format!("/api/v1/me/certificates/{}", person.certificate),
        ),
        row(
            "annotation",
            |person| format!("/me/annotations/{}", person.annotation),
            |person| format!("/api/v1/me/annotations/{}", person.annotation),
        ),
        row("account", |_| "/me/account".into(), |_| "/api/v1/me/log".into()),
        row(
            "verdict",
            |person| format!("/v/{}", person.code),
            |person| format!("/api/v1/verify/{}", person.code),
        ),
        row("home; program: a verdict", |_| "/".into(), |person| format!("/api/v1/verify/{}", person.code)),
    ];
    let slow = rows.iter().filter(|row| !measure(&server, &people, row)).count();
    if slow == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// A page and the program's answer beside it.
struct Row {
    name: &'static str,
    page: fn(&Person) -> String,
    program: fn(&Person) -> String,
}

fn row(name: &'static str, page: fn(&Person) -> String, program: fn(&Person) -> String) -> Row {
    Row { name, page, program }
}

/// The holder of a record, with an account and a copy.
fn settle(server: &Server, number: usize, id: &str) -> Person {
    let record: Value = serde_json::from_str(&certificate(number)).unwrap();
    let holder = &record["holder"];
    let form = json!({"kind": "holder", "name": holder["name"], "id_number": holder["id_number"]});
    let made = ureq::post(format!("{}/dev/accounts", server.address())).send_json(form).unwrap();
    let made: Value = made.into_body().read_json().unwrap();
    let client = server.client();
    let code = client.order(id);
    let listed = client.get(&format!("/api/v1/admin/annotations?certificate={id}"));
    Person {
        token: made["token"].as_str().unwrap().to_owned(),
        certificate: id.to_owned(),
        annotation: listed["items"][0]["id"].as_str().unwrap().to_owned(),
        code,
    }
}

/// Prints a row, and says whether the page is quick enough.
fn measure(server: &Server, people: &[Person], row: &Row) -> bool {
    let agent = ureq::Agent::config_builder().max_redirects(0).build().new_agent();
    let ask = |path: &str, name: &str, value: String| {
        let begun = Instant::now();
        let mut answer = agent.get(format!("{}{path}", server.address())).header(name, value).call().unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        let length = answer.body_mut().read_to_vec().unwrap().len();
        (begun.elapsed(), length)
    };
    let (mut pages, mut programs, mut length) = (Vec::new(), Vec::new(), 0);
    for round in 0..ROUNDS {
        let person = &people[round % people.len()];
        let (took, bytes) = ask(&(row.page)(person), "Cookie", format!("session={}", person.token));
        pages.push(took);
        length = length.max(bytes);
        programs.push(ask(&(row.program)(person), "Authorization", format!("Bearer {}", person.token)).0);
    }
    let (page, program) = (median(&mut pages), median(&mut programs));
    println!(
        "{:<28}{:>10.2}{:>12.2}{:>8.2}{:>9.1}{}",
        row.name,
        page.as_secs_f64() * 1e3,
        program.as_secs_f64() * 1e3,
        page.as_secs_f64() / program.as_secs_f64(),
        length as f64 / 1e3,
        if page < TARGET { "" } else { "  ** too slow **" }
    );
    page < TARGET
}
