//! One transaction that makes many changes: lock what they rest on, lock the head, look, decide, write once.

use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{PgPool, Postgres as Database, Row, Transaction};
use uuid::Uuid;

use crate::domain::account::Purpose;
use crate::domain::ids::{AccountId, AnnotationId, CaseId, CertificateId, Sha256, TicketId};
use crate::store::chain::{Chain, StoreId};
use crate::store::encoding::Check;
use crate::store::migrate::Tenure;
use crate::store::postgres::committer::{Ready, Refusal};
use crate::store::postgres::draft::{Draft, Standing};
use crate::store::postgres::rows::{Held, uuid};
use crate::store::postgres::schema::standing_in;
use crate::store::postgres::write::write;

/// A group that is written and not yet committed.
pub(crate) struct Written {
    pub(crate) transaction: Transaction<'static, Database>,
    /// What becomes of each change when it commits.
    pub(crate) verdicts: Vec<Result<u64, Refusal>>,
    /// The end of the ledger then.
    pub(crate) seq: u64,
    pub(crate) chain: Chain,
    /// Jobs written.
    pub(crate) arrived: usize,
}

/// Why a group is not written; nothing of it is.
#[derive(Debug)]
pub(crate) enum Unwritten {
    Sql(sqlx::Error),
    /// The store was reset, and its keys are others now.
    Reset,
    /// The store is not served here, or not received.
    Elsewhere,
}

impl From<sqlx::Error> for Unwritten {
    fn from(error: sqlx::Error) -> Self {
        Self::Sql(error)
    }
}

fn malformed() -> sqlx::Error {
    sqlx::Error::Decode("a row of the database is not of its shape".into())
}

pub(crate) fn array<const N: usize>(row: &PgRow, column: &str) -> Result<[u8; N], sqlx::Error> {
    let bytes: &[u8] = row.try_get(column)?;
    bytes.try_into().map_err(|_| malformed())
}

pub(crate) fn unsigned(row: &PgRow, column: &str) -> Result<u64, sqlx::Error> {
    let number: i64 = row.try_get(column)?;
    u64::try_from(number).map_err(|_| malformed())
}

/// Writes a group for the store `id`, where it stands so, without committing it.
pub(crate) async fn prepare(
    pool: &PgPool,
    id: &StoreId,
    standing: Tenure,
    group: &[&Ready],
) -> Result<Written, Unwritten> {
    let mut transaction = pool.begin().await?;
    let mut draft = fill(&mut transaction, id, standing, group).await?;
    let verdicts = group.iter().map(|change| draft.decide(change)).collect();
    if draft.seq > draft.before {
        write(&mut transaction, &draft).await?;
    }
    let Draft { seq, chain, arrived, .. } = draft;
    Ok(Written { transaction, verdicts, seq, chain, arrived })
}

/// Locks and reads what a group rests on.
async fn fill(
    connection: &mut PgConnection,
    id: &StoreId,
    standing: Tenure,
    group: &[&Ready],
) -> Result<Draft, Unwritten> {
    let mut dossiers: Vec<Uuid> = Vec::new();
    let mut jobs: Vec<Uuid> = Vec::new();
    for change in group {
        dossiers.extend(change.parts.dossiers().map(|id| uuid(id.as_bytes())));
        jobs.extend(change.parts.jobs.iter().map(|job| uuid(job.annotation().as_bytes())));
        for check in &change.prepared.checks {
            match check {
                Check::Dossier(id, _) => dossiers.push(uuid(id.as_bytes())),
                Check::Lease(token) => jobs.push(uuid(token.annotation.as_bytes())),
                Check::Newest(..)
                | Check::Unanswered(_)
                | Check::Account(..)
                | Check::Login(..)
                | Check::Session(..)
                | Check::Code(..)
                | Check::Ticket(..)
                | Check::OnlyTicket { .. }
                | Check::Case(..)
                | Check::Registrant(..)
                | Check::Company(..) => {}
            }
        }
    }
    // The order of all locks: dossiers by name, jobs by name, the head.
    let dossiers = lock_dossiers(connection, dossiers).await?;
    let standings = lock_jobs(connection, &jobs).await?;
    let row = sqlx::query(
        "/* group.lock_head */ select h.seq, h.chain, h.standing, s.id from head h cross join store s for update of h",
    )
    .fetch_one(&mut *connection)
    .await?;
    if array::<16>(&row, "id")? != *id {
        return Err(Unwritten::Reset);
    }
    if standing_in(&row)? != standing {
        return Err(Unwritten::Elsewhere);
    }
    // From here on this node alone writes to the ledger, until it commits or gives up.
    let mut draft = Draft::new(unsigned(&row, "seq")?, array(&row, "chain")?);
    draft.moved = standing == Tenure::Receiving;
    draft.revisions.extend(dossiers);
    draft.jobs.extend(standings);
    look(connection, &mut draft, group, jobs).await?;
    Ok(draft)
}

