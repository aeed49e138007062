//! Reading cases: lists run along an index each, and bring the persons' keys along.

use chrono::NaiveDate;
use sqlx::postgres::PgRow;
use sqlx::{Postgres as Database, QueryBuilder, Row};

use crate::domain::ids::CaseId;
use crate::domain::query::Page;
use crate::domain::staff::Region;
use crate::registration::case::{Case, Seat};
use crate::registration::query::{CaseCount, CaseQuery, CasesOf};
use crate::store::cipher::{Cipher, Kind};
use crate::store::postgres::connect::again;
use crate::store::postgres::group::unsigned;
use crate::store::postgres::keys::key_in;
use crate::store::postgres::life::Core;
use crate::store::postgres::lists::{PAGE_MAX, cut};
use crate::store::postgres::reads::{fault, id_in};
use crate::store::postgres::rows::{day_number, uuid};
use crate::store::record::case::read_case;
use crate::store::{Fault, Revision};

const READING: &str = "reading a case";

/// A due day as the database keeps it: after all others where there is none.
pub(crate) fn due(due_on: Option<NaiveDate>) -> i32 {
    due_on.map_or(i32::MAX, day_number)
}

/// The case in a row of `id`, `sealed`, `revision` and its key; none where its person was erased.
fn case_in(cipher: &Cipher, row: &PgRow) -> Result<Option<(Case, Revision)>, Fault> {
    let Some(key) = key_in(cipher, row)? else { return Ok(None) };
    let id = CaseId::from_bytes(id_in(row, "id")?);
    let mut sealed: Vec<u8> = row.try_get("sealed").map_err(fault)?;
    let plain = cipher.open(&key, Kind::Case, id.as_bytes(), &mut sealed)?;
    let revision = Revision(unsigned(row, "revision").map_err(fault)?);
    Ok(Some((read_case(id, plain).map_err(fault)?, revision)))
}

/// The statement that lists what is asked for, at most so many.
fn listing(query: &CaseQuery, count: i64) -> QueryBuilder<Database> {
    let mut sql = QueryBuilder::new(
        "/* cases.list */ select c.id, c.due, c.sealed, c.revision, k.slot, k.person, k.wrapped \
         from cases c join person_keys k on k.slot = c.slot where k.wrapped is not null",
    );
    let mut newest_first = false;
    match &query.of {
        CasesOf::Unit { uscc, held } => {
            sql.push(" and c.unit = ").push_bind(uscc.as_str().to_owned());
            if *held {
                sql.push(" and c.seat = 'unit'");
            }
            newest_first = !held;
        }
        CasesOf::Seat { seat, region } => {
            sql.push(" and c.seat = ").push_bind(seat.word());
            if let Some(region) = region {
                sql.push(" and c.region = ").push_bind(region.to_string());
            }
        }
    }
    if let Some(regime) = &query.regime {
        sql.push(" and c.regime = ").push_bind(regime.as_str().to_owned());
    }
    if let Some((due_on, id)) = query.after {
        let id = uuid(id.as_bytes());
        if newest_first {
            sql.push(" and c.id < ").push_bind(id);
        } else {
            sql.push(" and (c.due, c.id) > (").push_bind(due(due_on)).push(", ").push_bind(id).push(")");
        }
    }
    sql.push(if newest_first { " order by c.id desc limit " } else { " order by c.due, c.id limit " });
    sql.push_bind(count);
    sql
}

impl Core {
    /// See [`crate::store::Store::case`].
    pub(crate) async fn case(&self, id: CaseId) -> Result<Option<(Case, Revision)>, Fault> {
        let row = again(READING, || {
            sqlx::query(
                "/* cases.find */ select c.id, c.sealed, c.revision, k.slot, k.person, k.wrapped \
                 from cases c join person_keys k on k.slot = c.slot where c.id = $1",
            )
            .bind(uuid(id.as_bytes()))
            .fetch_optional(&self.pool)
        })
        .await?;
        row.map_or(Ok(None), |row| case_in(&self.cipher(), &row))
    }

    /// See [`crate::store::Store::cases`].
    pub(crate) async fn cases(&self, query: &CaseQuery) -> Result<Page<Case>, Fault> {
        let cipher = self.cipher();
        let limit = query.limit.clamp(1, PAGE_MAX);
        let rows = again("reading a list", || async {
            let mut sql = listing(query, i64::try_from(limit + 1).unwrap_or(i64::MAX));
            sql.build().fetch_all(&self.pool).await
        })
        .await?;
        let found = rows.iter().map(|row| Ok(case_in(&cipher, row)?.map(|(case, _)| case)));
        let found = found.filter_map(Result::transpose).collect::<Result<_, Fault>>()?;
        Ok(cut(found, limit))
    }

    /// See [`crate::store::Store::case_counts`].
    pub(crate) async fn case_counts(
        &self,
        seat: Seat,
        region: Option<Region>,
        today: NaiveDate,
    ) -> Result<Vec<CaseCount>, Fault> {
        let region = region.map(|region| region.to_string());
        let rows = again("counting cases", || {
            sqlx::query(
                "/* cases.count */ select c.regime, c.business, c.stage, count(*) as count, \
                 count(*) filter (where c.due < $3) as overdue \
                 from cases c join person_keys k on k.slot = c.slot \
                 where c.seat = $1 and ($2::text is null or c.region = $2) and k.wrapped is not null \
                 group by c.regime, c.business, c.stage \
                 order by c.regime collate \"C\", c.business collate \"C\", c.stage collate \"C\" nulls first",
            )
            .bind(seat.word())
            .bind(&region)
            .bind(day_number(today))
            .fetch_all(&self.pool)
        })
        .await?;
        let read = |row: &PgRow| {
            let stage: Option<&str> = row.try_get("stage").map_err(fault)?;
            Ok(CaseCount {
                regime: row.try_get::<&str, _>("regime").map_err(fault)?.parse().map_err(fault)?,
                business: row.try_get::<&str, _>("business").map_err(fault)?.parse().map_err(fault)?,
                stage: stage.map(str::parse).transpose().map_err(fault)?,
                count: unsigned(row, "count").map_err(fault)?,
                overdue: unsigned(row, "overdue").map_err(fault)?,
            })
        };
        rows.iter().map(read).collect()
    }
}
