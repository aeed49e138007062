//! Accounts, sessions and verification codes in the index: how their lines become keys, and how they are read.

use std::collections::HashSet;

use crate::domain::account::{Account, LoginName, Purpose, Session, VerificationCode};
use crate::domain::contact::Contact;
use crate::domain::ids::{AccountId, Sha256};
use crate::store::cipher::Kind;
use crate::store::embedded::fold::{Place, push_number, take_number};
use crate::store::embedded::index::{Draft, View};
use crate::store::embedded::reads::{fault, place};
use crate::store::embedded::writer::Core;
use crate::store::entry::account::{AccountLine, CodeLine, SessionLine};
use crate::store::entry::{self, Blind, SealedLine, WriteLine, parse_sealed};
use crate::store::record::account::read_account;
use crate::store::{Fault, Revision};

/// Keys of login names begin so.
pub(crate) const LOGINS: &[u8] = b"l";
/// Keys of the list of staff begin so.
const STAFF: &[u8] = b"w";
/// Keys of sessions begin so.
pub(crate) const SESSIONS: &[u8] = b"t";
/// Keys of verification codes begin so.
pub(crate) const CODES: &[u8] = b"m";

pub(crate) fn account_key(id: AccountId) -> Vec<u8> {
    [b"u", &id.as_bytes()[..]].concat()
}

/// Keys of the accounts of staff, who are listed.
fn staff_key(id: AccountId) -> Vec<u8> {
    [STAFF, &id.as_bytes()[..]].concat()
}

fn login_key(login: Blind) -> Vec<u8> {
    [LOGINS, &login.0[..]].concat()
}

pub(crate) fn owner_key(person: Blind) -> Vec<u8> {
    [b"v", &person.0[..]].concat()
}

pub(crate) fn session_key(token: Sha256) -> Vec<u8> {
    [SESSIONS, &token.as_bytes()[..]].concat()
}

pub(crate) fn verification_key(purpose: &str, mobile: Blind) -> Vec<u8> {
    [CODES, &mobile.0[..], purpose.as_bytes()].concat()
}

pub(crate) fn account_trail(id: AccountId) -> Vec<u8> {
    [b"y", &id.as_bytes()[..]].concat()
}

/// What the index knows of an account.
struct Known {
    place: Place,
    revision: u64,
    slot: u32,
    login: Blind,
}

impl Known {
    fn write(&self) -> Vec<u8> {
        let mut value = value(&self.place, self.revision);
        push_number(&mut value, self.slot.into());
        value.extend_from_slice(&self.login.0);
        value
    }

    fn read(mut value: &[u8]) -> Option<Self> {
        let place = Place::take(&mut value)?;
        let revision = take_number(&mut value)?;
        let slot = u32::try_from(take_number(&mut value)?).ok()?;
        Some(Self { place, revision, slot, login: entry::Bytes(value.try_into().ok()?) })
    }
}

/// The value of a session or a code.
fn value(place: &Place, revision: u64) -> Vec<u8> {
    let mut value = place.write();
    push_number(&mut value, revision);
    value
}

fn revision_in(mut value: &[u8]) -> Option<Revision> {
    Place::take(&mut value)?;
    take_number(&mut value).map(Revision)
}

/// The slot in the value of an account.
pub(crate) fn slot_in(value: &[u8]) -> Option<u32> {
    Known::read(value).map(|known| known.slot)
}

pub(crate) fn fold_account(
    draft: &mut Draft<'_>,
    line: &AccountLine<'_>,
    place: Place,
    seq: u64,
) -> Result<(), Fault> {
    let key = account_key(line.id);
    let before = draft.find(&key)?.and_then(|value| Known::read(&value));
    if let Some(before) = before.filter(|before| before.login != line.login) {
        let login = login_key(before.login);
        // Unless it is another's by now.
        if draft.find(&login)?.as_deref() == Some(line.id.as_bytes()) {
            draft.remove(login);
        }
    }
    draft.put(key, Known { place, revision: seq, slot: line.slot, login: line.login }.write());
    if line.staff {
        draft.put(staff_key(line.id), Vec::new());
    }
    draft.put(login_key(line.login), line.id.as_bytes().to_vec());
    draft.put(owner_key(line.person), line.slot.to_be_bytes().to_vec());
    Ok(())
}

pub(crate) fn fold_session(draft: &mut Draft<'_>, line: &SessionLine, place: Place, seq: u64) {
    draft.put(session_key(line.token), value(&place, seq));
}

pub(crate) fn fold_code(draft: &mut Draft<'_>, line: &CodeLine, place: Place, seq: u64) {
    draft.put(verification_key(&line.purpose, line.mobile), value(&place, seq));
}

/// The account that a login name leads to, erased or not.
fn by_login(view: &impl View, login: Blind) -> Result<Option<(AccountId, Known)>, Fault> {
    let Some(id) = view.find(&login_key(login))?.and_then(|id| id.try_into().ok()) else { return Ok(None) };
    let id = AccountId::from_bytes(id);
    Ok(known(view, id)?.map(|known| (id, known)))
}

fn known(view: &impl View, id: AccountId) -> Result<Option<Known>, Fault> {
    let Some(value) = view.find(&account_key(id))? else { return Ok(None) };
    Known::read(&value).map(Some).ok_or_else(|| fault("an account's place is missing"))
}

