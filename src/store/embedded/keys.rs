//! Which key is whose, as the encoding of a change asks it: from the vault and the index.

use crate::domain::event::Event;
use crate::store::Fault;
use crate::store::cipher::{Cipher, DataKey};
use crate::store::embedded::accounts::{account_key, owner_key, slot_in};
use crate::store::embedded::cases::case_key;
use crate::store::embedded::fold::{certificate_key, certificate_of, revision_and_slot};
use crate::store::embedded::index::View;
use crate::store::embedded::writer::Core;
use crate::store::encoding::Keys;
use crate::store::entry::Blind;

impl Keys for Core {
    fn cipher(&self) -> &Cipher {
        &self.vault
    }

    fn slot_of(&self, person: Blind) -> Result<u32, Fault> {
        self.vault.slot_of(person, || {
            let read = |slot: Vec<u8>| slot.try_into().ok().map(u32::from_be_bytes);
            let (last, own) = self.index.read(|now| {
                let last = now.last(&[b"p", &person.0[..]].concat())?;
                Ok((last.map(|(_, slot)| slot), now.find(&owner_key(person))?))
            })?;
            // The later one: after an erasure the earlier holds no key.
            Ok(last.and_then(read).max(own.and_then(read)))
        })
    }

    fn slot_about(&self, event: &Event) -> Result<Option<u32>, Fault> {
        let certificate = match (event.certificate, event.annotation) {
            (None, Some(annotation)) => self.index.read(|now| certificate_of(now, annotation))?,
            (certificate, _) => certificate,
        };
        let slot_at = |key: Vec<u8>| -> Result<Option<u32>, Fault> {
            let value = self.index.now().find(&key)?;
            Ok(value.and_then(|value| revision_and_slot(&value)).map(|(_, slot)| slot))
        };
        let slot = match (certificate, event.account, event.case) {
            (Some(id), _, _) => slot_at(certificate_key(id))?,
            (None, Some(id), _) => self.index.now().find(&account_key(id))?.and_then(|value| slot_in(&value)),
            (None, None, Some(id)) => slot_at(case_key(id))?,
            (None, None, None) => None,
        };
        match slot {
            Some(slot) if !self.vault.is_erased(slot)? => Ok(Some(slot)),
            _ => Ok(None),
        }
    }

    fn key(&self, slot: u32) -> Result<Option<DataKey>, Fault> {
        Ok(self.vault.key(slot)?)
    }
}
