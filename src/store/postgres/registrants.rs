//! Reading registrants: one statement, which brings the person's key along.

use sqlx::Row;

use crate::domain::identity::PersonId;
use crate::registration::registrant::Registrant;
use crate::store::cipher::Kind;
use crate::store::postgres::connect::again;
use crate::store::postgres::group::unsigned;
use crate::store::postgres::keys::key_in;
use crate::store::postgres::life::Core;
use crate::store::postgres::reads::fault;
use crate::store::record::registrant::read_registrant;
use crate::store::{Fault, Revision};

impl Core {
    /// See [`crate::store::Store::registrant`].
    pub(crate) async fn registrant(
        &self,
        person: &PersonId,
    ) -> Result<Option<(Registrant, Revision)>, Fault> {
        let cipher = self.cipher();
        let blind = cipher.blind_person(person);
        let row = again("reading a registrant", || {
            sqlx::query(
                "/* registrants.find */ select r.sealed, r.revision, k.slot, k.person, k.wrapped \
                 from registrants r join person_keys k on k.slot = r.slot where r.person = $1",
            )
            .bind(&blind.0[..])
            .fetch_optional(&self.pool)
        })
        .await?;
        let Some(row) = row else { return Ok(None) };
        let Some(key) = key_in(&cipher, &row)? else { return Ok(None) };
        let mut sealed: Vec<u8> = row.try_get("sealed").map_err(fault)?;
        let plain = cipher.open(&key, Kind::Registrant, &blind.0, &mut sealed)?;
        let registrant = read_registrant(plain).map_err(fault)?;
        let revision = Revision(unsigned(&row, "revision").map_err(fault)?);
        // The blind key is a hash; the record has the last word.
        Ok((registrant.person == *person).then_some((registrant, revision)))
    }
}
