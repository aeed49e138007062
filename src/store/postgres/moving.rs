//! Moving in and out: a ledger is replayed entry by entry, a key ring slot by slot, documents as they lie. Every chain
//! value, every slot and every digest stays what it was, so that both homes can be held against each other.

use std::sync::Arc;

use async_trait::async_trait;
use sqlx::postgres::PgRow;
use sqlx::{Row, Transaction};
use uuid::Uuid;

use crate::domain::ids::Sha256;
use crate::domain::ledger::Head;
use crate::domain::tally::Tallies;
use crate::store::Fault;
use crate::store::chain::{StoreId, sha256};
use crate::store::cipher::Cipher;
use crate::store::encoding::Prepared;
use crate::store::entry::Bytes;
use crate::store::migrate::mentions::{Counts, Mentions};
use crate::store::migrate::verified::Verified;
use crate::store::migrate::{Holding, RawEntry, RawSlot, Source, Target, Tenure};
use crate::store::postgres::Postgres;
use crate::store::postgres::committer::Ready;
use crate::store::postgres::connect::again;
use crate::store::postgres::group::{Unwritten, array, prepare, unsigned};
use crate::store::postgres::rows::{Parts, uuid};
use crate::store::postgres::schema::{standing_in, word};
use crate::store::postgres::write::signed;

fn moving(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Fault {
    Fault::new("moving a store", error)
}

impl Postgres {
    /// What decrypts it.
    pub(crate) fn cipher(&self) -> Result<Arc<Cipher>, Fault> {
        Ok(self.core()?.cipher())
    }

    /// For statements that read a whole table: a large one takes its time.
    async fn patient(&self) -> Result<Transaction<'static, sqlx::Postgres>, Fault> {
        let mut transaction = self.core()?.pool.begin().await.map_err(moving)?;
        sqlx::query("/* moving.patient */ set local statement_timeout = 0")
            .execute(&mut *transaction)
            .await
            .map_err(moving)?;
        Ok(transaction)
    }

    /// Changes how the store stands, where it stands as is expected. Whoever writes holds the row: when this is done,
    /// nothing is under way that rests on how it stood.
    async fn stand(&self, from: &[Tenure], to: Tenure) -> Result<(), Fault> {
        let core = self.core()?;
        let from: Vec<&str> = from.iter().map(|standing| word(*standing)).collect();
        let stood = again("moving a store", || {
            sqlx::query(
                "/* moving.stand */ update head set standing = $2, verified = null where standing = any($1)",
            )
            .bind(&from)
            .bind(word(to))
            .execute(&core.pool)
        })
        .await?;
        match stood.rows_affected() {
            1 => Ok(()),
            _ => Err(moving("the store does not stand as it did; was it moved meanwhile?")),
        }
    }
}

fn counts_in(row: &PgRow) -> Result<Counts, sqlx::Error> {
    Ok(Counts {
        certificates: unsigned(row, "certificates")?,
        annotations: unsigned(row, "annotations")?,
        accounts: unsigned(row, "accounts")?,
        sessions: unsigned(row, "sessions")?,
        codes: unsigned(row, "codes")?,
        tickets: unsigned(row, "tickets")?,
        cases: unsigned(row, "cases")?,
        registrants: unsigned(row, "registrants")?,
        companies: unsigned(row, "companies")?,
        documents: unsigned(row, "documents")?,
    })
}

#[async_trait]
impl Holding for Postgres {
    fn id(&self) -> Result<StoreId, Fault> {
        Ok(self.core()?.id())
    }

    async fn end(&self) -> Result<Head, Fault> {
        self.core()?.head().await
    }

    async fn row_counts(&self) -> Result<Option<Counts>, Fault> {
        self.counts().await.map(Some)
    }

