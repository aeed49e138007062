//! One group of changes as it is decided: what the locked rows say, what the changes before did to that, and the rows
//! that come of it.

use std::collections::{HashMap, HashSet};

use crate::domain::identity::CreditCode;
use crate::domain::ids::{AccountId, AnnotationId, CaseId, CertificateId, Sha256, TicketId};
use crate::store::chain::{Chain, link};
use crate::store::encoding::Check;
use crate::store::postgres::committer::{Ready, Refusal};
use crate::store::postgres::rows::{CodeKey, EntryRow, Held, JobWrite, Rows, nanos};

/// A job as it stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Standing {
    pub(crate) ready_at: i64,
    pub(crate) held: Option<Held>,
}

/// What a group rests on, and what comes of it.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) before: u64,
    pub(crate) seq: u64,
    pub(crate) chain: Chain,
    pub(crate) revisions: HashMap<CertificateId, u64>,
    pub(crate) jobs: HashMap<AnnotationId, Standing>,
    /// Jobs that the database has, locked or not.
    pub(crate) queued: HashSet<AnnotationId>,
    pub(crate) newest: HashMap<[u8; 24], (u16, CertificateId)>,
    pub(crate) answered: HashSet<([u8; 16], Sha256)>,
    /// By login name; none of erased persons.
    pub(crate) accounts: HashMap<[u8; 16], (AccountId, u64)>,
    pub(crate) sessions: HashMap<Sha256, u64>,
    pub(crate) codes: HashMap<CodeKey, u64>,
    pub(crate) tickets: HashMap<TicketId, u64>,
    /// Open ones, with their blind person and mobile; none of erased persons.
    pub(crate) open_tickets: HashMap<TicketId, [[u8; 16]; 2]>,
    pub(crate) cases: HashMap<CaseId, u64>,
    /// By blind person; none of erased persons.
    pub(crate) registrants: HashMap<[u8; 16], u64>,
    pub(crate) companies: HashMap<CreditCode, u64>,
    pub(crate) erased: HashSet<u32>,
    /// Whether it was made elsewhere before.
    pub(crate) moved: bool,
    pub(crate) rows: Rows,
    /// Jobs written.
    pub(crate) arrived: usize,
}

impl Draft {
    pub(crate) fn new(seq: u64, chain: Chain) -> Self {
        Self {
            before: seq,
            seq,
            chain,
            revisions: HashMap::new(),
            jobs: HashMap::new(),
            queued: HashSet::new(),
            newest: HashMap::new(),
            answered: HashSet::new(),
            accounts: HashMap::new(),
            sessions: HashMap::new(),
            codes: HashMap::new(),
            tickets: HashMap::new(),
            open_tickets: HashMap::new(),
            cases: HashMap::new(),
            registrants: HashMap::new(),
            companies: HashMap::new(),
            erased: HashSet::new(),
            moved: false,
            rows: Rows::default(),
            arrived: 0,
        }
    }

    /// Takes a change up, or says why not. Gives back its number.
    pub(crate) fn decide(&mut self, change: &Ready) -> Result<u64, Refusal> {
        for check in &change.prepared.checks {
            let holds = match check {
                Check::Dossier(id, revision) => self.revisions.get(id) == Some(&revision.0),
                Check::Newest(number, id) => self.newest.get(&number.0).map(|(_, newest)| *newest) == *id,
                Check::Unanswered(key) => !self.answered.contains(&(*key.caller.as_bytes(), key.key)),
                Check::Lease(token) => {
                    let held = self.jobs.get(&token.annotation).and_then(|job| job.held);
                    if held.is_none_or(|held| u64::try_from(held.fence) != Ok(token.fence)) {
                        return Err(Refusal::LeaseLost);
                    }
                    true
                }
                Check::Account(login, revision) => {
                    self.accounts.get(&login.0).map(|(_, known)| *known) == revision.map(|known| known.0)
                }
                Check::Login(login, id) => self.accounts.get(&login.0).is_none_or(|(known, _)| known == id),
                Check::Session(token, revision) => self.sessions.get(token) == Some(&revision.0),
                Check::Code(purpose, mobile, revision) => {
                    self.codes.get(&(purpose.word(), mobile.0)).copied() == revision.map(|known| known.0)
                }
                Check::Ticket(id, revision) => self.tickets.get(id).copied() == revision.map(|known| known.0),
                Check::Case(id, revision) => self.cases.get(id).copied() == revision.map(|known| known.0),
                Check::Registrant(person, revision) => {
                    self.registrants.get(&person.0).copied() == revision.map(|known| known.0)
                }
                Check::Company(uscc, revision) => {
                    self.companies.get(uscc).copied() == revision.map(|known| known.0)
                }
                Check::OnlyTicket { person, mobile, ticket } => self
                    .open_tickets
                    .iter()
                    .all(|(open, [of, from])| open == ticket || (*of != person.0 && *from != mobile.0)),
            };
            if !holds {
                return Err(Refusal::Conflict);
            }
        }
        // Encrypted with a key that was destroyed meanwhile: nobody could ever read it.
        if !change.moved && change.parts.slots.iter().any(|slot| self.erased.contains(slot)) {
            return Err(Refusal::Conflict);
        }
        Ok(self.accept(change))
    }

