//! What entries name: the slots and documents that must be there before them, and how many records they make.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt;
use std::ops::{Add, AddAssign, Sub};

use crate::domain::identity::CreditCode;
use crate::domain::ids::{AccountId, AnnotationId, CaseId, CertificateId, Sha256, TicketId};
use crate::store::Fault;
use crate::store::entry::{self, Blind, WriteLine};
use crate::store::record::{Text, Unreadable};

/// How many of each a store holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) certificates: u64,
    pub(crate) annotations: u64,
    /// Login names in use: of the accounts that one had in turn, only the last counts.
    pub(crate) accounts: u64,
    pub(crate) sessions: u64,
    pub(crate) codes: u64,
    pub(crate) tickets: u64,
    pub(crate) cases: u64,
    pub(crate) registrants: u64,
    pub(crate) companies: u64,
    pub(crate) documents: u64,
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { certificates, annotations, accounts, sessions, codes, tickets, .. } = self;
        let Self { cases, registrants, companies, documents, .. } = self;
        write!(f, "{certificates} certificates, {annotations} annotations, {accounts} accounts, ")?;
        write!(f, "{sessions} sessions, {codes} verification codes, {tickets} tickets, {cases} cases, ")?;
        write!(f, "{registrants} registrants, {companies} companies and {documents} documents")
    }
}

impl Add for Counts {
    type Output = Self;

    fn add(self, more: Self) -> Self {
        Self {
            certificates: self.certificates + more.certificates,
            annotations: self.annotations + more.annotations,
            accounts: self.accounts + more.accounts,
            sessions: self.sessions + more.sessions,
            codes: self.codes + more.codes,
            tickets: self.tickets + more.tickets,
            cases: self.cases + more.cases,
            registrants: self.registrants + more.registrants,
            companies: self.companies + more.companies,
            documents: self.documents + more.documents,
        }
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, more: Self) {
        *self = *self + more;
    }
}

impl Sub for Counts {
    type Output = Self;

    /// Never below nothing.
    fn sub(self, less: Self) -> Self {
        Self {
            certificates: self.certificates.saturating_sub(less.certificates),
            annotations: self.annotations.saturating_sub(less.annotations),
            accounts: self.accounts.saturating_sub(less.accounts),
            sessions: self.sessions.saturating_sub(less.sessions),
            codes: self.codes.saturating_sub(less.codes),
            tickets: self.tickets.saturating_sub(less.tickets),
            cases: self.cases.saturating_sub(less.cases),
            registrants: self.registrants.saturating_sub(less.registrants),
            companies: self.companies.saturating_sub(less.companies),
            documents: self.documents.saturating_sub(less.documents),
        }
    }
}

/// What was read in entries so far.
#[derive(Debug, Default)]
pub(crate) struct Mentions {
    pub(crate) slots: BTreeSet<u32>,
    pub(crate) documents: BTreeSet<Sha256>,
    pub(crate) certificates: HashSet<CertificateId>,
    pub(crate) annotations: HashSet<AnnotationId>,
    /// With the login name that each was last written with.
    pub(crate) accounts: HashMap<AccountId, Blind>,
    /// Every login name, and whose it is in the end; none where its account took another.
    pub(crate) logins: HashMap<Blind, Option<AccountId>>,
    pub(crate) sessions: HashSet<Sha256>,
    pub(crate) codes: HashSet<(String, Blind)>,
    pub(crate) tickets: HashSet<TicketId>,
    pub(crate) cases: HashSet<CaseId>,
    pub(crate) registrants: HashSet<Blind>,
    pub(crate) companies: HashSet<CreditCode>,
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
                    self.documents.extend(line.pictures());
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
                    self.name(line.id, line.login);
                }
                WriteLine::Session(line) => {
                    self.sessions.insert(line.token);
                }
                WriteLine::Code(line) => {
                    self.codes.insert((line.purpose, line.mobile));
                }
                WriteLine::Ticket(line) => {
                    self.slots.insert(line.slot);
                    self.documents.insert(line.scan);
                    self.tickets.insert(line.id);
                }
                WriteLine::Case(line) => {
                    self.slots.insert(line.slot);
                    self.documents.extend(line.documents.iter().map(|Text(digest)| *digest));
                    self.cases.insert(line.id);
                }
                WriteLine::Registrant(line) => {
                    self.slots.insert(line.slot);
                    self.documents.extend(line.documents.iter().map(|Text(digest)| *digest));
                    self.registrants.insert(line.person);
                }
                WriteLine::Company(line) => {
                    self.companies.insert(line.uscc);
                }
                WriteLine::Job(_) | WriteLine::JobDone(_) | WriteLine::Key(_) | WriteLine::Answer(_) => {}
            }
        }
        Ok(())
    }

    /// An account has one login name at a time, and leaves the last one free unless that is another's by then.
    fn name(&mut self, account: AccountId, login: Blind) {
        if let Some(before) = self.accounts.insert(account, login)
            && let Some(holder) = self.logins.get_mut(&before)
        {
            holder.take_if(|holder| *holder == account);
        }
        self.logins.insert(login, Some(account));
    }

    /// What the entries make where nothing was before.
    pub(crate) fn counts(&self) -> Counts {
        Counts {
            certificates: self.certificates.len() as u64,
            annotations: self.annotations.len() as u64,
            accounts: self.logins.values().flatten().count() as u64,
            sessions: self.sessions.len() as u64,
            codes: self.codes.len() as u64,
            tickets: self.tickets.len() as u64,
            cases: self.cases.len() as u64,
            registrants: self.registrants.len() as u64,
            companies: self.companies.len() as u64,
            documents: self.documents.len() as u64,
        }
    }
}