async fn lock_dossiers(
    connection: &mut PgConnection,
    ids: Vec<Uuid>,
) -> Result<Vec<(CertificateId, u64)>, sqlx::Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows = sqlx::query(
        "/* group.lock_dossiers */ select id, revision from certificates where id = any($1) \
         order by id for update",
    )
    .bind(ids)
    .fetch_all(connection)
    .await?;
    let read = |row: &PgRow| {
        let id: Uuid = row.try_get("id")?;
        Ok((CertificateId::from_bytes(*id.as_bytes()), unsigned(row, "revision")?))
    };
    rows.iter().map(read).collect()
}

async fn lock_jobs(
    connection: &mut PgConnection,
    ids: &[Uuid],
) -> Result<Vec<(AnnotationId, Standing)>, sqlx::Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows = sqlx::query(
        "/* group.lock_jobs */ select annotation, ready_at, fence, lease_until, holder from jobs \
         where annotation = any($1) order by annotation for update",
    )
    .bind(ids)
    .fetch_all(connection)
    .await?;
    let read = |row: &PgRow| {
        let id: Uuid = row.try_get("annotation")?;
        let fence: Option<i64> = row.try_get("fence")?;
        let held = match fence {
            Some(fence) => {
                Some(Held { fence, until: row.try_get("lease_until")?, holder: row.try_get("holder")? })
            }
            None => None,
        };
        let standing = Standing { ready_at: row.try_get("ready_at")?, held };
        Ok((AnnotationId::from_bytes(*id.as_bytes()), standing))
    };
    rows.iter().map(read).collect()
}

