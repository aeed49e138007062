//! What entries name: the slots and documents that must be there before them, and how many records they make.

use std::collections::{BTreeSet, HashSet};
use std::fmt;
use std::ops::{Add, AddAssign};

use crate::domain::ids::{AnnotationId, CertificateId, Sha256};
use crate::store::Fault;
use crate::store::entry::{self, WriteLine};
use crate::store::record::Unreadable;

/// How many of each a store holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) certificates: u64,
    pub(crate) annotations: u64,
    pub(crate) documents: u64,
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { certificates, annotations, documents } = self;
        write!(f, "{certificates} certificates, {annotations} annotations and {documents} documents")
    }
}

impl Add for Counts {
    type Output = Self;

    fn add(self, more: Self) -> Self {
        Self {
            certificates: self.certificates + more.certificates,
            annotations: self.annotations + more.annotations,
            documents: self.documents + more.documents,
        }
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, more: Self) {
        *self = *self + more;
    }
}

/// What was read in entries so far.
#[derive(Debug, Default)]
pub(crate) struct Mentions {
    pub(crate) slots: BTreeSet<u32>,
    pub(crate) documents: BTreeSet<Sha256>,
    pub(crate) certificates: HashSet<CertificateId>,
    pub(crate) annotations: HashSet<AnnotationId>,
}

impl Mentions {
    /// Takes up one entry.
    pub(crate) fn read(&mut self, payload: &[u8]) -> Result<(), Fault> {
        let unreadable = |error: Unreadable| Fault::new("reading an entry", error);
        for event in entry::read_events(payload).map_err(unreadable)? {
            self.slots.extend(event.reason.and_then(|reason| reason.slot));
        }
        for write in entry::read_writes(payload) {
            match write.map_err(unreadable)?.1 {
                WriteLine::Certificate(line) => {
                    self.slots.insert(line.slot);
                    self.documents.extend(line.photo);
                    self.certificates.insert(line.id);
                }
                WriteLine::Annotation(line) => {
                    self.slots.insert(line.slot);
                    self.documents.extend(line.document);
                    self.annotations.insert(line.id);
                }
                WriteLine::PlainCopy(line) => {
                    self.documents.insert(line.document);
                }
                WriteLine::Job(_) | WriteLine::JobDone(_) | WriteLine::Key(_) | WriteLine::Answer(_) => {}
            }
        }
        Ok(())
    }

    pub(crate) fn counts(&self) -> Counts {
        Counts {
            certificates: self.certificates.len() as u64,
            annotations: self.annotations.len() as u64,
            documents: self.documents.len() as u64,
        }
    }
}