    async fn raw_entries(&self, after: u64, limit: u32) -> Result<Vec<RawEntry>, Fault> {
        let core = self.core()?;
        let rows = again("moving a store", || {
            sqlx::query(
                "/* moving.entries */ select seq, payload, chain from ledger where seq > $1 order by seq limit $2",
            )
            .bind(signed(after))
            .bind(i64::from(limit))
            .fetch_all(&core.pool)
        })
        .await?;
        let read = |row: &PgRow| {
            let payload = row.try_get("payload")?;
            Ok(RawEntry { seq: unsigned(row, "seq")?, chain: array(row, "chain")?, payload })
        };
        rows.iter().map(read).collect::<Result<_, sqlx::Error>>().map_err(moving)
    }

    async fn raw_slots(&self, from: u32, limit: u32) -> Result<Vec<RawSlot>, Fault> {
        let core = self.core()?;
        let rows = again("moving a store", || {
            sqlx::query(
                "/* moving.slots */ select slot, person, wrapped from person_keys where slot >= $1 \
                 order by slot limit $2",
            )
            .bind(i64::from(from))
            .bind(i64::from(limit))
            .fetch_all(&core.pool)
        })
        .await?;
        let read = |row: &PgRow| -> Result<RawSlot, sqlx::Error> {
            let slot: i64 = row.try_get("slot")?;
            let used: Option<&[u8]> = row.try_get("wrapped")?;
            let key = match used {
                Some(_) => Some((Bytes(array(row, "person")?), array(row, "wrapped")?)),
                None => None,
            };
            Ok(RawSlot { slot: u32::try_from(slot).unwrap_or(u32::MAX), key })
        };
        rows.iter().map(read).collect::<Result<_, sqlx::Error>>().map_err(moving)
    }

    async fn erased_slots(&self) -> Result<Vec<u32>, Fault> {
        let mut patient = self.patient().await?;
        let slots: Vec<i64> = sqlx::query_scalar(
            "/* moving.erased */ select slot from person_keys where wrapped is null order by slot",
        )
        .fetch_all(&mut *patient)
        .await
        .map_err(moving)?;
        Ok(slots.into_iter().map(|slot| u32::try_from(slot).unwrap_or(u32::MAX)).collect())
    }

    async fn raw_document(&self, digest: Sha256) -> Result<Option<Vec<u8>>, Fault> {
        self.core()?.shelf.file(digest).await
    }
}

#[async_trait]
impl Source for Postgres {
    async fn standing(&self) -> Result<Tenure, Fault> {
        let core = self.core()?;
        let row = again("moving a store", || {
            sqlx::query("/* moving.standing */ select standing from head").fetch_one(&core.pool)
        })
        .await?;
        standing_in(&row).map_err(moving)
    }

    async fn halt(&self) -> Result<(), Fault> {
        match self.standing().await? {
            Tenure::Moved => Ok(()),
            _ => self.stand(&[Tenure::Live, Tenure::Halted], Tenure::Halted).await,
        }
    }

    async fn resume(&self) -> Result<(), Fault> {
        match self.standing().await? {
            Tenure::Halted => self.stand(&[Tenure::Halted], Tenure::Live).await,
            _ => Ok(()),
        }
    }

    async fn tallies(&self, digit: u8) -> Result<Tallies, Fault> {
        self.core()?.checks_ending_in(digit).await
    }

    async fn retire(&self) -> Result<(), Fault> {
        self.stand(&[Tenure::Halted, Tenure::Moved], Tenure::Moved).await
    }
}

