//! Lists, page by page: what the rows say is filtered by the database, what only the records say is filtered here.

use sqlx::postgres::PgRow;
use sqlx::{Postgres as Database, QueryBuilder, Row};
use uuid::Uuid;

use crate::domain::annotation::{Annotation, Phase};
use crate::domain::certificate::Certificate;
use crate::domain::query::{AnnotationQuery, CertificateQuery, ExpiryQuery, Page};
use crate::store::Fault;
use crate::store::postgres::connect::again;
use crate::store::postgres::life::Core;
use crate::store::postgres::reads::{annotation_in, certificate_in, fault};
use crate::store::postgres::rows::{day_number, uuid};

/// Rows looked at in one go when a list is filtered here.
const STRIDE: usize = 256;
pub(crate) const PAGE_MAX: usize = 500;

/// The first `limit` of what was found.
pub(crate) fn cut<T>(mut items: Vec<T>, limit: usize) -> Page<T> {
    let more = items.len() > limit;
    items.truncate(limit);
    Page { items, more }
}

impl Core {
    /// Fills a page from rows that `ask` selects after an id, at most so many.
    pub(crate) async fn page<T>(
        &self,
        limit: usize,
        after: Option<Uuid>,
        filtered: bool,
        ask: impl Fn(Option<Uuid>, i64) -> QueryBuilder<Database>,
        read: impl Fn(&PgRow) -> Result<Option<T>, Fault>,
    ) -> Result<Page<T>, Fault> {
        let limit = limit.clamp(1, PAGE_MAX);
        let stride = if filtered { STRIDE.max(limit + 1) } else { limit + 1 };
        let mut last = after;
        let mut items = Vec::new();
        loop {
            let rows = again("reading a list", || async {
                ask(last, i64::try_from(stride).unwrap_or(i64::MAX)).build().fetch_all(&self.pool).await
            })
            .await?;
            for row in &rows {
                items.extend(read(row)?);
                if items.len() > limit {
                    return Ok(cut(items, limit));
                }
            }
            let Some(end) = rows.last().filter(|_| rows.len() == stride) else {
                return Ok(cut(items, limit));
            };
            last = Some(end.try_get("id").map_err(fault)?);
        }
    }

    /// See [`crate::store::Store::certificates`].
    pub(crate) async fn certificates(&self, query: &CertificateQuery) -> Result<Page<Certificate>, Fault> {
        let cipher = self.cipher();
        let ask = |after: Option<Uuid>, count: i64| {
            let mut sql = QueryBuilder::new(
                "/* register.certificates */ select c.id, c.sealed, k.slot, k.person, k.wrapped \
                 from certificates c join person_keys k on k.slot = c.slot where true",
            );
            if let Some(issuer) = &query.issuer {
                sql.push(" and c.issuer = ").push_bind(issuer.as_str().to_owned());
            }
            if let Some(person) = &query.person {
                sql.push(" and c.person = ").push_bind(cipher.blind_person(person).0.to_vec());
            }
            if let Some(no) = &query.management_no {
                sql.push(" and c.number = ").push_bind(cipher.blind_number(no).0.to_vec());
            }
            if let Some(after) = after {
                sql.push(" and c.id > ").push_bind(after);
            }
            sql.push(" order by c.id limit ").push_bind(count);
            sql
        };
        let after = query.after.map(|id| uuid(id.as_bytes()));
        let filtered = query.kind.is_some() || query.status.is_some();
        self.page(query.limit, after, filtered, ask, |row| {
            Ok(certificate_in(&cipher, row)?.filter(|found| query.fits(found)))
        })
        .await
    }

    /// See [`crate::store::Store::annotations`].
    pub(crate) async fn annotations(&self, query: &AnnotationQuery) -> Result<Page<Annotation>, Fault> {
        let cipher = self.cipher();
        let ask = |after: Option<Uuid>, count: i64| {
            let mut sql = QueryBuilder::new(
                "/* register.annotations */ select a.id, a.sealed, k.slot, k.person, k.wrapped \
                 from annotations a join person_keys k on k.slot = a.slot where true",
            );
            if let Some(issuer) = &query.issuer {
                sql.push(" and a.issuer = ").push_bind(issuer.as_str().to_owned());
            }
            if let Some(certificate) = &query.certificate {
                sql.push(" and a.certificate = ").push_bind(uuid(certificate.as_bytes()));
            }
            if matches!(query.phase, Some((Phase::Failed, _))) {
                sql.push(" and a.state = 'failed'");
            }
            if let Some(after) = after {
                sql.push(" and a.id > ").push_bind(after);
            }
            sql.push(" order by a.id limit ").push_bind(count);
            sql
        };
        let after = query.after.map(|id| uuid(id.as_bytes()));
        let filtered = query.phase.is_some();
        self.page(query.limit, after, filtered, ask, |row| {
            Ok(annotation_in(&cipher, row)?.filter(|found| query.is_in_phase(found)))
        })
        .await
    }

    /// See [`crate::store::Store::expiring`].
    pub(crate) async fn expiring(&self, query: &ExpiryQuery) -> Result<Page<Annotation>, Fault> {
        let cipher = self.cipher();
        let limit = query.limit.clamp(1, PAGE_MAX);
        let stride = i64::try_from(STRIDE.max(limit + 1)).unwrap_or(i64::MAX);
        let (mut day, mut id) = match query.after {
            Some((day, id)) => (day_number(day), uuid(id.as_bytes())),
            // Before every one of that day.
            None => (day_number(query.from), Uuid::nil()),
        };
        let mut items = Vec::new();
        loop {
            let rows = again("reading a list", || {
                sqlx::query(
                    "/* register.expiring */ select a.id, a.sealed, a.valid_until, k.slot, k.person, k.wrapped \
                     from annotations a join person_keys k on k.slot = a.slot \
                     where a.state = 'sealed' and (a.valid_until, a.id) > ($1, $2) and a.valid_until <= $3 \
                     order by a.valid_until, a.id limit $4",
                )
                .bind(day)
                .bind(id)
                .bind(day_number(query.until))
                .bind(stride)
                .fetch_all(&self.pool)
            })
            .await?;
            for row in &rows {
                items.extend(annotation_in(&cipher, row)?.filter(|found| query.fits(found)));
                if items.len() > limit {
                    return Ok(cut(items, limit));
                }
            }
            let Some(last) = rows.last().filter(|_| rows.len() as i64 == stride) else {
                return Ok(cut(items, limit));
            };
            day = last.try_get("valid_until").map_err(fault)?;
            id = last.try_get("id").map_err(fault)?;
        }
    }
}
