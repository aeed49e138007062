//! The desk: the only place that both decides and writes.
//!
//! Each file is one kind of business. All of them follow one pattern: read a dossier, let the rules of `domain` decide,
//! commit expecting what was read, and decide anew if somebody else wrote first.

pub mod account;
pub mod activity;
pub mod checks;
pub mod evidence;
pub mod issue;
pub mod keys;
pub mod order;
pub mod record;
pub mod register;
pub mod registration;
pub mod reminder;
pub mod seal;
pub mod standing;
pub mod ticket;
pub mod trail;

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};
use ring::rand::SecureRandom;
use tokio::sync::broadcast;

use crate::desk::account::Doors;
use crate::desk::activity::Activity;
use crate::desk::checks::Counts;
use crate::domain::calendar;
use crate::domain::certificate::Certificate;
use crate::domain::event::{Actor, Deed, Event};
use crate::domain::identity::CreditCode;
use crate::domain::ids::{AnnotationId, CertificateId, KeyId, Sha256};
use crate::domain::key::Scope;
use crate::domain::policy::PolicyBook;
use crate::domain::refusal::{FieldFault, Refusal};
use crate::domain::spending::Spending;
use crate::registration::regime::book::Book;
use crate::render::Stamp;
use crate::seal::check::Trust;
use crate::seal::key::SealKey;
use crate::store::{AnswerKey, Change, CommitError, Committed, Dossier, Fault, Store, Write};

/// Tells the time. The only clock of the house lives in `app`.
pub trait Clock: fmt::Debug + Send + Sync {
    /// The moment.
    fn now(&self) -> DateTime<Utc>;
}

/// A clock that a developer or a test moves by hand; it runs on from where it was put.
pub trait MovableClock: Clock {
    /// Puts the clock to a moment.
    fn set(&self, to: DateTime<Utc>);
}

/// Everything that decides and writes needs.
#[derive(Clone, Debug)]
pub struct Desk {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) key: Arc<dyn SealKey>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) rules: Arc<Rules>,
    /// The roots that strangers' files are judged by.
    pub(crate) trust: Arc<Trust>,
    /// What the doors of accounts need.
    doors: Arc<Doors>,
    /// What was verified lately.
    counts: Arc<Counts>,
    /// What the ledger told of the last day, as far as it was read.
    activity: Arc<Activity>,
    /// The annotations that this process writes about, for those who watch one.
    changed: broadcast::Sender<AnnotationId>,
}

/// How many changes a watcher may lag behind before it must look for itself.
const CHANGES_KEPT: usize = 1_024;

/// What is set per installation and never changes while it runs.
#[derive(Debug)]
pub struct Rules {
    /// The policies of annotation.
    pub policies: PolicyBook,
    /// The regimes of registration.
    pub regimes: Book,
    /// The red seals.
    pub stamps: Stamps,
    /// Where the public reaches the service, without a slash at the end.
    pub public_url: String,
}

/// The red seals of the issuers.
#[derive(Debug)]
pub struct Stamps {
    /// Issuers with a seal of their own.
    pub by_issuer: BTreeMap<CreditCode, Stamp>,
    /// Whether every seal is the visibly fictitious one of development.
    pub fictitious: bool,
}

impl Stamps {
    /// The seal of an issuer: its own, or its name on the arc. In development never a real authority's.
    pub(crate) fn of(&self, issuer: &crate::domain::certificate::Issuer) -> Stamp {
        if self.fictitious {
            return Stamp {
                arc: "示例机构电子证书专用章".into(),
                purpose: "测试专用章".into(),
                diameter_mm: 42,
            };
        }
        self.by_issuer.get(&issuer.uscc).cloned().unwrap_or_else(|| Stamp {
            arc: issuer.name.to_string(),
            purpose: "电子证书专用章".into(),
            diameter_mm: 42,
        })
    }
}

/// Proof of who is asking and what they may do. Only `keys` mints one.
#[derive(Clone, Debug)]
pub struct Caller {
    actor: Actor,
    scopes: Vec<Scope>,
    issuer: Option<CreditCode>,
}

impl Caller {
    /// Whoever holds the machine and the data folder.
    pub(crate) fn operator() -> Self {
        Self { actor: Actor::Operator, scopes: vec![Scope::Everything], issuer: None }
    }