#[async_trait]
impl Target for Postgres {
    async fn put_raw_slots(&self, slots: &[RawSlot]) -> Result<(), Fault> {
        let Some(end) = slots.iter().map(|slot| i64::from(slot.slot) + 1).max() else { return Ok(()) };
        let core = self.core()?;
        let numbers: Vec<i64> = slots.iter().map(|slot| i64::from(slot.slot)).collect();
        let person = |slot: &RawSlot| slot.key.as_ref().map(|(person, _)| person.0.to_vec());
        let persons: Vec<Option<Vec<u8>>> = slots.iter().map(person).collect();
        let wrapped = |slot: &RawSlot| slot.key.as_ref().map(|(_, wrapped)| wrapped.to_vec());
        let wrapped: Vec<Option<Vec<u8>>> = slots.iter().map(wrapped).collect();
        let mut transaction = core.pool.begin().await.map_err(moving)?;
        sqlx::query(
            "/* moving.put_slots */ insert into person_keys (slot, person, wrapped) \
             select * from unnest($1::bigint[], $2::bytea[], $3::bytea[]) \
             on conflict (slot) do update set person = excluded.person, wrapped = excluded.wrapped",
        )
        .bind(&numbers)
        .bind(&persons)
        .bind(&wrapped)
        .execute(&mut *transaction)
        .await
        .map_err(moving)?;
        // Erased since it was copied, or another's: then it is no longer the slot that its person uses.
        sqlx::query(
            "/* moving.unname_slots */ delete from persons using unnest($1::bigint[], $2::bytea[]) as put (slot, person) \
             where persons.slot = put.slot and persons.person is distinct from put.person",
        )
        .bind(&numbers)
        .bind(&persons)
        .execute(&mut *transaction)
        .await
        .map_err(moving)?;
        sqlx::query(
            "/* moving.name_slots */ insert into persons (person, slot) \
             select person, max(slot) from person_keys where slot = any($1) and person is not null group by person \
             on conflict (person) do update set slot = excluded.slot where persons.slot < excluded.slot",
        )
        .bind(&numbers)
        .execute(&mut *transaction)
        .await
        .map_err(moving)?;
        sqlx::query("/* moving.count_slots */ update store set next_slot = $1 where next_slot < $1")
            .bind(end)
            .execute(&mut *transaction)
            .await
            .map_err(moving)?;
        transaction.commit().await.map_err(moving)
    }

    async fn put_raw_document(&self, digest: Sha256, file: &[u8]) -> Result<(), Fault> {
        let slot = crate::store::envelope::slot_in(file)?;
        self.core()?.keep_file(slot, digest, file).await
    }

    async fn replay(&self, entries: Vec<RawEntry>) -> Result<Head, Fault> {
        let core = self.core()?;
        let Some(last) = entries.last().map(|last| (last.seq, last.chain)) else {
            return core.head().await;
        };
        let mut changes = Vec::with_capacity(entries.len());
        for entry in entries {
            let parts = Parts::read(&entry.payload).map_err(moving)?;
            let digest = sha256(&entry.payload);
            let prepared = Prepared { checks: Vec::new(), payload: entry.payload, digest };
            changes.push(Ready { prepared, parts, moved: true });
        }
        let group: Vec<&Ready> = changes.iter().collect();
        let written = prepare(&core.steady, &core.id(), Tenure::Receiving, &group).await.map_err(
            |error| match error {
                Unwritten::Sql(error) => moving(error),
                Unwritten::Reset => moving("the store was reset"),
                Unwritten::Elsewhere => moving("the database is not receiving a store"),
            },
        )?;
        if (written.seq, written.chain) != last {
            written.transaction.rollback().await.map_err(moving)?;
            return Err(moving("the entries do not continue the ledger"));
        }
        written.transaction.commit().await.map_err(moving)?;
        core.arrivals.announce(written.arrived);
        Ok(Head { seq: last.0, chain: Sha256::new(last.1) })
    }

    async fn put_tallies(&self, digit: u8, tallies: &Tallies) -> Result<(), Fault> {
        let core = self.core()?;
        if digit == 0 {
            core.forget_checks().await?;
        }
        core.count_checks(tallies).await
    }

    async fn counts(&self) -> Result<Counts, Fault> {
        let mut patient = self.patient().await?;
        let row = sqlx::query(
            "/* moving.count */ select (select count(*) from certificates) as certificates, \
             (select count(*) from annotations) as annotations, (select count(*) from accounts) as accounts, \
             (select count(*) from sessions) as sessions, (select count(*) from codes) as codes, \
             (select count(*) from tickets) as tickets, (select count(*) from documents) as documents, \
             (select count(*) from cases) as cases, (select count(*) from registrants) as registrants, \
             (select count(*) from companies) as companies",
        )
        .fetch_one(&mut *patient)
        .await
        .map_err(moving)?;
        counts_in(&row).map_err(moving)
    }

