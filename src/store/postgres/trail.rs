//! The ledger, read: entries by what they are about, proofs, and its head.

use std::collections::HashMap;

use sqlx::postgres::PgRow;
use sqlx::{Postgres as Database, QueryBuilder, Row};

use crate::domain::ids::Sha256;
use crate::domain::ledger::{Entry, Head, Link, Proof};
use crate::domain::query::{EntryQuery, Page};
use crate::store::Fault;
use crate::store::cipher::DataKey;
use crate::store::encoding::read_event;
use crate::store::entry::{EventShape, read_events};
use crate::store::postgres::connect::again;
use crate::store::postgres::group::{array, unsigned};
use crate::store::postgres::keys::key_in;
use crate::store::postgres::life::Core;
use crate::store::postgres::lists::{PAGE_MAX, cut};
use crate::store::postgres::rows::uuid;
use crate::store::postgres::write::signed;

fn fault(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Fault {
    Fault::new("reading the ledger", error)
}

fn head_in(row: &PgRow) -> Result<Head, Fault> {
    let seq = unsigned(row, "seq").map_err(fault)?;
    Ok(Head { seq, chain: Sha256::new(array(row, "chain").map_err(fault)?) })
}

/// The statement of a query: it walks the narrowest trail and looks into the others.
fn ask(query: &EntryQuery, count: i64) -> QueryBuilder<Database> {
    let mut sql =
        QueryBuilder::new("/* ledger.entries */ select l.seq, l.payload, l.digest, l.chain from ledger l");
    let after = signed(query.after.unwrap_or(0));
    let certificate = query.certificate.map(|id| uuid(id.as_bytes()));
    let annotation = query.annotation.map(|id| uuid(id.as_bytes()));
    let account = query.account.map(|id| uuid(id.as_bytes()));
    let issuer = query.issuer.map(|issuer| issuer.as_str().to_owned());
    let mut by = "l";
    if let Some(annotation) = annotation {
        sql.push(" join trail_annotations a on a.seq = l.seq and a.annotation = ").push_bind(annotation);
        by = "a";
    }
    if let Some(certificate) = certificate {
        sql.push(" join trail_certificates c on c.seq = l.seq and c.certificate = ").push_bind(certificate);
        by = "c";
    }
    if let Some(account) = account {
        sql.push(" join trail_accounts u on u.seq = l.seq and u.account = ").push_bind(account);
        by = if by == "l" { "u" } else { by };
    }
    if let Some(issuer) = issuer {
        sql.push(" join trail_issuers i on i.seq = l.seq and i.issuer = ").push_bind(issuer);
        by = if by == "l" { "i" } else { by };
    }
    sql.push(" where ").push(by).push(".seq > ").push_bind(after);
    sql.push(" order by ").push(by).push(".seq limit ").push_bind(count);
    sql
}

impl Core {
    /// See [`crate::store::Store::entries`].
    pub(crate) async fn entries(&self, query: &EntryQuery) -> Result<Page<Entry>, Fault> {
        let limit = query.limit.clamp(1, PAGE_MAX);
        let count = i64::try_from(limit + 1).unwrap_or(i64::MAX);
        let rows =
            again("reading the ledger", || async { ask(query, count).build().fetch_all(&self.pool).await })
                .await?;
        let mut read: Vec<(&PgRow, Vec<EventShape>)> = Vec::with_capacity(rows.len());
        for row in &rows {
            let payload: &[u8] = row.try_get("payload").map_err(fault)?;
            read.push((row, read_events(payload).map_err(fault)?));
        }
        let events = read.iter().flat_map(|(_, events)| events);
        let slots = events.filter_map(|event| event.reason.as_ref()?.slot).map(i64::from).collect();
        let keys = self.keys_of(slots).await?;
        let cipher = self.cipher();
        let mut items = Vec::with_capacity(read.len());
        for (row, events) in read {
            let Head { seq, chain } = head_in(row)?;
            let events = events
                .into_iter()
                .map(|event| read_event(&cipher, event, |slot| Ok(keys.get(&slot).cloned())))
                .collect::<Result<_, _>>()?;
            let digest = Sha256::new(array(row, "digest").map_err(fault)?);
            items.push(Entry { seq, events, digest, chain });
        }
        Ok(cut(items, limit))
    }

    async fn keys_of(&self, slots: Vec<i64>) -> Result<HashMap<u32, DataKey>, Fault> {
        let mut keys = HashMap::new();
        if slots.is_empty() {
            return Ok(keys);
        }
        let rows = again("reading the ledger", || {
            sqlx::query(
                "/* ledger.keys */ select slot, person, wrapped from person_keys where slot = any($1)",
            )
            .bind(&slots)
            .fetch_all(&self.pool)
        })
        .await?;
        let cipher = self.cipher();
        for row in &rows {
            let slot: i64 = row.try_get("slot").map_err(fault)?;
            if let Some(key) = key_in(&cipher, row)? {
                keys.insert(u32::try_from(slot).map_err(fault)?, key);
            }
        }
        Ok(keys)
    }

    /// See [`crate::store::Store::proof`].
    pub(crate) async fn proof(&self, seqs: &[u64]) -> Result<Proof, Fault> {
        let head = self.head().await?;
        let mut asked: Vec<i64> =
            seqs.iter().filter(|seq| (1..=head.seq).contains(seq)).map(|seq| signed(*seq)).collect();
        asked.sort_unstable();
        let Some(first) = asked.first().copied() else {
            return Ok(Proof { before: head.chain, links: Vec::new(), head });
        };
        // One statement, one moment: the last row is the head then.
        let rows = again("reading the ledger", || {
            sqlx::query(
                "/* ledger.proof */ select seq, digest, chain, case when seq = any($2) then payload end as payload \
                 from ledger where seq >= $1 order by seq",
            )
            .bind(first - 1)
            .bind(&asked)
            .fetch_all(&self.pool)
        })
        .await?;
        let (mut before, mut head) = (Sha256::new([0; 32]), head);
        let mut links = Vec::with_capacity(rows.len());
        for row in &rows {
            head = head_in(row)?;
            let seq = head.seq;
            if signed(seq) < first {
                before = head.chain;
                continue;
            }
            let payload: Option<Vec<u8>> = row.try_get("payload").map_err(fault)?;
            links.push(match payload {
                Some(payload) => Link::Whole { seq, payload },
                None => Link::Digest { seq, digest: Sha256::new(array(row, "digest").map_err(fault)?) },
            });
        }
        Ok(Proof { before, links, head })
    }

    /// See [`crate::store::Store::head`].
    pub(crate) async fn head(&self) -> Result<Head, Fault> {
        let row = again("reading the ledger", || {
            sqlx::query("/* ledger.head */ select seq, chain from head").fetch_one(&self.pool)
        })
        .await?;
        head_in(&row)
    }
}
