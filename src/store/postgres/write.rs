//! The one statement that writes a group: entries, rows, trails and the new head. It is put together from the parts that
//! the group needs: a part costs the database time though it writes nothing. Few combinations occur, and each is planned
//! once.

use sqlx::postgres::{PgArguments, PgConnection};
use sqlx::{Arguments as _, AssertSqlSafe, Encode, Postgres, Type};
use uuid::Uuid;

use crate::domain::ids::Sha256;
use crate::domain::staff::Region;
use crate::store::Outcome;
use crate::store::postgres::cases::due;
use crate::store::postgres::draft::Draft;
use crate::store::postgres::rows::{day_number, nanos, uuid};

const ENTRIES: &str = "insert into ledger (seq, payload, digest, chain)
    select * from unnest(?::bigint[], ?::bytea[], ?::bytea[], ?::bytea[])";
const CERTIFICATES: &str = "insert into certificates
    (id, version, issuer, number, kind, person, slot, photo, sealed, revision)
    select * from unnest(?::uuid[], ?::int[], ?::text[], ?::bytea[], ?::bytea[], ?::bytea[], ?::bigint[],
        ?::bytea[], ?::bytea[], ?::bigint[])
    on conflict (id) do update set version = excluded.version, issuer = excluded.issuer, number = excluded.number,
        kind = excluded.kind, person = excluded.person, slot = excluded.slot, photo = excluded.photo,
        sealed = excluded.sealed, revision = excluded.revision";
const REVISIONS: &str = "update certificates set revision = revised.revision
    from unnest(?::uuid[], ?::bigint[]) as revised (id, revision) where certificates.id = revised.id";
const ANNOTATIONS: &str = "insert into annotations
    (id, certificate, issuer, code, slot, state, document, valid_until, sealed, decided_on, nth)
    select * from unnest(?::uuid[], ?::uuid[], ?::text[], ?::bytea[], ?::bigint[], ?::text[], ?::bytea[],
        ?::int[], ?::bytea[], ?::bigint[], ?::int[])
    on conflict (id) do update set slot = excluded.slot, state = excluded.state, document = excluded.document,
        valid_until = excluded.valid_until, sealed = excluded.sealed";
const JOBS: &str = "insert into jobs
    (annotation, certificate, issuer, requested_at, due_at, ready_at, attempts, parked, fence, lease_until, holder)
    select * from unnest(?::uuid[], ?::uuid[], ?::text[], ?::bigint[], ?::bigint[], ?::bigint[], ?::bigint[],
        ?::boolean[], ?::bigint[], ?::bigint[], ?::uuid[])
    on conflict (annotation) do update set certificate = excluded.certificate, issuer = excluded.issuer,
        requested_at = excluded.requested_at, due_at = excluded.due_at, ready_at = excluded.ready_at,
        attempts = excluded.attempts, parked = excluded.parked, fence = excluded.fence,
        lease_until = excluded.lease_until, holder = excluded.holder";
const SETTLED: &str = "delete from jobs where annotation = any(?::uuid[])";
const PLAIN_COPIES: &str = "insert into plain_copies (certificate, document)
    select * from unnest(?::uuid[], ?::bytea[])
    on conflict (certificate) do update set document = excluded.document";
const DOCUMENTS: &str = "insert into documents (digest, annotation, certificate)
    select * from unnest(?::bytea[], ?::uuid[], ?::uuid[])
    on conflict (digest) do update set annotation = excluded.annotation, certificate = excluded.certificate
    where excluded.annotation is not null or excluded.certificate is not null";
const API_KEYS: &str = "insert into api_keys (id, secret, scopes, issuer, label, created_at, revoked_at)
    select * from unnest(?::uuid[], ?::bytea[], ?::text[], ?::text[], ?::text[], ?::bigint[], ?::bigint[])
    on conflict (id) do update set secret = excluded.secret, scopes = excluded.scopes, issuer = excluded.issuer,
        label = excluded.label, created_at = excluded.created_at, revoked_at = excluded.revoked_at";
const ANSWERS: &str = "insert into answers (caller, key, request, at, annotation, place, certificate, status)
    select * from unnest(?::uuid[], ?::bytea[], ?::bytea[], ?::bigint[], ?::uuid[], ?::bigint[], ?::uuid[], ?::text[])
    on conflict (caller, key) do update set request = excluded.request, at = excluded.at,
        annotation = excluded.annotation, place = excluded.place, certificate = excluded.certificate,
        status = excluded.status";