    /// Passes where the caller has the scope.
    pub(crate) fn needs(&self, scope: Scope) -> Result<(), DeskError> {
        let allowed = self.scopes.iter().any(|held| *held == scope || *held == Scope::Everything);
        if allowed { Ok(()) } else { Err(DeskError::Forbidden(scope)) }
    }

    /// The issuer whose business this caller may see; all where none.
    pub fn issuer(&self) -> Option<&CreditCode> {
        self.issuer.as_ref()
    }

    /// The API key behind the caller, if it is one.
    pub fn key(&self) -> Option<KeyId> {
        match self.actor {
            Actor::Agency(key) => Some(key),
            Actor::Account(_) | Actor::Service | Actor::Operator => None,
        }
    }

    /// Others' business is not there at all: 404, never 403, so that nobody can ask what exists.
    fn sees(&self, issuer: &CreditCode) -> bool {
        self.issuer.is_none_or(|own| own == *issuer)
    }
}

/// Whoever acts about certificates: an agency for those that it issued, a holder for their own. The rules are the same
/// for both.
trait Party: Sync {
    /// Who it is.
    fn actor(&self) -> Actor;

    /// Whether the certificate is any business of theirs. What is not is not there at all: 404, never 403.
    fn may_see(&self, certificate: &Certificate) -> bool;

    /// Under which name their idempotency keys are kept; none where they have no name that lasts.
    fn asks_as(&self) -> Option<KeyId>;
}

impl Party for Caller {
    fn actor(&self) -> Actor {
        self.actor
    }

    fn may_see(&self, certificate: &Certificate) -> bool {
        self.sees(&certificate.details.issuer.uscc)
    }

    fn asks_as(&self) -> Option<KeyId> {
        match self.actor {
            Actor::Agency(key) => Some(key),
            // Accounts and keys are named from one space of 128 bits: no name is both.
            Actor::Account(id) => Some(KeyId::from_bytes(*id.as_bytes())),
            Actor::Service | Actor::Operator => None,
        }
    }
}

/// A creating call's idempotency key, with what was asked under it.
#[derive(Clone, Debug)]
pub struct Idempotency {
    key: Sha256,
    request: Sha256,
}

impl Idempotency {
    /// From the header's value and everything that makes the request what it is.
    ///
    /// # Errors
    /// Where the key is not 1 to 200 visible ASCII characters.
    pub fn parse(key: &str, request: &[&[u8]]) -> Result<Self, Refusal> {
        if key.is_empty() || key.len() > 200 || !key.bytes().all(|c| c.is_ascii_graphic()) {
            return Err(Refusal::field("Idempotency-Key", FieldFault::OutOfRange("1–200 ASCII")));
        }
        let mut context = ring::digest::Context::new(&ring::digest::SHA256);
        for part in request {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        Ok(Self { key: digest(key.as_bytes()), request: finish(context) })
    }

    /// The key of one line of a call that carries many records, whatever else the call carries.
    pub(crate) fn of_line(&self, line: u64, body: &[u8]) -> Self {
        let key = [self.key.as_bytes(), &line.to_be_bytes()[..]].concat();
        Self { key: digest(&key), request: digest(body) }
    }

    fn answer_key(&self, party: &dyn Party) -> Option<AnswerKey> {
        party.asks_as().map(|caller| AnswerKey { caller, key: self.key })
    }
}

/// Why the desk did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// A rule says no.
    #[error("refused: {}", .0.code())]
    Refused(Refusal),
    /// There is no such thing, or it is somebody else's.
    #[error("not found")]
    NotFound,
    /// No valid credentials.
    #[error("no valid credentials")]
    Unauthenticated,
    /// The caller lacks this scope.
    #[error("the caller lacks the scope {}", .0.word())]
    Forbidden(Scope),
    /// Too many at once for one certificate, or the store is read-only or away: try again later; why.
    #[error("not now: {0}")]
    Unavailable(&'static str),
    /// Too often; try again after so many seconds.
    #[error("too often: again in {0} s")]
    TooOften(u64),
    /// The machine failed.
    #[error(transparent)]
    Fault(Fault),
}

impl From<Fault> for DeskError {
    fn from(fault: Fault) -> Self {
        fault.away.map_or_else(|| Self::Fault(fault), Self::Unavailable)
    }
}

impl From<Refusal> for DeskError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// What a decision came to.
enum Plan<T> {
    /// Write this, then answer that.
    Write(Change, T),
    /// Nothing is to be written.
    Nothing(T),
}

type Decision<'a, T> = Pin<Box<dyn Future<Output = Result<Plan<T>, DeskError>> + Send + 'a>>;

/// How often a decision is made anew before the caller is asked to come back: far more often than the quota lets
/// callers collide on one certificate.
const ROUNDS: usize = 200;

impl Desk {
    /// Puts the desk together.
    pub fn new(
        store: Arc<dyn Store>,
        key: Arc<dyn SealKey>,
        clock: Arc<dyn Clock>,
        rules: Rules,
        trust: Trust,
        doors: Doors,
    ) -> Self {
        Self {
            store,
            key,
            clock,
            rules: Arc::new(rules),
            trust: Arc::new(trust),
            doors: Arc::new(doors),
            counts: Arc::default(),
            activity: Arc::default(),
            changed: broadcast::Sender::new(CHANGES_KEPT),
        }
    }

