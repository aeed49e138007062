//! Reading tickets: each call one statement, which brings the person's key along.

use sqlx::postgres::PgRow;
use sqlx::{QueryBuilder, Row};
use uuid::Uuid;

use crate::domain::account::Mobile;
use crate::domain::identity::PersonId;
use crate::domain::ids::TicketId;
use crate::domain::query::{Page, TicketQuery};
use crate::domain::ticket::{Standing, Ticket};
use crate::store::cipher::{Cipher, Kind};
use crate::store::postgres::connect::again;
use crate::store::postgres::group::unsigned;
use crate::store::postgres::keys::key_in;
use crate::store::postgres::life::Core;
use crate::store::postgres::reads::{fault, id_in};
use crate::store::postgres::rows::uuid;
use crate::store::record::ticket::read_ticket;
use crate::store::{Fault, Revision};

const READING: &str = "reading a ticket";

/// The ticket in a row of `id`, `sealed`, `revision` and its key; none where its person was erased.
fn ticket_in(cipher: &Cipher, row: &PgRow) -> Result<Option<(Ticket, Revision)>, Fault> {
    let Some(key) = key_in(cipher, row)? else { return Ok(None) };
    let id = TicketId::from_bytes(id_in(row, "id")?);
    let mut sealed: Vec<u8> = row.try_get("sealed").map_err(fault)?;
    let plain = cipher.open(&key, Kind::Ticket, id.as_bytes(), &mut sealed)?;
    let revision = Revision(unsigned(row, "revision").map_err(fault)?);
    Ok(Some((read_ticket(id, plain).map_err(fault)?, revision)))
}

impl Core {
    /// See [`crate::store::Store::ticket`].
    pub(crate) async fn ticket(&self, id: TicketId) -> Result<Option<(Ticket, Revision)>, Fault> {
        let row = again(READING, || {
            sqlx::query(
                "/* tickets.find */ select t.id, t.sealed, t.revision, k.slot, k.person, k.wrapped \
                 from tickets t join person_keys k on k.slot = t.slot where t.id = $1",
            )
            .bind(uuid(id.as_bytes()))
            .fetch_optional(&self.pool)
        })
        .await?;
        row.map_or(Ok(None), |row| ticket_in(&self.cipher(), &row))
    }

    /// See [`crate::store::Store::tickets`].
    pub(crate) async fn tickets(&self, query: &TicketQuery) -> Result<Page<Ticket>, Fault> {
        let cipher = self.cipher();
        let ask = |after: Option<Uuid>, count: i64| {
            let mut sql = QueryBuilder::new(
                "/* tickets.list */ select t.id, t.sealed, t.revision, k.slot, k.person, k.wrapped \
                 from tickets t join person_keys k on k.slot = t.slot where k.wrapped is not null",
            );
            match query.standing {
                Some(Standing::Open) => drop(sql.push(" and t.open")),
                Some(Standing::Answered) => drop(sql.push(" and not t.open")),
                None => {}
            }
            if let Some(after) = after {
                sql.push(" and t.id > ").push_bind(after);
            }
            sql.push(" order by t.id limit ").push_bind(count);
            sql
        };
        let after = query.after.map(|id| uuid(id.as_bytes()));
        let read = |row: &PgRow| Ok(ticket_in(&cipher, row)?.map(|(ticket, _)| ticket));
        self.page(query.limit, after, false, ask, read).await
    }

    /// See [`crate::store::Store::open_ticket`].
    pub(crate) async fn open_ticket(
        &self,
        person: &PersonId,
        mobile: &Mobile,
    ) -> Result<Option<TicketId>, Fault> {
        let cipher = self.cipher();
        let (person, mobile) = (cipher.blind_person(person), cipher.blind_contact(&mobile.clone().into()));
        let row = again(READING, || {
            sqlx::query(
                "/* tickets.open */ select t.id from tickets t join person_keys k on k.slot = t.slot \
                 where t.open and (t.person = $1 or t.mobile = $2) and k.wrapped is not null \
                 order by t.id limit 1",
            )
            .bind(&person.0[..])
            .bind(&mobile.0[..])
            .fetch_optional(&self.pool)
        })
        .await?;
        row.map(|row| id_in(&row, "id").map(TicketId::from_bytes)).transpose()
    }
}