const TRAIL_CERTIFICATES: &str = "insert into trail_certificates (certificate, seq)
    select * from unnest(?::uuid[], ?::bigint[]) on conflict do nothing";
const TRAIL_OWNERS: &str = "insert into trail_certificates (certificate, seq)
    select distinct a.certificate, asked.seq from unnest(?::uuid[], ?::bigint[]) as asked (annotation, seq)
        join annotations a on a.id = asked.annotation
    on conflict do nothing";
const TRAIL_ANNOTATIONS: &str = "insert into trail_annotations (annotation, seq)
    select * from unnest(?::uuid[], ?::bigint[]) on conflict do nothing";
const TRAIL_ISSUERS: &str = "insert into trail_issuers (issuer, seq)
    select * from unnest(?::text[], ?::bigint[]) on conflict do nothing";
const TRAIL_ACCOUNTS: &str = "insert into trail_accounts (account, seq)
    select * from unnest(?::uuid[], ?::bigint[]) on conflict do nothing";
/// Takes out the accounts that are written, so that names may change hands among them whatever the order, and frees the
/// names of those whose person was erased.
const FREED: &str = "delete from accounts using person_keys where person_keys.slot = accounts.slot
        and (accounts.id = any(?::uuid[])
            or accounts.login = any(?::bytea[]) and (? or person_keys.wrapped is null))
    returning accounts.id";
const ACCOUNTS: &str = "insert into accounts (id, login, slot, staff, sealed, revision)
    select * from unnest(?::uuid[], ?::bytea[], ?::bigint[], ?::boolean[], ?::bytea[], ?::bigint[])
    where (select count(*) from freed) >= 0";
const SESSIONS: &str = "insert into sessions (token, account, began_at, seen_at, ended_at, revision)
    select * from unnest(?::bytea[], ?::uuid[], ?::bigint[], ?::bigint[], ?::bigint[], ?::bigint[])
    on conflict (token) do update set account = excluded.account, began_at = excluded.began_at,
        seen_at = excluded.seen_at, ended_at = excluded.ended_at, revision = excluded.revision";
const CODES: &str = "insert into codes (purpose, mobile, digest, salt, sent_at, mistyped, used, revision)
    select * from unnest(?::text[], ?::bytea[], ?::bytea[], ?::bytea[], ?::bigint[], ?::int[], ?::boolean[],
        ?::bigint[])
    on conflict (purpose, mobile) do update set digest = excluded.digest, salt = excluded.salt,
        sent_at = excluded.sent_at, mistyped = excluded.mistyped, used = excluded.used, revision = excluded.revision";
const TICKETS: &str = "insert into tickets (id, slot, person, mobile, open, sealed, revision)
    select * from unnest(?::uuid[], ?::bigint[], ?::bytea[], ?::bytea[], ?::boolean[], ?::bytea[], ?::bigint[])
    on conflict (id) do update set slot = excluded.slot, person = excluded.person, mobile = excluded.mobile,
        open = excluded.open, sealed = excluded.sealed, revision = excluded.revision";
const CASES: &str = "insert into cases
    (id, slot, unit, region, regime, business, stage, seat, due, state, sealed, revision)
    select * from unnest(?::uuid[], ?::bigint[], ?::text[], ?::text[], ?::text[], ?::text[], ?::text[], ?::text[],
        ?::int[], ?::text[], ?::bytea[], ?::bigint[])
    on conflict (id) do update set slot = excluded.slot, unit = excluded.unit, region = excluded.region,
        regime = excluded.regime, business = excluded.business, stage = excluded.stage, seat = excluded.seat,
        due = excluded.due, state = excluded.state, sealed = excluded.sealed, revision = excluded.revision";
const REGISTRANTS: &str = "insert into registrants (person, slot, sealed, revision)
    select * from unnest(?::bytea[], ?::bigint[], ?::bytea[], ?::bigint[])
    on conflict (person) do update set slot = excluded.slot, sealed = excluded.sealed, revision = excluded.revision";
const COMPANIES: &str = "insert into companies (uscc, names, record, revision)
    select * from unnest(?::text[], ?::text[], ?::bytea[], ?::bigint[])
    on conflict (uscc) do update set names = excluded.names, record = excluded.record, revision = excluded.revision";
const HEAD: &str = "update head set seq = ?, chain = ?, queued = queued + ? where seq = ?";

/// A statement that grows part by part; in a part each `?` is the next argument that was bound.
struct Statement {
    sql: String,
    arguments: PgArguments,
    numbered: usize,
}

