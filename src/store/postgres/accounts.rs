//! Reading accounts, sessions and verification codes: each call one statement, which brings the person's key along.

use sqlx::Row;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use crate::domain::account::{Account, LoginName, Purpose, Session, VerificationCode};
use crate::domain::contact::Contact;
use crate::domain::ids::{AccountId, Sha256};
use crate::store::cipher::{Cipher, Kind};
use crate::store::postgres::connect::again;
use crate::store::postgres::group::{array, unsigned};
use crate::store::postgres::keys::key_in;
use crate::store::postgres::life::Core;
use crate::store::postgres::reads::{fault, id_in};
use crate::store::postgres::rows::{moment, uuid};
use crate::store::record::account::read_account;
use crate::store::{Fault, Revision};

const READING: &str = "reading an account";

/// The account in a row of `id`, `sealed`, `revision` and its key; none where its person was erased.
fn account_in(cipher: &Cipher, row: &PgRow) -> Result<Option<(Account, Revision)>, Fault> {
    let Some(key) = key_in(cipher, row)? else { return Ok(None) };
    let id = AccountId::from_bytes(id_in(row, "id")?);
    let mut sealed: Vec<u8> = row.try_get("sealed").map_err(fault)?;
    let plain = cipher.open(&key, Kind::Account, id.as_bytes(), &mut sealed)?;
    let revision = Revision(unsigned(row, "revision").map_err(fault)?);
    Ok(Some((read_account(id, plain).map_err(fault)?, revision)))
}

/// The session in a row, and its revision there under `session_revision`.
fn session_in(row: &PgRow) -> Result<(Session, Revision), sqlx::Error> {
    let account: Uuid = row.try_get("account")?;
    let ended_at: Option<i64> = row.try_get("ended_at")?;
    let session = Session {
        token: Sha256::new(array(row, "token")?),
        account: AccountId::from_bytes(*account.as_bytes()),
        began_at: moment(row.try_get("began_at")?),
        seen_at: moment(row.try_get("seen_at")?),
        ended_at: ended_at.map(moment),
    };
    Ok((session, Revision(unsigned(row, "session_revision")?)))
}

fn code_in(row: &PgRow, purpose: Purpose) -> Result<(VerificationCode, Revision), sqlx::Error> {
    let mistyped: i32 = row.try_get("mistyped")?;
    let code = VerificationCode {
        purpose,
        digest: Sha256::new(array(row, "digest")?),
        salt: array(row, "salt")?,
        sent_at: moment(row.try_get("sent_at")?),
        mistyped: u8::try_from(mistyped).unwrap_or(u8::MAX),
        used: row.try_get("used")?,
    };
    Ok((code, Revision(unsigned(row, "revision")?)))
}

impl Core {
    /// See [`crate::store::Store::account`].
    pub(crate) async fn account(&self, id: AccountId) -> Result<Option<(Account, Revision)>, Fault> {
        let row = again(READING, || {
            sqlx::query(
                "/* accounts.find */ select a.id, a.sealed, a.revision, k.slot, k.person, k.wrapped \
                 from accounts a join person_keys k on k.slot = a.slot where a.id = $1",
            )
            .bind(uuid(id.as_bytes()))
            .fetch_optional(&self.pool)
        })
        .await?;
        row.map_or(Ok(None), |row| account_in(&self.cipher(), &row))
    }

    /// See [`crate::store::Store::account_by_login`].
    pub(crate) async fn account_by_login(
        &self,
        login: &LoginName,
    ) -> Result<Option<(Account, Revision)>, Fault> {
        let cipher = self.cipher();
        let blind = cipher.blind_login(login);
        let row = again(READING, || {
            sqlx::query(
                "/* accounts.by_login */ select a.id, a.sealed, a.revision, k.slot, k.person, k.wrapped \
                 from accounts a join person_keys k on k.slot = a.slot where a.login = $1",
            )
            .bind(&blind.0[..])
            .fetch_optional(&self.pool)
        })
        .await?;
        let found = row.map_or(Ok(None), |row| account_in(&cipher, &row))?;
        // The blind key is a hash; the record has the last word.
        Ok(found.filter(|(account, _)| account.owner.login() == *login))
    }

    /// See [`crate::store::Store::staff`].
    pub(crate) async fn staff(&self) -> Result<Vec<Account>, Fault> {
        let rows = again(READING, || {
            sqlx::query(
                "/* accounts.staff */ select a.id, a.sealed, a.revision, k.slot, k.person, k.wrapped \
                 from accounts a join person_keys k on k.slot = a.slot where a.staff order by a.id",
            )
            .fetch_all(&self.pool)
        })
        .await?;
        let cipher = self.cipher();
        let found = rows.iter().map(|row| account_in(&cipher, row));
        found.filter_map(|found| found.map(|found| found.map(|(account, _)| account)).transpose()).collect()
    }

    /// See [`crate::store::Store::session`].
    pub(crate) async fn session(&self, token: Sha256) -> Result<Option<(Session, Revision, Account)>, Fault> {
        let row = again(READING, || {
            sqlx::query(
                "/* accounts.session */ select s.token, s.account, s.began_at, s.seen_at, s.ended_at, \
                 s.revision as session_revision, a.id, a.sealed, a.revision, k.slot, k.person, k.wrapped \
                 from sessions s join accounts a on a.id = s.account join person_keys k on k.slot = a.slot \
                 where s.token = $1",
            )
            .bind(&token.as_bytes()[..])
            .fetch_optional(&self.pool)
        })
        .await?;
        let Some(row) = row else { return Ok(None) };
        let Some((account, _)) = account_in(&self.cipher(), &row)? else { return Ok(None) };
        let (session, revision) = session_in(&row).map_err(fault)?;
        Ok(Some((session, revision, account)))
    }

    /// See [`crate::store::Store::verification_code`].
    pub(crate) async fn verification_code(
        &self,
        purpose: Purpose,
        to: &Contact,
    ) -> Result<Option<(VerificationCode, Revision)>, Fault> {
        let mobile = self.cipher().blind_contact(to);
        let row = again(READING, || {
            sqlx::query(
                "/* accounts.code */ select digest, salt, sent_at, mistyped, used, revision from codes \
                 where purpose = $1 and mobile = $2",
            )
            .bind(purpose.word())
            .bind(&mobile.0[..])
            .fetch_optional(&self.pool)
        })
        .await?;
        row.map(|row| code_in(&row, purpose)).transpose().map_err(fault)
    }
}
