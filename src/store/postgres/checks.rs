//! How often copies and certificates were verified, as every node counts it.

use sqlx::Row;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use crate::domain::ids::{AnnotationId, CertificateId};
use crate::domain::tally::{Door, Heading, Hour, Subject, Tallies, add};
use crate::store::Fault;
use crate::store::postgres::connect::again;
use crate::store::postgres::life::Core;
use crate::store::postgres::rows::uuid;

const COUNTING: &str = "counting checks";
const READING: &str = "reading the counts of checks";
/// Counts written with one statement.
const AT_ONCE: usize = 5_000;

impl Core {
    /// See [`crate::store::Store::count_checks`].
    pub(crate) async fn count_checks(&self, tallies: &Tallies) -> Result<(), Fault> {
        let tallies: Vec<_> = tallies.iter().filter(|(_, count)| **count > 0).collect();
        for some in tallies.chunks(AT_ONCE) {
            let abouts: Vec<Uuid> =
                some.iter().map(|(heading, _)| uuid(heading.subject.as_bytes())).collect();
            let annotated = |heading: &Heading| matches!(heading.subject, Subject::Annotation(_));
            let annotated: Vec<bool> = some.iter().map(|(heading, _)| annotated(heading)).collect();
            let hours: Vec<i64> = some.iter().map(|(heading, _)| heading.hour.number().into()).collect();
            let doors: Vec<&str> = some.iter().map(|(heading, _)| heading.door.word()).collect();
            let counts: Vec<i64> =
                some.iter().map(|(_, count)| i64::try_from(**count).unwrap_or(i64::MAX)).collect();
            again(COUNTING, || {
                // In one order, so that nodes wait for each other in one line.
                sqlx::query(
                    "/* checks.count */ insert into checks (about, annotated, hour, door, count) \
                     select * from unnest($1::uuid[], $2::boolean[], $3::bigint[], $4::text[], $5::bigint[]) \
                     as told (about, annotated, hour, door, count) order by about, hour, door \
                     on conflict (about, hour, door) do update set count = checks.count + excluded.count",
                )
                .bind(&abouts)
                .bind(&annotated)
                .bind(&hours)
                .bind(&doors)
                .bind(&counts)
                .execute(&self.quick)
            })
            .await?;
        }
        Ok(())
    }

    /// See [`crate::store::Store::checks`].
    pub(crate) async fn checks(&self, subject: Subject) -> Result<Tallies, Fault> {
        let rows = again(READING, || {
            sqlx::query(
                "/* checks.read */ select about, annotated, hour, door, count from checks where about = $1",
            )
            .bind(uuid(subject.as_bytes()))
            .fetch_all(&self.pool)
        })
        .await?;
        tallies(&rows)
    }

    /// The counts about names that end in this hexadecimal digit.
    pub(crate) async fn checks_ending_in(&self, digit: u8) -> Result<Tallies, Fault> {
        let rows = again(READING, || {
            sqlx::query(
                "/* checks.all */ select about, annotated, hour, door, count from checks \
                 where right(about::text, 1) = $1",
            )
            .bind(format!("{digit:x}"))
            .fetch_all(&self.pool)
        })
        .await?;
        tallies(&rows)
    }

    /// Forgets all counts.
    pub(crate) async fn forget_checks(&self) -> Result<(), Fault> {
        again(COUNTING, || sqlx::query("/* checks.forget */ delete from checks").execute(&self.pool)).await?;
        Ok(())
    }
}

fn tallies(rows: &[PgRow]) -> Result<Tallies, Fault> {
    let mut tallies = Tallies::new();
    for row in rows {
        // A door of a later version is not known here.
        let read = tally(row).map_err(|error| Fault::new(READING, error))?;
        add(&mut tallies, read);
    }
    Ok(tallies)
}

fn tally(row: &PgRow) -> Result<Option<(Heading, u64)>, sqlx::Error> {
    let (about, annotated): (Uuid, bool) = (row.try_get("about")?, row.try_get("annotated")?);
    let subject = match annotated {
        true => Subject::Annotation(AnnotationId::from_bytes(*about.as_bytes())),
        false => Subject::Certificate(CertificateId::from_bytes(*about.as_bytes())),
    };
    let (hour, count): (i64, i64) = (row.try_get("hour")?, row.try_get("count")?);
    let hour = Hour::from_number(u32::try_from(hour).unwrap_or(u32::MAX));
    let door = Door::of_word(row.try_get("door")?);
    Ok(door.map(|door| (Heading { subject, hour, door }, count.unsigned_abs())))
}