impl Statement {
    fn bind<'q, T: Encode<'q, Postgres> + Type<Postgres>>(&mut self, value: T) -> Result<(), sqlx::Error> {
        self.arguments.add(value).map_err(sqlx::Error::Encode)
    }

    fn number(&mut self, sql: &str) {
        for (nth, piece) in sql.split('?').enumerate() {
            if nth > 0 {
                self.numbered += 1;
                self.sql.push_str(&format!("${}", self.numbered));
            }
            self.sql.push_str(piece);
        }
    }

    fn part(&mut self, name: &str, sql: &str) {
        self.sql.push_str(if self.numbered == 0 { "/* group.write */ with " } else { ", " });
        self.sql.push_str(name);
        self.sql.push_str(" as (");
        self.number(sql);
        self.sql.push(')');
    }
}

/// A part about some rows, each column one array; none where there are no rows.
macro_rules! part {
    ($statement:ident, $name:literal, $sql:ident, $rows:expr, $row:pat => $($value:expr),+ $(,)?) => {
        if $rows.next().is_some() {
            $( $statement.bind($rows.map(|$row| $value).collect::<Vec<_>>())?; )+
            $statement.part($name, $sql);
        }
    };
}

fn id(bytes: &[u8; 16]) -> Uuid {
    uuid(bytes)
}

fn bytes(digest: &Sha256) -> Vec<u8> {
    digest.as_bytes().to_vec()
}

/// A number of the ledger as the database keeps it: it counts one by one from 1, and never comes near the end.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Writes what a group came to.
pub(crate) async fn write(connection: &mut PgConnection, draft: &Draft) -> Result<(), sqlx::Error> {
    let mut statement = put_together(draft)?;
    statement.sql.push(' ');
    statement.bind(signed(draft.seq))?;
    statement.bind(&draft.chain[..])?;
    statement.bind(draft.growth())?;
    statement.bind(signed(draft.before))?;
    statement.number(HEAD);
    // Put together from the texts of this file alone; every value is an argument.
    let moved =
        sqlx::query_with(AssertSqlSafe(statement.sql), statement.arguments).execute(connection).await?;
    // It is locked: another number means another writer that did not ask.
    if moved.rows_affected() == 1 { Ok(()) } else { Err(sqlx::Error::RowNotFound) }
}

