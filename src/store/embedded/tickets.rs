//! Tickets in the index: how their lines become keys, and how they are read. Their keys begin with `e`; the second
//! letter says what of.

use crate::domain::account::Mobile;
use crate::domain::identity::PersonId;
use crate::domain::ids::TicketId;
use crate::domain::query::{Page, TicketQuery};
use crate::domain::ticket::{Standing, Ticket};
use crate::store::cipher::Kind;
use crate::store::embedded::accounts::owner_key;
use crate::store::embedded::fold::{Place, certificate_value, photo_key, revision_and_slot};
use crate::store::embedded::index::{Draft, View};
use crate::store::embedded::reads::{fault, page, place};
use crate::store::embedded::writer::Core;
use crate::store::entry::account::TicketLine;
use crate::store::entry::{self, Blind, SealedLine, parse_sealed};
use crate::store::record::ticket::read_ticket;
use crate::store::{Fault, Revision};

/// Keys of all tickets begin so.
pub(crate) const TICKETS: &[u8] = b"et";
/// Keys of those that wait begin so.
const OPEN: &[u8] = b"eo";

pub(crate) fn ticket_key(id: TicketId) -> Vec<u8> {
    [TICKETS, &id.as_bytes()[..]].concat()
}

fn open_key(id: TicketId) -> Vec<u8> {
    [OPEN, &id.as_bytes()[..]].concat()
}

/// The keys that lead to the last open ticket of a person and of a mobile.
fn whose_keys(person: Blind, mobile: Blind) -> [Vec<u8>; 2] {
    [[b"ep", &person.0[..]].concat(), [b"em", &mobile.0[..]].concat()]
}

pub(crate) fn fold_ticket(
    draft: &mut Draft<'_>,
    line: &TicketLine<'_>,
    place: Place,
    seq: u64,
) -> Result<(), Fault> {
    draft.put(ticket_key(line.id), certificate_value(&place, seq, line.slot));
    draft.put(photo_key(line.scan), Vec::new());
    draft.put(owner_key(line.person), line.slot.to_be_bytes().to_vec());
    if line.open {
        draft.put(open_key(line.id), Vec::new());
    } else {
        draft.remove(open_key(line.id));
    }
    for key in whose_keys(line.person, line.mobile) {
        if line.open {
            draft.put(key, line.id.as_bytes().to_vec());
        } else if draft.find(&key)?.as_deref() == Some(line.id.as_bytes()) {
            // Unless another was opened after an erasure.
            draft.remove(key);
        }
    }
    Ok(())
}

/// The revision of a ticket.
pub(crate) fn ticket_revision(view: &impl View, id: TicketId) -> Result<Option<Revision>, Fault> {
    let value = view.find(&ticket_key(id))?;
    Ok(value.and_then(|value| revision_and_slot(&value)).map(|(revision, _)| Revision(revision)))
}

impl Core {
    /// An open ticket of a person or a mobile; those of erased persons are in nobody's way.
    pub(crate) fn open_ticket_of(
        &self,
        view: &impl View,
        person: Blind,
        mobile: Blind,
    ) -> Result<Option<TicketId>, Fault> {
        for key in whose_keys(person, mobile) {
            let Some(id) = view.find(&key)?.and_then(|id| id.try_into().ok()) else { continue };
            let id = TicketId::from_bytes(id);
            let value = view.find(&ticket_key(id))?.ok_or_else(|| fault("a ticket's place is missing"))?;
            let (_, slot) = revision_and_slot(&value).ok_or_else(|| fault("a revision is missing"))?;
            if !self.vault.is_erased(slot)? {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }

    /// See [`crate::store::Store::open_ticket`].
    pub(crate) fn open_ticket(&self, person: &PersonId, mobile: &Mobile) -> Result<Option<TicketId>, Fault> {
        let (person, mobile) =
            (self.vault.blind_person(person), self.vault.blind_contact(&mobile.clone().into()));
        self.index.read(|now| self.open_ticket_of(now, person, mobile))
    }

    /// See [`crate::store::Store::ticket`].
    pub(crate) fn ticket(&self, id: TicketId) -> Result<Option<(Ticket, Revision)>, Fault> {
        let Some(value) = self.index.now().find(&ticket_key(id))? else { return Ok(None) };
        let (revision, _) = revision_and_slot(&value).ok_or_else(|| fault("a revision is missing"))?;
        let line = self.ledger.line(&place(&value)?)?;
        let SealedLine::Ticket(line) = entry::read_sealed(&line).map_err(fault)? else {
            return Err(fault("another record lies in its place"));
        };
        let mut sealed = parse_sealed(line.sealed).map_err(fault)?;
        let plain = self.vault.read(line.slot, Kind::Ticket, id.as_bytes(), &mut sealed)?;
        let ticket = plain.map(|plain| read_ticket(id, plain)).transpose().map_err(fault)?;
        Ok(ticket.map(|ticket| (ticket, Revision(revision))))
    }

    /// See [`crate::store::Store::tickets`].
    pub(crate) fn tickets(&self, query: &TicketQuery) -> Result<Page<Ticket>, Fault> {
        let prefix = if query.standing == Some(Standing::Open) { OPEN } else { TICKETS };
        let fits = |ticket: &Ticket| query.standing.is_none_or(|wanted| wanted.word() == ticket.state.word());
        let load = |id: Result<[u8; 16], Fault>| {
            let found = self.ticket(TicketId::from_bytes(id?))?;
            Ok(found.map(|(ticket, _)| ticket).filter(fits))
        };
        let after = query.after.map(|id| *id.as_bytes());
        page(query.limit, self.ids(prefix.to_vec(), after).map(load))
    }
}
