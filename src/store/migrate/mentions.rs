//! What entries name: the slots and documents that must be there before them, and how many records they make.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt;

use crate::domain::ids::{AccountId, AnnotationId, CertificateId, Sha256};
use crate::store::Fault;
use crate::store::entry::{self, Blind, WriteLine};
use crate::store::record::Unreadable;

/// How many of each a store holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) certificates: u64,
    pub(crate) annotations: u64,
    /// Login names: of the accounts that one had in turn, only the last counts.
    pub(crate) accounts: u64,
    pub(crate) sessions: u64,
    pub(crate) codes: u64,
    pub(crate) documents: u64,
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { certificates, annotations, accounts, sessions, codes, documents } = self;
        write!(f, "{certificates} certificates, {annotations} annotations, {accounts} accounts, ")?;
        write!(f, "{sessions} sessions, {codes} verification codes and {documents} documents")
    }
}

/// What was read in entries so far.
#[derive(Debug, Default)]
pub(crate) struct Mentions {
    pub(crate) slots: BTreeSet<u32>,
    pub(crate) documents: BTreeSet<Sha256>,
    certificates: HashSet<CertificateId>,
    annotations: HashSet<AnnotationId>,
    accounts: HashMap<AccountId, Blind>,
    sessions: HashSet<Sha256>,
    codes: HashSet<(String, Blind)>,
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
                WriteLine::Account(line) => {
                    self.slots.insert(line.slot);
                    self.accounts.insert(line.id, line.login);
                }
                WriteLine::Session(line) => {
                    self.sessions.insert(line.token);
                }
                WriteLine::Code(line) => {
                    self.codes.insert((line.purpose, line.mobile));
                }
                WriteLine::Job(_) | WriteLine::JobDone(_) | WriteLine::Key(_) | WriteLine::Answer(_) => {}
            }
        }
        Ok(())
    }

    pub(crate) fn counts(&self) -> Counts {
        let logins: HashSet<&Blind> = self.accounts.values().collect();
        Counts {
            certificates: self.certificates.len() as u64,
            annotations: self.annotations.len() as u64,
            accounts: logins.len() as u64,
            sessions: self.sessions.len() as u64,
            codes: self.codes.len() as u64,
            documents: self.documents.len() as u64,
        }
    }
}
