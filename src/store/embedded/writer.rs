//! The one writer: takes what is queued, checks expectations, writes one group, syncs once, shows it, answers.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, oneshot};

use crate::domain::annotation::Annotation;
use crate::domain::certificate::Certificate;
use crate::store::embedded::accounts::{code_revision, session_revision};
use crate::store::embedded::cases::case_revision;
use crate::store::embedded::checks::Checks;
use crate::store::embedded::companies::company_revision;
use crate::store::embedded::condition::Condition;
use crate::store::embedded::documents::Documents;
use crate::store::embedded::fold::{
    Effects, FoldError, Place, answer_key, certificate_key, fold, job_key, revision_and_slot,
};
use crate::store::embedded::index::{Draft, Index, View};
use crate::store::embedded::ledger::{Ledger, NoRoom, Pen};
use crate::store::embedded::queue::Queue;
use crate::store::embedded::state::End;
use crate::store::embedded::tickets::ticket_revision;
use crate::store::embedded::vault::Vault;
use crate::store::encoding::{Check, Prepared};
use crate::store::recent::Recent;
use crate::store::{CommitError, Committed, Fault, LeaseToken};

const GROUP_CHANGES: usize = 512;
const GROUP_BYTES: usize = 1 << 20;
/// After so long without work the last entries get a mark.
const IDLE: Duration = Duration::from_secs(1);
/// Records of a kind that are remembered, twice so many at most: together a few megabytes.
const RECENT: usize = 1024;

/// A caller waiting for an answer.
pub(crate) struct Request {
    pub(crate) change: Prepared,
    pub(crate) answer: oneshot::Sender<Result<Committed, CommitError>>,
    /// Bounds how many wait.
    pub(crate) permit: OwnedSemaphorePermit,
}

/// What the writer works with.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) ledger: Ledger,
    pub(crate) index: Index,
    pub(crate) vault: Vault,
    pub(crate) queue: Queue,
    pub(crate) documents: Documents,
    pub(crate) checks: Checks,
    /// What lies at a place never changes; whether its person's slot was erased is asked each time.
    pub(crate) certificates: Recent<Place, (u32, Certificate), RECENT>,
    pub(crate) annotations: Recent<Place, (u32, Annotation), RECENT>,
    pub(crate) condition: Arc<Condition>,
}

struct Accepted {
    request: Request,
    seq: u64,
    effects: Effects,
}

/// Works until nobody can send any more. Gives back where the ledger ends; none where the store broke.
pub(crate) fn work(core: &Core, mut pen: Pen, requests: &Receiver<Request>) -> Option<End> {
    // A panic here would leave callers without a writer: it breaks the store like a failed sync.
    let worked = catch_unwind(AssertUnwindSafe(|| take_turns(core, &mut pen, requests)));
    core.condition.set_busy(false);
    if worked.is_err() {
        core.condition.break_down("the writer panicked");
    }
    if core.condition.broken().is_some() {
        while let Ok(request) = requests.recv() {
            refuse(request, broken());
        }
        return None;
    }
    Some(pen.end())
}

fn broken() -> CommitError {
    CommitError::Fault(Fault::new("writing the ledger", "an earlier write failed: the process must end"))
}

fn refuse(request: Request, error: CommitError) {
    // Whoever no longer waits needs no answer.
    let _ = request.answer.send(Err(error));
}

