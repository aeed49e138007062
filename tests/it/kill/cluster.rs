//! Two nodes that answer and two that make copies, on one database and one object store, under load: every few seconds
//! one of them is killed, and twice the database. At the end nothing that was answered with success is missing.

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, RwLock};
use std::time::{Duration, Instant};

use crate::servers::node::{self, Node};
use crate::servers::{postgres, s3};

use super::world::{Dice, Door, World, act, ask_again, verify_all, verify_fresh};

/// What the load came to.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) kills: usize,
    pub(crate) database_restarts: usize,
    pub(crate) certificates: usize,
    pub(crate) orders: usize,
    pub(crate) asked_again: usize,
}

/// What every node of the cluster stands on.
pub(crate) struct Ground {
    pub(crate) postgres: postgres::Server,
    s3: s3::Server,
    database: String,
}

impl Ground {
    /// A database and a bucket, empty.
    pub(crate) fn new() -> Self {
        let (postgres, s3) = (postgres::Server::start(), s3::Server::start());
        let database = postgres.create("cluster");
        s3.create("copies");
        Self { postgres, s3, database }
    }

    /// The command that serves as one node in a role.
    pub(crate) fn command(&self, role: &str) -> Command {
        let mut command = node::command();
        command
            .args(["--role", role])
            .env("VERMILION_POSTGRES__URL", &self.database)
            .env("VERMILION_POSTGRES__CONNECTIONS", "8")
            .env("VERMILION_DOCUMENTS__ENDPOINT", self.s3.endpoint())
            .env("VERMILION_DOCUMENTS__BUCKET", "copies")
            .env("VERMILION_DOCUMENTS__ACCESS_KEY", s3::KEY)
            .env("VERMILION_DOCUMENTS__SECRET_KEY", s3::SECRET);
        command
    }

    /// The same as a file of settings says it.
    pub(crate) fn settings(&self) -> String {
        format!(
            "[postgres]\nurl = \"{}\"\n[documents]\nendpoint = \"{}\"\nbucket = \"copies\"\n\
             access_key = \"{}\"\nsecret_key = \"{}\"\n",
            self.database,
            self.s3.endpoint(),
            s3::KEY,
            s3::SECRET
        )
    }
}

const ROLES: [&str; 4] = ["api", "api", "worker", "worker"];

/// Runs the cluster under load for a while; panics at the first thing that is missing or broken.
pub(crate) fn run(seconds: u64, seed: u64) -> Tally {
    println!("a cluster for {seconds} s, seed {seed}");
    let ground = Ground::new();
    let mut key = None;
    let mut nodes: Vec<Option<Node>> =
        ROLES.iter().map(|role| Some(Node::start(ground.command(role), &mut key))).collect();
    let doors = |nodes: &[Option<Node>]| -> Vec<Door> { nodes[..2].iter().flatten().map(Door::of).collect() };
    let open = RwLock::new(doors(&nodes));
    let world = Mutex::new(World::default());
    let over = AtomicBool::new(false);
    let mut dice = Dice(seed | 1);
    let mut tally = Tally::default();
    std::thread::scope(|scope| {
        for caller in 0..4 {
            let (open, world, over) = (&open, &world, &over);
            let mut dice = Dice((seed + caller * 7919) | 1);
            scope.spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    let door = {
                        let open = open.read().unwrap();
                        open[dice.roll(open.len() as u64) as usize].clone()
                    };
                    act(&door.url, &door.key, world, &mut dice);
                }
            });
        }
        let begun = Instant::now();
        let span = Duration::from_secs(seconds);
        while begun.elapsed() < span {
            std::thread::sleep(Duration::from_millis(700 + dice.roll(2300)));
            let chosen = dice.roll(4) as usize;
            nodes[chosen].take().unwrap().kill();
            tally.kills += 1;
            // A third and two thirds through, the database falls without a word, and comes back.
            if begun.elapsed() * 3 > span * (tally.database_restarts as u32 + 1)
                && tally.database_restarts < 2
            {
                ground.postgres.kill();
                std::thread::sleep(Duration::from_millis(dice.roll(1500)));
                ground.postgres.resume();
                tally.database_restarts += 1;
            }
            nodes[chosen] = Some(Node::start(ground.command(ROLES[chosen]), &mut key));
            *open.write().unwrap() = doors(&nodes);
        }
        over.store(true, Ordering::Relaxed);
    });
    let door = doors(&nodes).remove(0);
    tally.asked_again = ask_again(&door, &world);
    verify_fresh(&door, &world, &mut dice);
    let world = world.into_inner().unwrap();
    verify_all(&door, &world);
    nodes.into_iter().flatten().for_each(Node::stop);
    tally.certificates = world.certificates.len();
    tally.orders = world.orders.len();
    println!("{tally:?}");
    tally
}
