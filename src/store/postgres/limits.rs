//! What callers spend of their rates, at all nodes together. Time is the database's, and what a node tells and learns
//! are spans: so the clocks of nodes need not agree. All of a statement happens at one moment, its arrival: how long it
//! then waits or works adds to nobody's bucket.

use std::collections::HashMap;
use std::time::Duration;

use sqlx::Row;
use tokio::time::timeout;

use crate::domain::spending::Spending;
use crate::store::Fault;
use crate::store::postgres::connect::again;
use crate::store::postgres::group::array;
use crate::store::postgres::life::Core;

const SHARING: &str = "sharing limits";
/// A late answer is worth little: the next follows.
const LATEST: Duration = Duration::from_secs(2);

impl Core {
    /// See [`crate::store::Store::spend`].
    pub(crate) async fn spend(&self, spendings: &[Spending]) -> Result<Vec<Duration>, Fault> {
        let shared = timeout(LATEST, async {
            // About once a minute for a node that has something to tell every quarter of a second.
            if self.chance()? == [0] {
                self.forget_full().await?;
            }
            self.share(spendings).await
        });
        shared.await.unwrap_or_else(|late| Err(Fault::new(SHARING, late)))
    }

    async fn share(&self, spendings: &[Spending]) -> Result<Vec<Duration>, Fault> {
        let cipher = self.cipher();
        let names: Vec<_> = spendings.iter().map(|spending| cipher.blind_bucket(spending.bucket).0).collect();
        let of = |span: fn(&Spending) -> Duration| -> Vec<i64> {
            spendings.iter().map(|s| nanos(span(s))).collect()
        };
        let (costs, agos) = (of(|spending| spending.cost), of(|spending| spending.ago));
        let rows = again(SHARING, || {
            // In the order of their names, so that nodes wait for each other in one line.
            sqlx::query(
                "/* limits.spend */ with now as \
                 (select (extract(epoch from statement_timestamp()) * 1000000000)::bigint as nanos) \
                 insert into limits (bucket, full_at, cost) \
                 select told.bucket, now.nanos - told.ago + told.cost, told.cost \
                 from now, unnest($1::bytea[], $2::bigint[], $3::bigint[]) as told (bucket, cost, ago) order by told.bucket \
                 on conflict (bucket) do update set cost = excluded.cost, \
                 full_at = greatest(limits.full_at + excluded.cost, excluded.full_at) \
                 returning bucket, full_at - (select nanos from now) as ahead",
            )
            .bind(names.iter().map(|name| name.to_vec()).collect::<Vec<_>>())
            .bind(&costs)
            .bind(&agos)
            .fetch_all(&self.quick)
        })
        .await?;
        let mut ahead = HashMap::with_capacity(rows.len());
        for row in rows {
            let read = || Ok::<_, sqlx::Error>((array(&row, "bucket")?, row.try_get::<i64, _>("ahead")?));
            let (bucket, nanos): ([u8; 16], i64) = read().map_err(|error| Fault::new(SHARING, error))?;
            ahead.insert(bucket, Duration::from_nanos(u64::try_from(nanos).unwrap_or(0)));
        }
        Ok(names.iter().map(|name| ahead.get(name).copied().unwrap_or_default()).collect())
    }

    /// Deletes the rows of full buckets, but not those that another node works on.
    pub(crate) async fn forget_full(&self) -> Result<(), Fault> {
        again(SHARING, || {
            sqlx::query(
                "/* limits.forget */ delete from limits where bucket in (select bucket from limits \
                 where full_at < extract(epoch from statement_timestamp()) * 1000000000 for update skip locked)",
            )
            .execute(&self.quick)
        })
        .await?;
        Ok(())
    }
}

/// A century at most: what is added to a moment stays one.
fn nanos(span: Duration) -> i64 {
    const CENTURY: i64 = 100 * 366 * 86_400 * 1_000_000_000;
    i64::try_from(span.as_nanos()).unwrap_or(CENTURY).min(CENTURY)
}