#[expect(unused_variables, reason = "each column of a row needs some of it")]
fn put_together(draft: &Draft) -> Result<Statement, sqlx::Error> {
    let rows = &draft.rows;
    let mut statement = Statement { sql: String::new(), arguments: PgArguments::default(), numbered: 0 };
    part!(statement, "entries", ENTRIES, rows.entries.iter(), row =>
        signed(row.seq), row.payload.as_slice(), &row.digest[..], &row.chain[..]);
    part!(statement, "register", CERTIFICATES, rows.certificates.values(), (row, revision) =>
        id(row.id.as_bytes()), i32::from(row.version), row.issuer.as_str(), &row.number[..16],
        &row.number[16..], &row.person[..], i64::from(row.slot), row.photo.as_ref().map(bytes),
        row.sealed.as_slice(), signed(*revision));
    part!(statement, "revisions", REVISIONS, rows.revisions.iter(), row =>
        id(row.0.as_bytes()), signed(*row.1));
    part!(statement, "orders", ANNOTATIONS, rows.annotations.values(), (row, decided_on, nth) =>
        id(row.id.as_bytes()), id(row.certificate.as_bytes()), row.issuer.as_str(), &row.code[..],
        i64::from(row.slot), row.state.as_str(), row.document.as_ref().map(bytes),
        row.valid_until.map(day_number), row.sealed.as_slice(), signed(*decided_on), i32::try_from(*nth).unwrap_or(i32::MAX));
    part!(statement, "queue", JOBS, rows.jobs.values().flatten(), (job, held) =>
        id(job.annotation.as_bytes()), id(job.certificate.as_bytes()), job.issuer.as_str(),
        nanos(job.requested_at), nanos(job.due_at), nanos(job.ready_at), i64::from(job.attempts), job.parked,
        held.map(|held| held.fence), held.map(|held| held.until), held.map(|held| held.holder));
    part!(statement, "settled", SETTLED, rows.jobs.iter().filter(|(_, job)| job.is_none()), row =>
        id(row.0.as_bytes()));
    part!(statement, "plain", PLAIN_COPIES, rows.plain_copies.iter(), row =>
        id(row.0.as_bytes()), bytes(row.1));
    part!(statement, "named", DOCUMENTS, rows.documents.iter(), (digest, (annotation, certificate)) =>
        bytes(digest), annotation.map(|of| id(of.as_bytes())), certificate.map(|of| id(of.as_bytes())));
    part!(statement, "callers", API_KEYS, rows.keys.values(), key =>
        id(key.id.as_bytes()), bytes(&key.secret), key.scopes.join(" "),
        key.issuer.map(|issuer| issuer.as_str().to_owned()), key.label.as_str(), nanos(key.created_at),
        key.revoked_at.map(nanos));
    part!(statement, "answered", ANSWERS, rows.answers.iter(), ((caller, key), answer) =>
        id(caller), bytes(key), bytes(&answer.request), nanos(answer.at),
        match &answer.outcome { Outcome::Ordered { annotation, .. } => Some(id(annotation.as_bytes())), _ => None },
        match &answer.outcome { Outcome::Ordered { place, .. } => Some(signed(*place)), _ => None },
        match &answer.outcome { Outcome::Entered { certificate, .. } => Some(id(certificate.as_bytes())), _ => None },
        match &answer.outcome { Outcome::Entered { status, .. } => Some(status.as_str()), _ => None });
    part!(statement, "trail_c", TRAIL_CERTIFICATES, rows.about_certificates.iter(), row =>
        id(row.0.as_bytes()), signed(row.1));
    part!(statement, "trail_o", TRAIL_OWNERS, rows.about_owners.iter(), row =>
        id(row.0.as_bytes()), signed(row.1));
    part!(statement, "trail_a", TRAIL_ANNOTATIONS, rows.about_annotations.iter(), row =>
        id(row.0.as_bytes()), signed(row.1));
    part!(statement, "trail_i", TRAIL_ISSUERS, rows.about_issuers.iter(), row =>
        row.0.as_str(), signed(row.1));
    part!(statement, "trail_u", TRAIL_ACCOUNTS, rows.about_accounts.iter(), row =>
        id(row.0.as_bytes()), signed(row.1));
    if !rows.account_names.is_empty() {
        statement
            .bind(rows.account_names.iter().map(|(account, _)| id(account.as_bytes())).collect::<Vec<_>>())?;
        statement.bind(rows.account_names.iter().map(|(_, login)| &login[..]).collect::<Vec<_>>())?;
        statement.bind(draft.moved)?;
        statement.part("freed", FREED);
    }
    part!(statement, "people", ACCOUNTS, rows.accounts.values(), (row, revision) =>
        id(row.id.as_bytes()), &row.login[..], i64::from(row.slot), row.staff, row.sealed.as_slice(),
        signed(*revision));
    part!(statement, "visits", SESSIONS, rows.sessions.values(), (row, revision) =>
        bytes(&row.token), id(row.account.as_bytes()), nanos(row.began_at), nanos(row.seen_at),
        row.ended_at.map(nanos), signed(*revision));
    part!(statement, "sent", CODES, rows.codes.iter(), ((purpose, mobile), (row, revision)) =>
        *purpose, &mobile[..], bytes(&row.digest), &row.salt[..], nanos(row.sent_at), i32::from(row.mistyped),
        row.used, signed(*revision));
    part!(statement, "tickets_sent", TICKETS, rows.tickets.values(), (row, revision) =>
        id(row.id.as_bytes()), i64::from(row.slot), &row.person[..], &row.mobile[..], row.open,
        row.sealed.as_slice(), signed(*revision));
    part!(statement, "filed", CASES, rows.cases.values(), (row, revision) =>
        id(row.id.as_bytes()), i64::from(row.slot), row.unit.map(|unit| unit.as_str().to_owned()),
        row.unit.as_ref().map(|unit| Region::of(unit).to_string()), row.regime.as_str(), row.business.as_str(),
        row.stage.as_deref(), row.seat.as_deref(), due(row.due_on), row.state.as_str(), row.sealed.as_slice(),
        signed(*revision));
    part!(statement, "registrants_known", REGISTRANTS, rows.registrants.values(), (row, revision) =>
        &row.person[..], i64::from(row.slot), row.sealed.as_slice(), signed(*revision));
    part!(statement, "companies_known", COMPANIES, rows.companies.values(), (row, revision) =>
        row.uscc.as_str(), row.names.as_str(), row.record.as_slice(), signed(*revision));
    Ok(statement)
}