/// The revision of a session.
pub(crate) fn session_revision(view: &impl View, token: Sha256) -> Result<Option<Revision>, Fault> {
    Ok(view.find(&session_key(token))?.and_then(|value| revision_in(&value)))
}

/// The revision of the code last sent to somebody.
pub(crate) fn code_revision(
    view: &impl View,
    purpose: Purpose,
    mobile: Blind,
) -> Result<Option<Revision>, Fault> {
    let value = view.find(&verification_key(purpose.word(), mobile))?;
    Ok(value.and_then(|value| revision_in(&value)))
}

/// How many login names are in use that are among these, or whose account is.
pub(crate) fn names_in_use(
    view: &impl View,
    accounts: impl Iterator<Item = AccountId>,
    logins: impl Iterator<Item = Blind>,
) -> Result<u64, Fault> {
    let mut used: HashSet<Blind> = HashSet::new();
    for login in logins {
        if view.find(&login_key(login))?.is_some() {
            used.insert(login);
        }
    }
    for id in accounts {
        if let Some(Known { login, .. }) = known(view, id)?
            && view.find(&login_key(login))?.as_deref() == Some(id.as_bytes())
        {
            used.insert(login);
        }
    }
    Ok(used.len() as u64)
}

impl Core {
    fn account_at(&self, id: AccountId, known: &Known) -> Result<Option<(Account, Revision)>, Fault> {
        let line = self.ledger.line(&known.place)?;
        let SealedLine::Account(line) = entry::read_sealed(&line).map_err(fault)? else {
            return Err(fault("another record lies in its place"));
        };
        let mut sealed = parse_sealed(line.sealed).map_err(fault)?;
        let plain = self.vault.read(line.slot, Kind::Account, id.as_bytes(), &mut sealed)?;
        let account = plain.map(|plain| read_account(id, plain)).transpose().map_err(fault)?;
        Ok(account.map(|account| (account, Revision(known.revision))))
    }

    /// The account with a login name and its revision; none where its person was erased.
    pub(crate) fn account_with(
        &self,
        view: &impl View,
        login: Blind,
    ) -> Result<Option<(AccountId, Revision)>, Fault> {
        match by_login(view, login)? {
            Some((id, known)) if !self.vault.is_erased(known.slot)? => {
                Ok(Some((id, Revision(known.revision))))
            }
            _ => Ok(None),
        }
    }

    /// See [`crate::store::Store::account`].
    pub(crate) fn account(&self, id: AccountId) -> Result<Option<(Account, Revision)>, Fault> {
        match known(&self.index.now(), id)? {
            Some(known) => self.account_at(id, &known),
            None => Ok(None),
        }
    }

    /// See [`crate::store::Store::account_by_login`].
    pub(crate) fn account_by_login(&self, login: &LoginName) -> Result<Option<(Account, Revision)>, Fault> {
        let blind = self.vault.blind_login(login);
        match self.index.read(|now| by_login(now, blind))? {
            // The blind key is a hash; the record has the last word.
            Some((id, known)) => {
                let found = self.account_at(id, &known)?;
                Ok(found.filter(|(account, _)| account.owner.login() == *login))
            }
            None => Ok(None),
        }
    }

    /// See [`crate::store::Store::staff`].
    pub(crate) fn staff(&self) -> Result<Vec<Account>, Fault> {
        let mut ids = Vec::new();
        self.index.now().walk(STAFF, None, |key, _| {
            ids.extend(key[STAFF.len()..].try_into().ok().map(AccountId::from_bytes));
            Ok(true)
        })?;
        let found = ids.into_iter().map(|id| self.account(id));
        found.filter_map(|found| found.map(|found| found.map(|(account, _)| account)).transpose()).collect()
    }

    /// See [`crate::store::Store::session`].
    pub(crate) fn session(&self, token: Sha256) -> Result<Option<(Session, Revision, Account)>, Fault> {
        let Some(value) = self.index.now().find(&session_key(token))? else { return Ok(None) };
        let line = self.ledger.checked_line(&place(&value)?)?;
        let session = match entry::read_write(&line).map_err(fault)? {
            WriteLine::Session(line) if line.token == token => Session::from(line),
            _ => return Err(fault("another record lies in its place")),
        };
        let revision = revision_in(&value).ok_or_else(|| fault("a revision is missing"))?;
        let account = self.account(session.account)?;
        Ok(account.map(|(account, _)| (session, revision, account)))
    }

    /// See [`crate::store::Store::verification_code`].
    pub(crate) fn verification_code(
        &self,
        purpose: Purpose,
        to: &Contact,
    ) -> Result<Option<(VerificationCode, Revision)>, Fault> {
        let mobile = self.vault.blind_contact(to);
        let value = self.index.now().find(&verification_key(purpose.word(), mobile))?;
        let Some(value) = value else { return Ok(None) };
        let line = self.ledger.checked_line(&place(&value)?)?;
        let code = match entry::read_write(&line).map_err(fault)? {
            WriteLine::Code(line) if line.mobile == mobile => line.code().map_err(fault)?,
            _ => return Err(fault("another record lies in its place")),
        };
        let revision = revision_in(&value).ok_or_else(|| fault("a revision is missing"))?;
        Ok(Some((code, revision)))
    }
}
