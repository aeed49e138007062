//! The whole check of a store that nobody has open: frames and chain, records, documents, and the index against the
//! ledger. It changes nothing.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::store::cipher::Master;
use crate::store::embedded::OpenError;
use crate::store::embedded::documents::{Found, read};
use crate::store::embedded::fold::Spot;
use crate::store::embedded::frame::Tail;
use crate::store::embedded::index::{Index, is_suspect};
use crate::store::embedded::io::{Disk, remove};
use crate::store::embedded::keyring::Keyring;
use crate::store::embedded::ledger::Ledger;
use crate::store::embedded::recovery::{judge, open_segments, replay, walk};
use crate::store::embedded::state::{State, boot_id};
use crate::store::embedded::vault::Vault;
use crate::store::inspection::{Report, inspect};
use crate::store::migrate::mentions::Mentions;

fn failed(doing: &'static str) -> impl Fn(io::Error) -> OpenError {
    move |source| OpenError::Io { doing, source }
}

pub(crate) fn check(folder: &Path, master: &Master) -> Result<Report, OpenError> {
    let state = State::read(folder).map_err(failed("reading STATE"))?.ok_or(OpenError::NoState)?;
    judge(&state, folder, master)?;
    let ring = Keyring::open(Arc::new(Disk), folder).map_err(failed("opening the key ring"))?;
    let vault = Vault::new(master, state.store.0, ring)
        .map_err(|error| failed("opening the key ring")(io::Error::other(error)))?;

    let mut report = Report::default();
    let mut named = Mentions::default();
    let ledger = Ledger::new();
    let walked = walk(folder, &state, |header, frame| {
        ledger.note(frame.head.seq, Spot::of(header, frame));
        report.entries += 1;
        let inspected = inspect(&vault, |slot| Ok(vault.key(slot)?), frame.payload, &mut report);
        if let Err(error) = inspected.and_then(|()| named.read(frame.payload)) {
            let cause = error.source;
            report.faults.push(format!("entry {}: {}: {cause}", frame.head.seq, error.doing));
        }
    });
    match walked {
        Ok(walked) => {
            ledger.set_head(walked.extent.seq, walked.extent.chain);
            if walked.extent.tail == Tail::Torn {
                let at = walked.extent.end;
                report.notes.push(format!(
                    "an unfinished entry in segment {} at byte {at} will be cut off at the next start",
                    walked.header.first
                ));
            }
        }
        Err(rotten @ OpenError::Rotten { .. }) => {
            report.faults.push(rotten.to_string());
            return Ok(report);
        }
        Err(error) => return Err(error),
    }
    for digest in named.documents {
        match read(folder, &vault, digest) {
            Ok(Found::Plain(_)) => report.documents += 1,
            Ok(Found::Erased) => report.erased += 1,
            Ok(Found::Nothing) => report.faults.push(format!("document {digest} is missing")),
            Err(error) => report.faults.push(format!("document {digest}: {}", error.source)),
        }
    }
    open_segments(folder, &ledger)?;
    let boot = boot_id();
    let trusted = state.clean || (!boot.is_empty() && boot == state.boot);
    if trusted && !is_suspect(folder) && folder.join("index").is_dir() {
        compare_index(folder, &ledger, &mut report)?;
    } else {
        report.notes.push("the index will be made anew at the next start".to_owned());
    }
    Ok(report)
}

/// Compares a copy of the index, brought up to the head, with one made from the ledger.
fn compare_index(folder: &Path, ledger: &Ledger, report: &mut Report) -> Result<(), OpenError> {
    let comparing = failed("comparing the index");
    let (present, expected) = (folder.join("tmp/check-present"), folder.join("tmp/check-expected"));
    let clear = || remove(&present).and_then(|()| remove(&expected));
    clear().map_err(&comparing)?;
    fs::create_dir_all(present.join("index")).map_err(&comparing)?;
    fs::create_dir_all(&expected).map_err(&comparing)?;
    copy_folder(&folder.join("index"), &present.join("index")).map_err(&comparing)?;
    match Index::open(&present).and_then(|index| Ok((index.applied()?, index))) {
        Ok((applied, index)) => {
            replay(&index, ledger, applied + 1, false)?;
            let fresh = Index::open(&expected).map_err(&comparing)?;
            replay(&fresh, ledger, 1, true)?;
            let (mut here, mut there) = (index.all(), fresh.all());
            loop {
                match (here.next().transpose(), there.next().transpose()) {
                    (Ok(None), Ok(None)) => break,
                    (Ok(a), Ok(b)) if a == b => {}
                    _ => {
                        report.faults.push("the index differs from the ledger: delete index/".to_owned());
                        break;
                    }
                }
            }
        }
        Err(error) => report.faults.push(format!("the index cannot be read: {error}: delete index/")),
    }
    clear().map_err(&comparing)
}

fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    for file in fs::read_dir(from)? {
        let file = file?;
        let target = to.join(file.file_name());
        if file.file_type()?.is_dir() {
            fs::create_dir_all(&target)?;
            copy_folder(&file.path(), &target)?;
        } else {
            fs::copy(file.path(), &target)?;
        }
    }
    Ok(())
}
