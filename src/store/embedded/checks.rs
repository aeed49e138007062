//! The folder `checks`: how often copies and certificates were verified. Beside the ledger, since it proves nothing, and
//! beside the index, since nothing could make it anew. A record is added where something was counted and says how many
//! more; records that a crash cut off or damaged are passed over. Sixteen files, by the last digit of the name of what was
//! verified: so what is asked about is found by reading a sixteenth.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::domain::ids::{AnnotationId, CertificateId};
use crate::domain::tally::{Door, Heading, Hour, Subject, Tallies, add};
use crate::store::embedded::io::{Io, remove, replace};

/// Where the files are.
pub(crate) const FOLDER: &str = "checks";
/// How many files there are.
pub(crate) const FILES: u8 = 16;

const RECORD: usize = 32;
const OF_ANNOTATION: u8 = 1;
const OF_CERTIFICATE: u8 = 2;

/// The counts of one store.
#[derive(Debug)]
pub(crate) struct Checks {
    io: Arc<dyn Io>,
    folder: PathBuf,
    /// One write at a time.
    writing: Mutex<()>,
}

impl Checks {
    /// Makes the folder, and writes together what grew long.
    pub(crate) fn open(io: Arc<dyn Io>, store: &Path) -> io::Result<Self> {
        let checks = Self { io, folder: store.join(FOLDER), writing: Mutex::default() };
        fs::create_dir_all(&checks.folder)?;
        for file in 0..FILES {
            checks.shorten(file)?;
        }
        Ok(checks)
    }

    /// Adds counts, durably.
    pub(crate) fn add(&self, tallies: &Tallies) -> io::Result<()> {
        let _turn = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        for file in 0..FILES {
            let mut records = Vec::new();
            for (heading, count) in tallies.iter().filter(|(heading, _)| file_of(heading.subject) == file) {
                write(heading, *count, &mut records);
            }
            if !records.is_empty() {
                self.append(file, &records)?;
            }
        }
        Ok(())
    }

    fn append(&self, file: u8, records: &[u8]) -> io::Result<()> {
        let path = path_of(&self.folder, file);
        let is_new = !path.exists();
        let open: File =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path)?;
        let length = open.metadata()?.len();
        // Over what a crash cut off.
        self.io.write(&open, &path, length - length % RECORD as u64, records)?;
        self.io.sync(&open, &path)?;
        if is_new { self.io.sync_dir(&self.folder) } else { Ok(()) }
    }

    /// What was counted of one subject.
    pub(crate) fn of(&self, subject: Subject) -> io::Result<Tallies> {
        let (mut tallies, _) = read(&self.folder, file_of(subject), |heading| heading.subject == subject)?;
        tallies.retain(|_, count| *count > 0);
        Ok(tallies)
    }

    /// Forgets everything.
    pub(crate) fn clear(&self) -> io::Result<()> {
        let _turn = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        for file in 0..FILES {
            remove(&path_of(&self.folder, file))?;
        }
        self.io.sync_dir(&self.folder)
    }

    /// Writes a file anew where it holds several records of most things.
    fn shorten(&self, file: u8) -> io::Result<()> {
        let (tallies, records) = read(&self.folder, file, |_| true)?;
        if records < 2 * tallies.len().max(1) {
            return Ok(());
        }
        let mut bytes = Vec::with_capacity(tallies.len() * RECORD);
        for (heading, count) in &tallies {
            write(heading, *count, &mut bytes);
        }
        replace(&*self.io, &path_of(&self.folder, file), &bytes)
    }
}

/// All that one file of a store holds, for a store that moves away.
pub(crate) fn in_file(store: &Path, file: u8) -> io::Result<Tallies> {
    read(&store.join(FOLDER), file, |_| true).map(|(tallies, _)| tallies)
}

/// The last digit of a name: the first ones are its moment.
fn file_of(subject: Subject) -> u8 {
    subject.as_bytes()[15] % FILES
}

fn path_of(folder: &Path, file: u8) -> PathBuf {
    folder.join(format!("{file:x}"))
}

