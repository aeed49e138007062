//! Kills the service with SIGKILL at random moments under load, harms its index, starts it again, and checks that
//! nothing that was answered with success is missing. Shared by a test (a few rounds) and by a program (many).

pub(crate) mod cluster;
pub(crate) mod world;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::servers::node::{self, Node};

use self::world::{Dice, Door, World, act, ask_again, verify_all, verify_fresh};

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

fn command(data: &Path) -> Command {
    let mut command = node::command();
    command.arg("--data").arg(data);
    command
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
        let node = Node::start(command(&data), &mut key);
        tally.asked_again += ask_again(&Door::of(&node), &world);
        verify_fresh(&Door::of(&node), &world, &mut dice);
        load_and_kill(node, &world, dice.roll(1_000_000_007), Duration::from_millis(30 + dice.roll(700)));
        tally.kills += 1;
        harm(&data, &mut dice, &mut tally);
        if dice.roll(100) < 20 {
            // Killed while it starts, recovers or rebuilds.
            let mut child = command(&data).spawn().unwrap();
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
    let node = Node::start(command(&data), &mut key);
    tally.asked_again += ask_again(&Door::of(&node), &world);
    let world = world.into_inner().unwrap();
    verify_all(&Door::of(&node), &world);
    node.stop();
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
fn load_and_kill(node: Node, world: &Mutex<World>, seed: u64, life: Duration) {
    let over = AtomicBool::new(false);
    let door = Door::of(&node);
    std::thread::scope(|scope| {
        for caller in 0..4 {
            let (door, over) = (&door, &over);
            let mut dice = Dice((seed + caller * 7919) | 1);
            scope.spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    act(&door.url, &door.key, world, &mut dice);
                }
            });
        }
        std::thread::sleep(life);
        node.kill();
        over.store(true, Ordering::Relaxed);
    });
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
