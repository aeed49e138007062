//! Kill rounds as a program: `cargo bench --bench kill -- --rounds 200 --seed 7`; of a cluster of four nodes with
//! `--cluster --seconds 120`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a program for a person at a terminal"
)]

#[allow(dead_code, reason = "the stories need more of it")]
#[path = "../tests/it/kill/mod.rs"]
mod kill;
#[path = "../tests/servers/mod.rs"]
mod servers;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let value = |name: &str, otherwise: u64| {
        let at = arguments.iter().position(|argument| argument == name);
        at.and_then(|at| arguments.get(at + 1)).map_or(otherwise, |text| text.parse().expect("a number"))
    };
    let seed = value("--seed", u64::from(std::process::id()));
    if arguments.iter().any(|argument| argument == "--cluster") {
        let tally = kill::cluster::run(value("--seconds", 120), seed);
        println!("nothing that was answered with success is missing: {tally:?}");
        return;
    }
    let rounds = usize::try_from(value("--rounds", 200)).unwrap();
    let tally = kill::rounds(rounds, seed);
    println!("nothing that was answered with success is missing: {tally:?}");
}
