//! The queue: rows in the order in which they are due, leased one by one without waiting for each other.
//!
//! A lease is a fence in the job's row, drawn by chance so that no two leases ever share one, whatever a restart of the
//! database forgets. That it may forget the last leases is why they are written without waiting for the disk: whoever
//! held a forgotten one finds it lost, and nothing else rests on it.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::Row;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use crate::domain::identity::CreditCode;
use crate::domain::ids::{AnnotationId, CertificateId, Malformed};
use crate::domain::queue::{Job, QueueView};
use crate::store::postgres::connect::again;
use crate::store::postgres::group::unsigned;
use crate::store::postgres::life::Core;
use crate::store::postgres::rows::{moment, nanos, uuid};
use crate::store::{Fault, Lease, LeaseToken};

const DUE_SHOWN: i64 = 10_000;
/// So many jobs are counted from the end of the queue before it is counted from its beginning.
const FROM_END: i64 = 1_000;

fn read_job(row: &PgRow) -> Result<Job, sqlx::Error> {
    let annotation: Uuid = row.try_get("annotation")?;
    let certificate: Uuid = row.try_get("certificate")?;
    let issuer: &str = row.try_get("issuer")?;
    let attempts: i64 = row.try_get("attempts")?;
    Ok(Job {
        annotation: AnnotationId::from_bytes(*annotation.as_bytes()),
        certificate: CertificateId::from_bytes(*certificate.as_bytes()),
        issuer: issuer.parse().map_err(|_| sqlx::Error::Decode(Box::new(Malformed("credit code"))))?,
        requested_at: moment(row.try_get("requested_at")?),
        due_at: moment(row.try_get("due_at")?),
        ready_at: moment(row.try_get("ready_at")?),
        attempts: u32::try_from(attempts).unwrap_or(u32::MAX),
        parked: row.try_get("parked")?,
    })
}

impl Core {
    /// See [`crate::store::Store::lease`].
    pub(crate) async fn lease(&self, now: DateTime<Utc>, ttl: Duration) -> Result<Option<Lease>, Fault> {
        // A fence is a positive number of the database.
        let fence = u64::from_le_bytes(self.chance()?) >> 1;
        let row = again("leasing a job", || {
            sqlx::query(
                "/* queue.lease */ update jobs set fence = $1, lease_until = $2, holder = $3 where annotation = ( \
                 select annotation from jobs where ready_at <= $4 and (lease_until is null or lease_until <= $4) \
                 order by due_at, annotation limit 1 for update skip locked) \
                 returning annotation, certificate, issuer, requested_at, due_at, ready_at, attempts, parked",
            )
            .bind(fence.cast_signed())
            .bind(nanos(now + ttl))
            .bind(self.node)
            .bind(nanos(now))
            .fetch_optional(&self.quick)
        })
        .await?;
        let job = row.map(|row| read_job(&row)).transpose().map_err(reading)?;
        Ok(job.map(|job| Lease { token: LeaseToken { annotation: job.annotation, fence }, job }))
    }

