//! The persons' keys: rows, each wrapped, read anew whenever one is needed. A node keeps none in memory: what another
//! node erased is erased here too, in the same moment.
//!
//! A new person's key is made durable in a transaction of its own before anything is encrypted with it. Two nodes that
//! meet the same person at once both try; one row wins, and both go on with that one.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use sqlx::PgPool;
use sqlx::Row;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use crate::domain::event::Event;
use crate::domain::ids::{AccountId, AnnotationId, CaseId, CertificateId};
use crate::store::cipher::{Cipher, DataKey, VaultError, Wrapped};
use crate::store::encoding::{Keys, Prepared, person_of, prepare};
use crate::store::entry::{Blind, Bytes};
use crate::store::migrate::Tenure;
use crate::store::postgres::committer::MOVED;
use crate::store::postgres::connect::again;
use crate::store::postgres::life::Core;
use crate::store::postgres::rows::uuid;
use crate::store::postgres::schema::word;
use crate::store::{Change, Fault, Write};

/// Slots that a node takes at once.
const RESERVED: u32 = 64;

/// Slots that this node may give out.
#[derive(Debug, Default)]
pub(crate) struct Slots(Mutex<Range<u32>>);

impl Slots {
    fn next(&self) -> Option<u32> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).next()
    }

    fn add(&self, range: Range<u32>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = range;
    }

    /// Forgets those not yet given out: they belong to a store that is no more.
    pub(crate) fn clear(&self) {
        self.add(0..0);
    }
}

const USING: &str = "using the persons' keys";

fn fault(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Fault {
    Fault::new(USING, error)
}

/// The key in a row of `slot`, `person` and `wrapped`; none where it was erased.
pub(crate) fn key_in(cipher: &Cipher, row: &PgRow) -> Result<Option<DataKey>, Fault> {
    key_under(cipher, row, ["slot", "person", "wrapped"])
}

/// The key in a row that names its slot, person and wrapped key so; none where it was erased.
pub(crate) fn key_under(
    cipher: &Cipher,
    row: &PgRow,
    [slot, person, wrapped]: [&str; 3],
) -> Result<Option<DataKey>, Fault> {
    let person: Option<&[u8]> = row.try_get(person).map_err(fault)?;
    let wrapped: Option<&[u8]> = row.try_get(wrapped).map_err(fault)?;
    let (Some(person), Some(wrapped)) = (person, wrapped) else { return Ok(None) };
    let slot: i64 = row.try_get(slot).map_err(fault)?;
    let slot = u32::try_from(slot).map_err(fault)?;
    let person: [u8; 16] = person.try_into().map_err(fault)?;
    let wrapped: &Wrapped = wrapped.try_into().map_err(fault)?;
    Ok(Some(cipher.unwrap(slot, Bytes(person), wrapped)?))
}

/// The keys that one change needs, found before it is encoded.
pub(crate) struct Hand<'a> {
    cipher: &'a Cipher,
    slots: HashMap<Blind, u32>,
    keys: HashMap<u32, DataKey>,
    certificates: HashMap<CertificateId, u32>,
    annotations: HashMap<AnnotationId, u32>,
    accounts: HashMap<AccountId, u32>,
    cases: HashMap<CaseId, u32>,
}

impl Keys for Hand<'_> {
    fn cipher(&self) -> &Cipher {
        self.cipher
    }

    fn slot_of(&self, person: Blind) -> Result<u32, Fault> {
        self.slots.get(&person).copied().ok_or_else(|| fault("a person's key was not looked up"))
    }

    fn slot_about(&self, event: &Event) -> Result<Option<u32>, Fault> {
        Ok(match (event.certificate, event.annotation, event.account, event.case) {
            (Some(id), ..) => self.certificates.get(&id).copied(),
            (None, Some(id), ..) => self.annotations.get(&id).copied(),
            (None, None, Some(id), _) => self.accounts.get(&id).copied(),
            (None, None, None, Some(id)) => self.cases.get(&id).copied(),
            (None, None, None, None) => None,
        })
    }

    fn key(&self, slot: u32) -> Result<Option<DataKey>, Fault> {
        Ok(self.keys.get(&slot).cloned())
    }
}

impl<'a> Hand<'a> {
    fn empty(cipher: &'a Cipher) -> Self {
        Self {
            cipher,
            slots: HashMap::new(),
            keys: HashMap::new(),
            certificates: HashMap::new(),
            annotations: HashMap::new(),
            accounts: HashMap::new(),
            cases: HashMap::new(),
        }
    }