/// Under the head's lock nobody else writes: what is read now is so until the commit.
async fn look(
    connection: &mut PgConnection,
    draft: &mut Draft,
    group: &[&Ready],
    jobs: Vec<Uuid>,
) -> Result<(), sqlx::Error> {
    let (mut numbers, mut kinds) = (Vec::new(), Vec::new());
    let (mut callers, mut keys) = (Vec::new(), Vec::new());
    let (mut logins, mut tokens) = (Vec::new(), Vec::new());
    let (mut purposes, mut mobiles) = (Vec::new(), Vec::new());
    let (mut tickets, mut askers, mut senders) = (Vec::new(), Vec::new(), Vec::new());
    let (mut cases, mut registrants, mut companies) = (Vec::new(), Vec::new(), Vec::new());
    let mut slots: Vec<i64> = Vec::new();
    for change in group {
        slots.extend(change.parts.slots.iter().map(|slot| i64::from(*slot)));
        for check in &change.prepared.checks {
            match check {
                Check::Newest(number, _) => {
                    numbers.push(number.0[..16].to_vec());
                    kinds.push(number.0[16..].to_vec());
                }
                Check::Unanswered(key) => {
                    callers.push(uuid(key.caller.as_bytes()));
                    keys.push(key.key.as_bytes().to_vec());
                }
                Check::Account(login, _) | Check::Login(login, _) => logins.push(login.0.to_vec()),
                Check::Session(token, _) => tokens.push(token.as_bytes().to_vec()),
                Check::Code(purpose, mobile, _) => {
                    purposes.push(purpose.word());
                    mobiles.push(mobile.0.to_vec());
                }
                Check::Ticket(id, _) => tickets.push(uuid(id.as_bytes())),
                Check::OnlyTicket { person, mobile, .. } => {
                    askers.push(person.0.to_vec());
                    senders.push(mobile.0.to_vec());
                }
                Check::Case(id, _) => cases.push(uuid(id.as_bytes())),
                Check::Registrant(person, _) => registrants.push(person.0.to_vec()),
                Check::Company(uscc, _) => companies.push(uscc.as_str().to_owned()),
                Check::Dossier(..) | Check::Lease(_) => {}
            }
        }
    }
    let about_accounts = [logins.len(), tokens.len(), mobiles.len(), tickets.len(), askers.len()];
    let about_registration = [cases.len(), registrants.len(), companies.len()];
    let about_others = [numbers.len(), callers.len(), jobs.len(), slots.len()];
    let mut asked = about_accounts.iter().chain(&about_registration).chain(&about_others);
    if asked.all(|count| *count == 0) {
        return Ok(());
    }
    let rows = sqlx::query(
        "/* group.look */ \
         select 1 as what, c.id, c.number || c.kind as bytes, c.version::bigint as number, null as word \
         from certificates c join unnest($1::bytea[], $2::bytea[]) as asked (number, kind) \
         on c.number = asked.number and c.kind = asked.kind \
         union all select 2, a.caller, a.key, 0, null from answers a \
         join unnest($3::uuid[], $4::bytea[]) as asked (caller, key) \
         on a.caller = asked.caller and a.key = asked.key \
         union all select 3, j.annotation, null, 0, null from jobs j where j.annotation = any($5) \
         union all select 4, null, null, k.slot, null from person_keys k \
         where k.slot = any($6) and k.wrapped is null \
         union all select 5, a.id, a.login, a.revision, null from accounts a \
         join person_keys k on k.slot = a.slot where a.login = any($7) and k.wrapped is not null \
         union all select 6, null, s.token, s.revision, null from sessions s where s.token = any($8) \
         union all select 7, null, c.mobile, c.revision, c.purpose from codes c \
         join unnest($9::text[], $10::bytea[]) as asked (purpose, mobile) \
         on c.purpose = asked.purpose and c.mobile = asked.mobile \
         union all select 8, t.id, null, t.revision, null from tickets t where t.id = any($11) \
         union all select 9, t.id, t.person || t.mobile, 0, null from tickets t \
         join person_keys k on k.slot = t.slot \
         where t.open and k.wrapped is not null and (t.person = any($12) or t.mobile = any($13)) \
         union all select 10, c.id, null, c.revision, null from cases c where c.id = any($14) \
         union all select 11, null, r.person, r.revision, null from registrants r \
         join person_keys k on k.slot = r.slot where r.person = any($15) and k.wrapped is not null \
         union all select 12, null, null, c.revision, c.uscc from companies c where c.uscc = any($16)",
    )
    .bind(numbers)
    .bind(kinds)
    .bind(callers)
    .bind(keys)
    .bind(jobs)
    .bind(slots)
    .bind(logins)
    .bind(tokens)
    .bind(purposes)
    .bind(mobiles)
    .bind(tickets)
    .bind(askers)
    .bind(senders)
    .bind(cases)
    .bind(registrants)
    .bind(companies)
    .fetch_all(connection)
    .await?;
    for row in &rows {
        let id: Option<Uuid> = row.try_get("id")?;
        let id = *id.unwrap_or_default().as_bytes();
        let number = unsigned(row, "number")?;
        match row.try_get::<i32, _>("what")? {
            1 => {
                let version = u16::try_from(number).map_err(|_| malformed())?;
                let found = (version, CertificateId::from_bytes(id));
                let newest = draft.newest.entry(array(row, "bytes")?).or_insert(found);
                if found.0 > newest.0 {
                    *newest = found;
                }
            }
            2 => drop(draft.answered.insert((id, Sha256::new(array(row, "bytes")?)))),
            3 => drop(draft.queued.insert(AnnotationId::from_bytes(id))),
            5 => {
                let account = AccountId::from_bytes(id);
                draft.accounts.insert(array(row, "bytes")?, (account, number));
            }
            6 => drop(draft.sessions.insert(Sha256::new(array(row, "bytes")?), number)),
            7 => {
                let purpose: Purpose = row.try_get::<&str, _>("word")?.parse().map_err(|_| malformed())?;
                draft.codes.insert((purpose.word(), array(row, "bytes")?), number);
            }
            8 => drop(draft.tickets.insert(TicketId::from_bytes(id), number)),
            9 => {
                let whose: [u8; 32] = array(row, "bytes")?;
                let (chunks, _) = whose.as_chunks::<16>();
                let whose = chunks.try_into().map_err(|_| malformed())?;
                draft.open_tickets.insert(TicketId::from_bytes(id), whose);
            }
            10 => drop(draft.cases.insert(CaseId::from_bytes(id), number)),
            11 => drop(draft.registrants.insert(array(row, "bytes")?, number)),
            12 => {
                let uscc = row.try_get::<&str, _>("word")?.parse().map_err(|_| malformed())?;
                draft.companies.insert(uscc, number);
            }
            _ => drop(draft.erased.insert(u32::try_from(number).map_err(|_| malformed())?)),
        }
    }
    Ok(())
}
