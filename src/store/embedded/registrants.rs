//! Registrants in the index: one of a person, found by their blind key.

use crate::domain::identity::PersonId;
use crate::registration::registrant::Registrant;
use crate::store::cipher::Kind;
use crate::store::embedded::accounts::owner_key;
use crate::store::embedded::fold::{Place, certificate_value, photo_key, revision_and_slot};
use crate::store::embedded::index::{Draft, View};
use crate::store::embedded::reads::{fault, place};
use crate::store::embedded::writer::Core;
use crate::store::entry::registration::RegistrantLine;
use crate::store::entry::{self, Blind, SealedLine, parse_sealed};
use crate::store::record::Text;
use crate::store::record::registrant::read_registrant;
use crate::store::{Fault, Revision};

/// Keys of registrants begin so.
pub(crate) const REGISTRANTS: &[u8] = b"eg";

pub(crate) fn registrant_key(person: Blind) -> Vec<u8> {
    [REGISTRANTS, &person.0[..]].concat()
}

pub(crate) fn fold_registrant(draft: &mut Draft<'_>, line: &RegistrantLine<'_>, place: Place, seq: u64) {
    draft.put(registrant_key(line.person), certificate_value(&place, seq, line.slot));
    draft.put(owner_key(line.person), line.slot.to_be_bytes().to_vec());
    for Text(document) in &line.documents {
        draft.put(photo_key(*document), Vec::new());
    }
}

impl Core {
    /// The revision of what is known of a person; none where they were erased.
    pub(crate) fn registrant_revision(
        &self,
        view: &impl View,
        person: Blind,
    ) -> Result<Option<Revision>, Fault> {
        let value = view.find(&registrant_key(person))?;
        match value.and_then(|value| revision_and_slot(&value)) {
            Some((revision, slot)) if !self.vault.is_erased(slot)? => Ok(Some(Revision(revision))),
            _ => Ok(None),
        }
    }

    /// See [`crate::store::Store::registrant`].
    pub(crate) fn registrant(&self, person: &PersonId) -> Result<Option<(Registrant, Revision)>, Fault> {
        let blind = self.vault.blind_person(person);
        let Some(value) = self.index.now().find(&registrant_key(blind))? else { return Ok(None) };
        let (revision, _) = revision_and_slot(&value).ok_or_else(|| fault("a revision is missing"))?;
        let line = self.ledger.line(&place(&value)?)?;
        let SealedLine::Registrant(line) = entry::read_sealed(&line).map_err(fault)? else {
            return Err(fault("another record lies in its place"));
        };
        let mut sealed = parse_sealed(line.sealed).map_err(fault)?;
        let plain = self.vault.read(line.slot, Kind::Registrant, &blind.0, &mut sealed)?;
        let registrant = plain.map(read_registrant).transpose().map_err(fault)?;
        // The blind key is a hash; the record has the last word.
        let registrant = registrant.filter(|registrant| registrant.person == *person);
        Ok(registrant.map(|registrant| (registrant, Revision(revision))))
    }
}