    /// See [`crate::store::Store::release`].
    pub(crate) async fn release(&self, token: LeaseToken) {
        let released = again("releasing a job", || {
            sqlx::query(
                "/* queue.release */ update jobs set fence = null, lease_until = null, holder = null \
                 where annotation = $1 and fence = $2",
            )
            .bind(uuid(token.annotation.as_bytes()))
            .bind(token.fence.cast_signed())
            .execute(&self.quick)
        })
        .await;
        match released {
            Ok(done) if done.rows_affected() > 0 => self.arrivals.announce(1),
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "a lease could not be given back; it lapses"),
        }
    }

    /// Gives back all leases of this node.
    pub(crate) async fn release_all(&self) -> Result<(), Fault> {
        let released = again("releasing the jobs of this node", || {
            sqlx::query(
                "/* queue.release_all */ update jobs set fence = null, lease_until = null, holder = null \
                 where holder = $1",
            )
            .bind(self.node)
            .execute(&self.pool)
        });
        released.await.map(drop)
    }

    /// See [`crate::store::Store::queue`].
    pub(crate) async fn queue(&self, issuer: Option<&CreditCode>) -> Result<QueueView, Fault> {
        let issuer = issuer.map(CreditCode::as_str);
        let row = again("reading the queue", || {
            sqlx::query(
                "/* queue.view */ select count(*) as depth, count(*) filter (where parked) as parked, \
                 min(requested_at) as oldest, min(due_at) as next, \
                 (select count(*) from annotations a where a.state = 'failed' and ($1::text is null or a.issuer = $1)) \
                 as failed from jobs where $1::text is null or issuer = $1",
            )
            .bind(issuer)
            .fetch_one(&self.pool)
        })
        .await?;
        let due: Vec<i64> = again("reading the queue", || {
            sqlx::query_scalar(
                "/* queue.due */ select due_at from jobs where $1::text is null or issuer = $1 \
                 order by due_at limit $2",
            )
            .bind(issuer)
            .bind(DUE_SHOWN)
            .fetch_all(&self.pool)
        })
        .await?;
        let view = || -> Result<QueueView, sqlx::Error> {
            Ok(QueueView {
                depth: unsigned(&row, "depth")?,
                parked: unsigned(&row, "parked")?,
                oldest_requested_at: row.try_get::<Option<i64>, _>("oldest")?.map(moment),
                next_due_at: row.try_get::<Option<i64>, _>("next")?.map(moment),
                due: due.iter().copied().map(moment).collect(),
                failed: unsigned(&row, "failed")?,
            })
        };
        view().map_err(reading)
    }

    /// See [`crate::store::Store::parked`].
    pub(crate) async fn parked(&self, issuer: Option<&CreditCode>, limit: usize) -> Result<Vec<Job>, Fault> {
        let rows = again("reading the queue", || {
            sqlx::query(
                "/* queue.parked */ select annotation, certificate, issuer, requested_at, due_at, ready_at, attempts, \
                 parked from jobs where parked and ($1::text is null or issuer = $1) order by due_at, annotation limit $2",
            )
            .bind(issuer.map(CreditCode::as_str))
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(&self.pool)
        })
        .await?;
        rows.iter().map(read_job).collect::<Result<_, _>>().map_err(reading)
    }

    /// See [`crate::store::Store::depth`].
    pub(crate) async fn depth(&self) -> Result<u64, Fault> {
        let row = again("reading the queue", || {
            sqlx::query("/* queue.depth */ select queued from head").fetch_one(&self.pool)
        })
        .await?;
        unsigned(&row, "queued").map_err(reading)
    }

    /// See [`crate::store::Store::place_in_queue`].
    pub(crate) async fn place(&self, id: AnnotationId) -> Result<Option<u64>, Fault> {
        let id = uuid(id.as_bytes());
        // From the end first: those just ordered stand near the last.
        let row = again("reading the queue", || {
            sqlx::query(
                "/* queue.place */ select h.queued, (select count(*) from (select 1 from jobs later \
                 where (later.due_at, later.annotation) > (j.due_at, j.annotation) limit $2) as counted) as after \
                 from jobs j cross join head h where j.annotation = $1",
            )
            .bind(id)
            .bind(FROM_END)
            .fetch_optional(&self.pool)
        })
        .await?;
        let Some(row) = row else { return Ok(None) };
        let (queued, after) =
            (unsigned(&row, "queued").map_err(reading)?, unsigned(&row, "after").map_err(reading)?);
        if after < FROM_END.unsigned_abs() {
            return Ok(Some(queued.saturating_sub(after + 1)));
        }
        let row = again("reading the queue", || {
            sqlx::query(
                "/* queue.place_from_first */ select count(*) as before from jobs j join jobs earlier \
                 on (earlier.due_at, earlier.annotation) < (j.due_at, j.annotation) where j.annotation = $1",
            )
            .bind(id)
            .fetch_one(&self.pool)
        })
        .await?;
        unsigned(&row, "before").map(Some).map_err(reading)
    }

    /// See [`crate::store::Store::job`].
    pub(crate) async fn job(&self, id: AnnotationId) -> Result<Option<Job>, Fault> {
        let row = again("reading a job", || {
            sqlx::query(
                "/* queue.job */ select annotation, certificate, issuer, requested_at, due_at, ready_at, attempts, \
                 parked from jobs where annotation = $1",
            )
            .bind(uuid(id.as_bytes()))
            .fetch_optional(&self.pool)
        })
        .await?;
        row.map(|row| read_job(&row)).transpose().map_err(reading)
    }
}

fn reading(error: sqlx::Error) -> Fault {
    Fault::new("reading the queue", error)
}