/// What is wanted of a file, and how many records of it were read.
fn read(folder: &Path, file: u8, wanted: impl Fn(&Heading) -> bool) -> io::Result<(Tallies, usize)> {
    let bytes = match fs::read(path_of(folder, file)) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error),
    };
    let (mut tallies, mut records) = (Tallies::new(), 0);
    for (heading, count) in bytes.as_chunks::<RECORD>().0.iter().filter_map(parse) {
        if wanted(&heading) {
            add(&mut tallies, [(heading, count)]);
            records += 1;
        }
    }
    Ok((tallies, records))
}

/// Kind, door, two bytes of nothing; hour; name; count; CRC-32 of all before.
fn write(heading: &Heading, count: u64, to: &mut Vec<u8>) {
    let (kind, name) = match &heading.subject {
        Subject::Annotation(id) => (OF_ANNOTATION, id.as_bytes()),
        Subject::Certificate(id) => (OF_CERTIFICATE, id.as_bytes()),
    };
    let start = to.len();
    to.extend_from_slice(&[kind, heading.door as u8, 0, 0]);
    to.extend_from_slice(&heading.hour.number().to_le_bytes());
    to.extend_from_slice(name);
    to.extend_from_slice(&u32::try_from(count).unwrap_or(u32::MAX).to_le_bytes());
    let crc = crc32fast::hash(&to[start..]);
    to.extend_from_slice(&crc.to_le_bytes());
}

/// None where it is damaged, or of a later version.
fn parse(record: &[u8; RECORD]) -> Option<(Heading, u64)> {
    let number = |at: usize| record.get(at..at + 4)?.try_into().ok().map(u32::from_le_bytes);
    if number(28)? != crc32fast::hash(&record[..28]) {
        return None;
    }
    let name: [u8; 16] = record[8..24].try_into().ok()?;
    let subject = match record[0] {
        OF_ANNOTATION => Subject::Annotation(AnnotationId::from_bytes(name)),
        OF_CERTIFICATE => Subject::Certificate(CertificateId::from_bytes(name)),
        _ => return None,
    };
    let door = Door::ALL.into_iter().find(|door| *door as u8 == record[1])?;
    Some((Heading { subject, hour: Hour::from_number(number(4)?), door }, number(24)?.into()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed test panics")]
    use super::*;
    use crate::store::embedded::io::Disk;

    fn tallies(hour: u32, count: u64) -> Tallies {
        let subject = Subject::Annotation(AnnotationId::from_bytes([7; 16]));
        [(Heading { subject, hour: Hour::from_number(hour), door: Door::File }, count)].into()
    }

    fn open(store: &Path) -> Checks {
        Checks::open(Arc::new(Disk), store).unwrap()
    }

    #[test]
    fn what_a_crash_cut_off_or_damaged_is_passed_over_and_the_rest_counts() {
        let folder = tempfile::tempdir().unwrap();
        let checks = open(folder.path());
        let subject = Subject::Annotation(AnnotationId::from_bytes([7; 16]));
        for hour in 1..=3 {
            checks.add(&tallies(hour, 5)).unwrap();
        }
        let path = folder.path().join("checks/7");
        let mut bytes = fs::read(&path).unwrap();
        bytes[RECORD + 9] ^= 1;
        bytes.truncate(3 * RECORD - 1);
        fs::write(&path, &bytes).unwrap();
        assert_eq!(checks.of(subject).unwrap(), tallies(1, 5));
        checks.add(&tallies(4, 6)).unwrap();
        let mut expected = tallies(1, 5);
        expected.extend(tallies(4, 6));
        assert_eq!(open(folder.path()).of(subject).unwrap(), expected);
        assert_eq!(fs::read(&path).unwrap().len(), 3 * RECORD);
    }

    #[test]
    fn what_was_counted_every_minute_is_written_together_at_the_next_start() {
        let folder = tempfile::tempdir().unwrap();
        let checks = open(folder.path());
        for _ in 0..60 {
            checks.add(&tallies(1, 2)).unwrap();
        }
        let subject = Subject::Annotation(AnnotationId::from_bytes([7; 16]));
        assert_eq!(open(folder.path()).of(subject).unwrap(), tallies(1, 120));
        assert_eq!(fs::read(folder.path().join("checks/7")).unwrap().len(), RECORD);
        checks.clear().unwrap();
        assert!(open(folder.path()).of(subject).unwrap().is_empty());
    }
}