fn take_turns(core: &Core, pen: &mut Pen, requests: &Receiver<Request>) {
    let mut carried: Option<Request> = None;
    loop {
        let first = match carried.take() {
            Some(request) => request,
            None if pen.wants_mark() => match requests.recv_timeout(IDLE) {
                Ok(request) => request,
                Err(RecvTimeoutError::Timeout) => {
                    mark(core, pen);
                    if core.condition.broken().is_some() {
                        return;
                    }
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => break,
            },
            None => match requests.recv() {
                Ok(request) => request,
                Err(_) => break,
            },
        };
        core.condition.set_busy(true);
        if core.condition.broken().is_some() {
            refuse(first, broken());
            return;
        }
        carried = write_group(core, pen, requests, first);
        core.condition.set_busy(false);
        if core.condition.broken().is_some() {
            if let Some(request) = carried {
                refuse(request, broken());
            }
            return;
        }
    }
    if pen.wants_mark() {
        mark(core, pen);
    }
}

fn mark(core: &Core, pen: &mut Pen) {
    if let Err(error) = pen.mark() {
        tracing::error!(%error, "a write to the ledger failed");
        core.condition.break_down("a write to the ledger failed");
    }
}

/// Writes one group that begins with `first`. Gives back a request that did not fit.
fn write_group(core: &Core, pen: &mut Pen, requests: &Receiver<Request>, first: Request) -> Option<Request> {
    if let Some(why) = core.condition.read_only() {
        refuse(first, CommitError::ReadOnly(why));
        return None;
    }
    if !pen.fits(first.change.payload.len()) && first.change.payload.len() <= pen.longest() {
        match pen.turn(&core.ledger) {
            Ok(Ok(())) => core.condition.set_no_room(false),
            Ok(Err(NoRoom)) => {
                core.condition.set_no_room(true);
                refuse(first, CommitError::ReadOnly("the disk is full"));
                return None;
            }
            Err(error) => {
                tracing::error!(%error, "a write to the ledger failed");
                core.condition.break_down("beginning a segment of the ledger failed");
                refuse(first, broken());
                return None;
            }
        }
    }

    let mut draft = core.index.draft();
    let mut accepted: Vec<Accepted> = Vec::new();
    let mut refused: Vec<(Request, CommitError)> = Vec::new();
    let mut pinned: Vec<LeaseToken> = Vec::new();
    let mut bytes = 0;
    let mut carried = None;
    let mut next = Some(first);
    while let Some(request) = next.take() {
        let length = request.change.payload.len();
        if length > pen.longest() {
            let error = Fault::new("writing the ledger", "the change is longer than an entry may be");
            refused.push((request, error.into()));
        } else if !pen.fits(length) {
            carried = Some(request);
            break;
        } else {
            match check(core, &draft, &request.change.checks, &mut pinned) {
                Ok(()) => {
                    bytes += length;
                    match accept(pen, &mut draft, &request.change) {
                        Ok((seq, effects)) => accepted.push(Accepted { request, seq, effects }),
                        Err(error) => {
                            // Its frame is in the buffer and its keys are half in the draft.
                            tracing::error!(%error, "a change cannot be folded");
                            core.condition.break_down("a change cannot be indexed");
                            refused.push((request, broken()));
                            break;
                        }
                    }
                }
                Err(error) => refused.push((request, error)),
            }
        }
        if accepted.len() + refused.len() >= GROUP_CHANGES || bytes >= GROUP_BYTES {
            break;
        }
        next = requests.try_recv().ok();
    }
    let group = draft.group;
    if core.condition.broken().is_none() && !accepted.is_empty() {
        // From here on the entries may be on the disk, whatever happens to this process.
        let written = core.vault.flush().and_then(|()| pen.commit(&core.ledger));
        if let Err(error) = written {
            tracing::error!(%error, "a write to the ledger failed");
            core.condition.break_down("a write to the ledger failed");
        }
    }
    if core.condition.broken().is_some() {
        let waiting = accepted.into_iter().map(|accepted| accepted.request);
        // A refusal may rest on an entry of this group that is now in doubt.
        for request in waiting.chain(refused.into_iter().map(|(request, _)| request)) {
            refuse(request, broken());
        }
        return carried;
    }

    let shown = core.index.show(group);
    let applied = accepted.last().map(|last| last.seq);
    for done in &mut accepted {
        let effects = std::mem::take(&mut done.effects);
        core.vault.settle(&effects.persons);
        core.documents.settle(&effects.documents);
        core.queue.apply(effects);
    }
    for token in pinned {
        core.queue.unpin(token);
    }
    for Accepted { request, seq, .. } in accepted {
        // Whoever no longer waits needs no answer.
        let _ = request.answer.send(Ok(Committed { seq }));
        drop(request.permit);
    }
    for (request, error) in refused {
        refuse(request, error);
    }
    if let Some(seq) = applied
        && let Err(error) = core.index.absorb(&shown, seq)
    {
        tracing::error!(%error, "a write to the index failed");
        core.condition.break_down("a write to the index failed");
    }
    carried
}

fn accept(pen: &mut Pen, draft: &mut Draft<'_>, change: &Prepared) -> Result<(u64, Effects), FoldError> {
    let (seq, spot) = pen.add(&change.payload, &change.digest);
    let effects = fold(draft, seq, spot, &change.payload, false)?;
    Ok((seq, effects))
}

fn check(
    core: &Core,
    draft: &Draft<'_>,
    checks: &[Check],
    pinned: &mut Vec<LeaseToken>,
) -> Result<(), CommitError> {
    for check in checks {
        let holds = match check {
            Check::Dossier(id, revision) => {
                let value = draft.find(&certificate_key(*id))?;
                value.and_then(|value| revision_and_slot(&value)).map(|(known, _)| known) == Some(revision.0)
            }
            Check::Newest(number, id) => {
                let newest = draft.last(&[b"n", &number.0[..]].concat())?;
                newest.map(|(_, newest)| newest) == id.map(|id| id.as_bytes().to_vec())
            }
            Check::Unanswered(key) => draft.find(&answer_key(key))?.is_none(),
            Check::Lease(token) => {
                // A job settled earlier in this group is still in the queue, but no longer in the draft.
                if draft.find(&job_key(token.annotation))?.is_none() || !core.queue.pin(*token) {
                    return Err(CommitError::LeaseLost);
                }
                pinned.push(*token);
                true
            }
            Check::Account(login, revision) => {
                core.account_with(draft, *login)?.map(|(_, known)| known) == *revision
            }
            Check::Login(login, id) => {
                core.account_with(draft, *login)?.is_none_or(|(known, _)| known == *id)
            }
            Check::Session(token, revision) => session_revision(draft, *token)? == Some(*revision),
            Check::Code(purpose, mobile, revision) => code_revision(draft, *purpose, *mobile)? == *revision,
            Check::Ticket(id, revision) => ticket_revision(draft, *id)? == *revision,
            Check::OnlyTicket { person, mobile, ticket } => {
                core.open_ticket_of(draft, *person, *mobile)?.is_none_or(|open| open == *ticket)
            }
            Check::Case(id, revision) => case_revision(draft, *id)? == *revision,
            Check::Registrant(person, revision) => core.registrant_revision(draft, *person)? == *revision,
            Check::Company(uscc, revision) => company_revision(draft, uscc)? == *revision,
        };
        if !holds {
            return Err(CommitError::Conflict);
        }
    }
    Ok(())
}