    async fn held(&self, named: &Arc<Mentions>) -> Result<Counts, Fault> {
        let core = self.core()?;
        let certificates: Vec<Uuid> = named.certificates.iter().map(|id| uuid(id.as_bytes())).collect();
        let annotations: Vec<Uuid> = named.annotations.iter().map(|id| uuid(id.as_bytes())).collect();
        let accounts: Vec<Uuid> = named.accounts.keys().map(|id| uuid(id.as_bytes())).collect();
        let logins: Vec<&[u8]> = named.logins.keys().map(|login| &login.0[..]).collect();
        let sessions: Vec<&[u8]> = named.sessions.iter().map(|token| &token.as_bytes()[..]).collect();
        let purposes: Vec<&str> = named.codes.iter().map(|(purpose, _)| purpose.as_str()).collect();
        let mobiles: Vec<&[u8]> = named.codes.iter().map(|(_, mobile)| &mobile.0[..]).collect();
        let tickets: Vec<Uuid> = named.tickets.iter().map(|id| uuid(id.as_bytes())).collect();
        let cases: Vec<Uuid> = named.cases.iter().map(|id| uuid(id.as_bytes())).collect();
        let registrants: Vec<&[u8]> = named.registrants.iter().map(|person| &person.0[..]).collect();
        let companies: Vec<&str> = named.companies.iter().map(|uscc| uscc.as_str()).collect();
        let documents: Vec<&[u8]> = named.documents.iter().map(|digest| &digest.as_bytes()[..]).collect();
        let row = again("moving a store", || {
            sqlx::query(
                "/* moving.held */ select \
                 (select count(*) from certificates where id = any($1::uuid[])) as certificates, \
                 (select count(*) from annotations where id = any($2::uuid[])) as annotations, \
                 (select count(*) from accounts where id = any($3::uuid[]) or login = any($4::bytea[])) as accounts, \
                 (select count(*) from sessions where token = any($5::bytea[])) as sessions, \
                 (select count(*) from codes join unnest($6::text[], $7::bytea[]) as named (purpose, mobile) \
                  using (purpose, mobile)) as codes, \
                 (select count(*) from documents where digest = any($8::bytea[])) as documents, \
                 (select count(*) from tickets where id = any($9::uuid[])) as tickets, \
                 (select count(*) from cases where id = any($10::uuid[])) as cases, \
                 (select count(*) from registrants where person = any($11::bytea[])) as registrants, \
                 (select count(*) from companies where uscc = any($12::text[])) as companies",
            )
            .bind(&certificates)
            .bind(&annotations)
            .bind(&accounts)
            .bind(&logins)
            .bind(&sessions)
            .bind(&purposes)
            .bind(&mobiles)
            .bind(&documents)
            .bind(&tickets)
            .bind(&cases)
            .bind(&registrants)
            .bind(&companies)
            .fetch_one(&core.steady)
        })
        .await?;
        counts_in(&row).map_err(moving)
    }

    async fn verified(&self) -> Result<Option<Verified>, Fault> {
        let core = self.core()?;
        let text: Option<String> = again("moving a store", || {
            sqlx::query_scalar("/* moving.verified */ select verified from head").fetch_one(&core.pool)
        })
        .await?;
        Ok(text.and_then(|text| Verified::parse(&text, &core.id(), &core.shelf.whereabouts)))
    }

    async fn keep_verified(&self, verified: &Verified) -> Result<(), Fault> {
        let core = self.core()?;
        let text = verified.print(&core.id(), &core.shelf.whereabouts);
        let kept = again("moving a store", || {
            sqlx::query(
                "/* moving.keep_verified */ update head set verified = $1 where standing = 'receiving'",
            )
            .bind(&text)
            .execute(&core.pool)
        })
        .await?;
        match kept.rows_affected() {
            1 => Ok(()),
            _ => Err(moving("the database is not receiving a store")),
        }
    }

    async fn go_live(&self) -> Result<(), Fault> {
        self.stand(&[Tenure::Receiving], Tenure::Live).await
    }
}