    /// The moment.
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// The day in Shanghai.
    pub fn today(&self) -> NaiveDate {
        calendar::day_of(self.now())
    }

    /// What is set for this installation.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Tells the other nodes what callers spent of their rates here; see [`Store::spend`].
    ///
    /// # Errors
    /// Where the store fails: then nobody may have heard of it.
    pub(crate) async fn spend(&self, spendings: &[Spending]) -> Result<Vec<Duration>, DeskError> {
        Ok(self.store.spend(spendings).await?)
    }

    /// Decides and commits; decides anew on what somebody else wrote first.
    async fn settle<'a, T>(
        &'a self,
        decide: impl Fn() -> Decision<'a, T>,
    ) -> Result<(T, Option<Committed>), DeskError> {
        for _ in 0..ROUNDS {
            let (change, result) = match decide().await? {
                Plan::Nothing(result) => return Ok((result, None)),
                Plan::Write(change, result) => (change, result),
            };
            let changed = annotations_of(&change);
            match self.store.commit(change).await {
                Ok(committed) => {
                    // Nobody may be watching.
                    changed.into_iter().for_each(|id| drop(self.changed.send(id)));
                    return Ok((result, Some(committed)));
                }
                Err(CommitError::Conflict) => {}
                Err(CommitError::LeaseLost) => return Err(DeskError::Unavailable("lease-lost")),
                Err(CommitError::ReadOnly(why)) => return Err(DeskError::Unavailable(why)),
                Err(CommitError::Fault(fault)) => return Err(fault.into()),
            }
        }
        Err(DeskError::Unavailable("busy"))
    }

    /// Commits what rests on nothing that was read.
    async fn write(&self, change: Change) -> Result<(), DeskError> {
        let plan = || Box::pin(std::future::ready(Ok(Plan::Write(change.clone(), ())))) as Decision<'_, ()>;
        self.settle(plan).await?;
        Ok(())
    }

    /// The dossier of a certificate that is the party's business.
    async fn dossier(&self, party: &dyn Party, id: CertificateId) -> Result<Dossier, DeskError> {
        let dossier = self.store.dossier(id).await?.ok_or(DeskError::NotFound)?;
        if party.may_see(&dossier.certificate) { Ok(dossier) } else { Err(DeskError::NotFound) }
    }

    /// An event of this moment about nothing yet.
    fn event(&self, deed: Deed, actor: Actor) -> Event {
        Event {
            deed,
            actor,
            at: self.now(),
            issuer: None,
            certificate: None,
            annotation: None,
            key: None,
            account: None,
            ticket: None,
            case: None,
            reason: None,
        }
    }
}

/// The annotations that a change is about.
fn annotations_of(change: &Change) -> Vec<AnnotationId> {
    let of = |write: &Write| match write {
        Write::Annotation { annotation, .. } => Some(annotation.id),
        _ => None,
    };
    change.writes.iter().filter_map(of).collect()
}

/// SHA-256 of some bytes.
pub(crate) fn digest(bytes: &[u8]) -> Sha256 {
    let mut context = ring::digest::Context::new(&ring::digest::SHA256);
    context.update(bytes);
    finish(context)
}

fn finish(context: ring::digest::Context) -> Sha256 {
    let mut digest = [0; 32];
    digest.copy_from_slice(context.finish().as_ref());
    Sha256::new(digest)
}

/// Unguessable bytes.
pub(crate) fn chance<const N: usize>() -> Result<[u8; N], Fault> {
    let mut bytes = [0; N];
    ring::rand::SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| Fault::new("drawing random bytes", "the system gave none"))?;
    Ok(bytes)
}
