//! What a check of a store finds, and how one entry is looked through: the same for every home.

use crate::domain::ids::{AccountId, AnnotationId, CaseId, CertificateId, TicketId};
use crate::store::Fault;
use crate::store::cipher::{Cipher, DataKey, Kind};
use crate::store::encoding::read_event;
use crate::store::entry::{self, WriteLine, parse_sealed};
use crate::store::record::account::read_account;
use crate::store::record::case::read_case;
use crate::store::record::registrant::read_registrant;
use crate::store::record::ticket::read_ticket;
use crate::store::record::{read_annotation, read_certificate};

/// What a check found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Entries of the ledger, all chained.
    pub entries: u64,
    /// Records and reasons that were decrypted and read.
    pub records: u64,
    /// Documents that were decrypted and match their digest.
    pub documents: u64,
    /// Records and documents of erased persons.
    pub erased: u64,
    /// What is worth knowing, and no fault.
    pub notes: Vec<String>,
    /// What is wrong.
    pub faults: Vec<String>,
}

impl Report {
    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.faults.is_empty()
    }

    /// Adds what was found elsewhere.
    pub(crate) fn join(&mut self, other: Self) {
        self.entries += other.entries;
        self.records += other.records;
        self.documents += other.documents;
        self.erased += other.erased;
        self.notes.extend(other.notes);
        self.faults.extend(other.faults);
    }

    /// How much was read.
    pub(crate) fn summary(&self) -> String {
        format!(
            "{} entries, {} records and {} documents are good; {} belong to erased persons",
            self.entries, self.records, self.documents, self.erased
        )
    }

    /// One finding a line.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![self.summary()];
        lines.extend(self.notes.iter().map(|note| format!("note: {note}")));
        lines.extend(self.faults.iter().map(|fault| format!("fault: {fault}")));
        lines
    }
}

/// Decrypts and reads everything in an entry; `key` gives the key of a slot, none where it was erased.
pub(crate) fn inspect(
    cipher: &Cipher,
    key: impl Fn(u32) -> Result<Option<DataKey>, Fault>,
    payload: &[u8],
    report: &mut Report,
) -> Result<(), Fault> {
    let fault = |error: Box<dyn std::error::Error + Send + Sync>| Fault::new("reading a record", error);
    for shape in entry::read_events(payload).map_err(|error| fault(error.into()))? {
        if let Some(reason) = &shape.reason {
            let slot = reason.slot;
            match read_event(cipher, shape, &key)?.reason {
                Some(_) => report.records += 1,
                None if slot.is_some() => report.erased += 1,
                None => return Err(fault("a reason cannot be read".into())),
            }
        }
    }
    for write in entry::read_writes(payload) {
        let (slot, kind, name, sealed) = match write.map_err(|error| fault(error.into()))?.1 {
            WriteLine::Certificate(line) => (line.slot, Kind::Certificate, *line.id.as_bytes(), line.sealed),
            WriteLine::Annotation(line) => (line.slot, Kind::Annotation, *line.id.as_bytes(), line.sealed),
            WriteLine::Account(line) => (line.slot, Kind::Account, *line.id.as_bytes(), line.sealed),
            WriteLine::Ticket(line) => (line.slot, Kind::Ticket, *line.id.as_bytes(), line.sealed),
            WriteLine::Case(line) => (line.slot, Kind::Case, *line.id.as_bytes(), line.sealed),
            WriteLine::Registrant(line) => (line.slot, Kind::Registrant, line.person.0, line.sealed),
            _ => continue,
        };
        let Some(key) = key(slot)? else {
            report.erased += 1;
            continue;
        };
        let mut sealed = parse_sealed(sealed).map_err(|error| fault(error.into()))?;
        let plain = cipher.open(&key, kind, &name, &mut sealed)?;
        let read = match kind {
            Kind::Certificate => read_certificate(CertificateId::from_bytes(name), plain).map(|_| ()),
            Kind::Account => read_account(AccountId::from_bytes(name), plain).map(|_| ()),
            Kind::Ticket => read_ticket(TicketId::from_bytes(name), plain).map(|_| ()),
            Kind::Case => read_case(CaseId::from_bytes(name), plain).map(|_| ()),
            Kind::Registrant => read_registrant(plain).map(|_| ()),
            _ => read_annotation(AnnotationId::from_bytes(name), plain).map(|_| ()),
        };
        read.map_err(|error| fault(error.into()))?;
        report.records += 1;
    }
    Ok(())
}
