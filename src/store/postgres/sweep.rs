//! Sweeping documents that no record names. An object cannot be deleted on the condition that nobody has just kept it
//! again, so a sweep first dooms, in a row; only one that finds the row an hour later, and the document still unnamed,
//! deletes. Whoever keeps a document takes the row away first, and has the hour to name it.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::Row;

use crate::domain::ids::Sha256;
use crate::store::Fault;
use crate::store::postgres::connect::again;
use crate::store::postgres::group::array;
use crate::store::postgres::life::Core;
use crate::store::postgres::rows::nanos;

const SWEEPING: &str = "sweeping documents";
/// How long a file that no record names is left alone.
const ORPHAN_AGE: TimeDelta = TimeDelta::hours(24);
/// How long a doomed one is.
const GRACE: TimeDelta = TimeDelta::hours(1);
/// Documents whose names are asked for at once.
const AT_ONCE: usize = 500;

fn sweeping(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Fault {
    Fault::new(SWEEPING, error)
}

impl Core {
    /// See [`crate::store::postgres::Postgres::sweep_documents`].
    pub(crate) async fn sweep(&self, now: DateTime<Utc>) -> Result<u64, Fault> {
        let doomed = again(SWEEPING, || {
            sqlx::query("/* sweep.doomed */ select digest from doomed where at <= $1")
                .bind(nanos(now - GRACE))
                .fetch_all(&self.pool)
        })
        .await?;
        let mut swept = 0;
        for row in &doomed {
            let digest = Sha256::new(array(row, "digest").map_err(sweeping)?);
            swept += u64::from(self.execute(digest).await?);
        }
        let mut old = self.shelf.list().await?;
        old.retain(|(_, written)| *written + ORPHAN_AGE <= now);
        for some in old.chunks(AT_ONCE) {
            let digests: Vec<Vec<u8>> = some.iter().map(|(digest, _)| digest.as_bytes().to_vec()).collect();
            again(SWEEPING, || {
                sqlx::query(
                    "/* sweep.doom */ insert into doomed (digest, at) \
                     select listed.digest, $2 from unnest($1::bytea[]) as listed (digest) \
                     where not exists (select 1 from documents d where d.digest = listed.digest) \
                     on conflict (digest) do nothing",
                )
                .bind(&digests)
                .bind(nanos(now))
                .execute(&self.pool)
            })
            .await?;
        }
        Ok(swept)
    }

    /// Deletes a doomed document, unless it was spared or named. Says whether it did.
    async fn execute(&self, digest: Sha256) -> Result<bool, Fault> {
        let mut transaction = self.pool.begin().await.map_err(sweeping)?;
        // Held until it is deleted: whoever keeps the same document waits, and then puts it anew.
        let row = sqlx::query(
            "/* sweep.hold */ select exists (select 1 from documents d where d.digest = doomed.digest) as named \
             from doomed where digest = $1 for update",
        )
        .bind(&digest.as_bytes()[..])
        .fetch_optional(&mut *transaction)
        .await
        .map_err(sweeping)?;
        let Some(row) = row else { return Ok(false) };
        let named: bool = row.try_get("named").map_err(sweeping)?;
        if !named {
            self.shelf.delete(digest).await.map_err(sweeping)?;
        }
        sqlx::query("/* sweep.strike */ delete from doomed where digest = $1")
            .bind(&digest.as_bytes()[..])
            .execute(&mut *transaction)
            .await
            .map_err(sweeping)?;
        transaction.commit().await.map_err(sweeping)?;
        Ok(!named)
    }
}