    /// Finds or makes the keys that a change needs.
    pub(crate) async fn of(
        pool: &PgPool,
        cipher: &'a Cipher,
        slots: &Slots,
        change: &Change,
    ) -> Result<Self, Fault> {
        let mut hand = Self::empty(cipher);
        let persons: HashSet<Blind> =
            change.writes.iter().filter_map(|write| person_of(cipher, write)).collect();
        hand.find_persons(pool, persons.iter().copied().collect()).await?;
        for person in persons {
            if !hand.slots.contains_key(&person) {
                hand.make(pool, slots, person).await?;
            }
        }
        hand.find_subjects(pool, change).await?;
        Ok(hand)
    }

    /// Finds or makes one person's key: its slot and itself.
    pub(crate) async fn one(
        pool: &PgPool,
        cipher: &'a Cipher,
        slots: &Slots,
        person: Blind,
    ) -> Result<(u32, DataKey), Fault> {
        let mut hand = Self::empty(cipher);
        hand.find_persons(pool, vec![person]).await?;
        if !hand.slots.contains_key(&person) {
            hand.make(pool, slots, person).await?;
        }
        let slot = hand.slot_of(person)?;
        let key = hand.key(slot)?.ok_or(VaultError::NoKey(slot))?;
        Ok((slot, key))
    }

    fn keep(&mut self, row: &PgRow) -> Result<Option<u32>, Fault> {
        let slot: i64 = row.try_get("slot").map_err(fault)?;
        let slot = u32::try_from(slot).map_err(fault)?;
        let key = key_in(self.cipher, row)?;
        Ok(key.map(|key| {
            self.keys.insert(slot, key);
            slot
        }))
    }

    async fn find_persons(&mut self, pool: &PgPool, persons: Vec<Blind>) -> Result<(), Fault> {
        if persons.is_empty() {
            return Ok(());
        }
        let blind: Vec<Vec<u8>> = persons.iter().map(|person| person.0.to_vec()).collect();
        let rows = again(USING, || {
            sqlx::query(
                "/* keys.find_persons */ select p.person, p.slot, k.wrapped \
                 from persons p join person_keys k on k.slot = p.slot where p.person = any($1)",
            )
            .bind(&blind)
            .fetch_all(pool)
        })
        .await?;
        for row in rows {
            let person: &[u8] = row.try_get("person").map_err(fault)?;
            let person = Bytes(person.try_into().map_err(fault)?);
            if let Some(slot) = self.keep(&row)? {
                self.slots.insert(person, slot);
            }
        }
        Ok(())
    }

    /// Makes a person's key, or takes the one that somebody else just made.
    async fn make(&mut self, pool: &PgPool, slots: &Slots, person: Blind) -> Result<(), Fault> {
        let slot = match slots.next() {
            Some(slot) => slot,
            None => reserve(pool, slots).await?,
        };
        let key = self.cipher.mint()?;
        let wrapped = self.cipher.wrap(slot, person, &key)?;
        if again(USING, || name(pool, slot, person, &wrapped)).await? {
            self.slots.insert(person, slot);
            self.keys.insert(slot, key);
            return Ok(());
        }
        self.find_persons(pool, vec![person]).await
    }

    /// Whose the events are whose certificate, annotation, account or case is not itself written.
    async fn find_subjects(&mut self, pool: &PgPool, change: &Change) -> Result<(), Fault> {
        let mut certificates = Vec::<Uuid>::new();
        let mut annotations = Vec::<Uuid>::new();
        let mut accounts = Vec::<Uuid>::new();
        let mut cases = Vec::<Uuid>::new();
        for event in change.events.iter().filter(|event| event.reason.is_some()) {
            let written = change.writes.iter().any(|write| match write {
                Write::Certificate(certificate) => event.certificate == Some(certificate.id),
                Write::Annotation { annotation, .. } => {
                    event.annotation == Some(annotation.id)
                        || event.certificate == Some(annotation.certificate)
                }
                Write::Account(account) => event.account == Some(account.id),
                Write::Case(case) => event.case == Some(case.id),
                _ => false,
            });
            if written {
                continue;
            }
            match (event.certificate, event.annotation, event.account, event.case) {
                (Some(id), ..) => certificates.push(uuid(id.as_bytes())),
                (None, Some(id), ..) => annotations.push(uuid(id.as_bytes())),
                (None, None, Some(id), _) => accounts.push(uuid(id.as_bytes())),
                (None, None, None, Some(id)) => cases.push(uuid(id.as_bytes())),
                (None, None, None, None) => {}
            }
        }
        if [&certificates, &annotations, &accounts, &cases].iter().all(|asked| asked.is_empty()) {
            return Ok(());
        }
        let rows = again(USING, || {
            sqlx::query(
                "/* keys.find_subjects */ select c.id, 0 as part, k.slot, k.person, k.wrapped \
                 from certificates c join person_keys k on k.slot = c.slot where c.id = any($1) \
                 union all select a.id, 1, k.slot, k.person, k.wrapped from annotations a \
                 join certificates c on c.id = a.certificate join person_keys k on k.slot = c.slot \
                 where a.id = any($2) \
                 union all select a.id, 2, k.slot, k.person, k.wrapped from accounts a \
                 join person_keys k on k.slot = a.slot where a.id = any($3) \
                 union all select c.id, 3, k.slot, k.person, k.wrapped from cases c \
                 join person_keys k on k.slot = c.slot where c.id = any($4)",
            )
            .bind(&certificates)
            .bind(&annotations)
            .bind(&accounts)
            .bind(&cases)
            .fetch_all(pool)
        })
        .await?;
        for row in rows {
            let id = *row.try_get::<Uuid, _>("id").map_err(fault)?.as_bytes();
            let part: i32 = row.try_get("part").map_err(fault)?;
            let Some(slot) = self.keep(&row)? else { continue };
            match part {
                0 => drop(self.certificates.insert(CertificateId::from_bytes(id), slot)),
                1 => drop(self.annotations.insert(AnnotationId::from_bytes(id), slot)),
                2 => drop(self.accounts.insert(AccountId::from_bytes(id), slot)),
                _ => drop(self.cases.insert(CaseId::from_bytes(id), slot)),
            }
        }
        Ok(())
    }
}