    fn accept(&mut self, change: &Ready) -> u64 {
        let prepared = &change.prepared;
        self.seq += 1;
        self.chain = link(&self.chain, &prepared.digest);
        let (seq, chain) = (self.seq, self.chain);
        let entry = EntryRow { seq, payload: prepared.payload.clone(), digest: prepared.digest, chain };
        let decided_on = |id| {
            let expected = prepared.checks.iter().find_map(|check| match check {
                Check::Dossier(of, revision) if *of == id => Some(revision.0),
                _ => None,
            });
            expected.or_else(|| self.revisions.get(&id).copied()).unwrap_or(seq)
        };
        self.rows.take(entry, change.parts.clone(), decided_on);
        for row in &change.parts.certificates {
            let newest = self.newest.entry(row.number).or_insert((row.version, row.id));
            if row.version >= newest.0 {
                *newest = (row.version, row.id);
            }
        }
        for id in change.parts.dossiers() {
            self.revisions.insert(id, seq);
        }
        for (key, _) in &change.parts.answers {
            self.answered.insert((*key.caller.as_bytes(), key.key));
        }
        for row in &change.parts.accounts {
            self.accounts.retain(|_, (id, _)| *id != row.id);
            self.accounts.insert(row.login, (row.id, seq));
        }
        self.sessions.extend(change.parts.sessions.iter().map(|session| (session.token, seq)));
        self.codes.extend(change.parts.codes.iter().map(|(key, _)| (*key, seq)));
        for row in &change.parts.tickets {
            self.tickets.insert(row.id, seq);
            if row.open {
                self.open_tickets.insert(row.id, [row.person, row.mobile]);
            } else {
                self.open_tickets.remove(&row.id);
            }
        }
        self.cases.extend(change.parts.cases.iter().map(|row| (row.id, seq)));
        self.registrants.extend(change.parts.registrants.iter().map(|row| (row.person, seq)));
        self.companies.extend(change.parts.companies.iter().map(|row| (row.uscc, seq)));
        for job in &change.parts.jobs {
            match job {
                JobWrite::Put(job) => {
                    let ready_at = nanos(job.ready_at);
                    // Put off: whoever held it has settled it for now.
                    let held = self.jobs.get(&job.annotation).filter(|known| known.ready_at == ready_at);
                    let held = held.and_then(|known| known.held);
                    self.jobs.insert(job.annotation, Standing { ready_at, held });
                    self.rows.jobs.insert(job.annotation, Some((job.clone(), held)));
                    self.arrived += 1;
                }
                JobWrite::Done(id) => {
                    self.jobs.remove(id);
                    self.rows.jobs.insert(*id, None);
                }
            }
        }
        seq
    }

    /// By how much the queue grows.
    pub(crate) fn growth(&self) -> i64 {
        let jobs = self.rows.jobs.iter();
        jobs.map(|(id, job)| i64::from(job.is_some()) - i64::from(self.queued.contains(id))).sum()
    }
}