impl Core {
    /// Encrypts and writes down a change, with the keys that it needs.
    pub(crate) async fn encode(&self, change: &Change) -> Result<Prepared, Fault> {
        let cipher = self.cipher();
        let hand = Hand::of(&self.pool, &cipher, &self.slots, change).await?;
        prepare(&hand, change)
    }
}

/// Keeps a new person's key in a slot. False where somebody made one before: then this one is not kept.
async fn name(pool: &PgPool, slot: u32, person: Blind, wrapped: &Wrapped) -> Result<bool, sqlx::Error> {
    let mut transaction = pool.begin().await?;
    // There already where this was done before and the answer was lost.
    sqlx::query(
        "/* keys.make */ insert into person_keys (slot, person, wrapped) values ($1, $2, $3) on conflict do nothing",
    )
    .bind(i64::from(slot))
    .bind(&person.0[..])
    .bind(&wrapped[..])
    .execute(&mut *transaction)
    .await?;
    let named = sqlx::query(
        "/* keys.name */ insert into persons (person, slot) values ($1, $2) on conflict (person) do nothing",
    )
    .bind(&person.0[..])
    .bind(i64::from(slot))
    .execute(&mut *transaction)
    .await?;
    if named.rows_affected() == 1 {
        transaction.commit().await?;
        return Ok(true);
    }
    transaction.rollback().await?;
    Ok(false)
}

/// Takes slots for this node and gives out the first.
async fn reserve(pool: &PgPool, slots: &Slots) -> Result<u32, Fault> {
    let end: i64 = again(USING, || {
        sqlx::query_scalar(
            "/* keys.reserve */ update store set next_slot = next_slot + $1 returning next_slot",
        )
        .bind(i64::from(RESERVED))
        .fetch_one(pool)
    })
    .await?;
    let end = u32::try_from(end).map_err(|_| VaultError::Full)?;
    let first = end - RESERVED;
    slots.add(first + 1..end);
    Ok(first)
}

/// Destroys every key of a person. Says how many there were.
pub(crate) async fn erase(pool: &PgPool, person: Blind) -> Result<usize, Fault> {
    let erasing = |error| Fault::new("erasing a person", error);
    let mut transaction = pool.begin().await.map_err(erasing)?;
    // Held until the end: an erasure is in what is copied at a move, or it is refused.
    let standing: &str =
        &sqlx::query_scalar::<_, String>("/* keys.stand */ select standing from head for share")
            .fetch_one(&mut *transaction)
            .await
            .map_err(erasing)?;
    if standing != word(Tenure::Live) {
        return Err(Fault::new("erasing a person", MOVED));
    }
    sqlx::query("/* keys.forget */ delete from persons where person = $1")
        .bind(&person.0[..])
        .execute(&mut *transaction)
        .await
        .map_err(erasing)?;
    let erased = sqlx::query(
        "/* keys.erase */ update person_keys set person = null, wrapped = null where person = $1",
    )
    .bind(&person.0[..])
    .execute(&mut *transaction)
    .await
    .map_err(erasing)?;
    // From here on the person may be erased, whatever becomes of the answer: erasing again does no harm.
    transaction.commit().await.map_err(erasing)?;
    Ok(usize::try_from(erased.rows_affected()).unwrap_or(usize::MAX))
}
