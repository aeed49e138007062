//! The one statement that writes a group: entries, rows, trails and the new head.

use sqlx::postgres::PgConnection;
use uuid::Uuid;

use crate::domain::ids::Sha256;
use crate::store::Outcome;
use crate::store::postgres::draft::Draft;
use crate::store::postgres::rows::{nanos, uuid};

const WRITE: &str = "/* group.write */ with
entries as (
    insert into ledger (seq, payload, digest, chain)
    select * from unnest($1::bigint[], $2::bytea[], $3::bytea[], $4::bytea[])
), register as (
    insert into certificates (id, version, issuer, number, kind, person, slot, photo, sealed, revision)
    select * from unnest($5::uuid[], $6::int[], $7::text[], $8::bytea[], $9::bytea[], $10::bytea[], $11::bigint[],
        $12::bytea[], $13::bytea[], $14::bigint[])
    on conflict (id) do update set version = excluded.version, issuer = excluded.issuer, number = excluded.number,
        kind = excluded.kind, person = excluded.person, slot = excluded.slot, photo = excluded.photo,
        sealed = excluded.sealed, revision = excluded.revision
), revisions as (
    update certificates set revision = revised.revision
    from unnest($15::uuid[], $16::bigint[]) as revised (id, revision) where certificates.id = revised.id
), orders as (
    insert into annotations (id, certificate, issuer, code, slot, state, document, sealed, decided_on, nth)
    select * from unnest($17::uuid[], $18::uuid[], $19::text[], $20::bytea[], $21::bigint[], $22::text[],
        $23::bytea[], $24::bytea[], $25::bigint[], $26::int[])
    on conflict (id) do update set slot = excluded.slot, state = excluded.state, document = excluded.document,
        sealed = excluded.sealed
), queue as (
    insert into jobs (annotation, certificate, issuer, requested_at, due_at, ready_at, attempts, parked,
        fence, lease_until, holder)
    select * from unnest($27::uuid[], $28::uuid[], $29::text[], $30::bigint[], $31::bigint[], $32::bigint[],
        $33::bigint[], $34::boolean[], $35::bigint[], $36::bigint[], $37::uuid[])
    on conflict (annotation) do update set certificate = excluded.certificate, issuer = excluded.issuer,
        requested_at = excluded.requested_at, due_at = excluded.due_at, ready_at = excluded.ready_at,
        attempts = excluded.attempts, parked = excluded.parked, fence = excluded.fence,
        lease_until = excluded.lease_until, holder = excluded.holder
), settled as (
    delete from jobs where annotation = any($38::uuid[])
), plain as (
    insert into plain_copies (certificate, document) select * from unnest($39::uuid[], $40::bytea[])
    on conflict (certificate) do update set document = excluded.document
), named as (
    insert into documents (digest, annotation, certificate)
    select * from unnest($41::bytea[], $42::uuid[], $43::uuid[])
    on conflict (digest) do update set annotation = excluded.annotation, certificate = excluded.certificate
    where excluded.annotation is not null or excluded.certificate is not null
), callers as (
    insert into api_keys (id, secret, scopes, issuer, label, created_at, revoked_at)
    select * from unnest($44::uuid[], $45::bytea[], $46::text[], $47::text[], $48::text[], $49::bigint[],
        $50::bigint[])
    on conflict (id) do update set secret = excluded.secret, scopes = excluded.scopes, issuer = excluded.issuer,
        label = excluded.label, created_at = excluded.created_at, revoked_at = excluded.revoked_at
), answered as (
    insert into answers (caller, key, request, at, annotation, place, certificate, status)
    select * from unnest($51::uuid[], $52::bytea[], $53::bytea[], $54::bigint[], $55::uuid[], $56::bigint[],
        $57::uuid[], $58::text[])
    on conflict (caller, key) do update set request = excluded.request, at = excluded.at,
        annotation = excluded.annotation, place = excluded.place, certificate = excluded.certificate,
        status = excluded.status
), trail_c as (
    insert into trail_certificates (certificate, seq)
    select * from unnest($59::uuid[], $60::bigint[])
    union select a.certificate, asked.seq from unnest($61::uuid[], $62::bigint[]) as asked (annotation, seq)
        join annotations a on a.id = asked.annotation
    on conflict do nothing
), trail_a as (
    insert into trail_annotations (annotation, seq) select * from unnest($63::uuid[], $64::bigint[])
    on conflict do nothing
), trail_i as (
    insert into trail_issuers (issuer, seq) select * from unnest($65::text[], $66::bigint[])
    on conflict do nothing
), freed as (
    delete from accounts using person_keys where accounts.login = any($72) and accounts.id <> all($71)
        and person_keys.slot = accounts.slot and ($76 or person_keys.wrapped is null)
    returning accounts.id
), people as (
    insert into accounts (id, login, slot, sealed, revision)
    select * from unnest($71::uuid[], $72::bytea[], $73::bigint[], $74::bytea[], $75::bigint[])
    where (select count(*) from freed) >= 0
    on conflict (id) do update set login = excluded.login, slot = excluded.slot, sealed = excluded.sealed,
        revision = excluded.revision
), visits as (
    insert into sessions (token, account, began_at, seen_at, ended_at, revision)
    select * from unnest($77::bytea[], $78::uuid[], $79::bigint[], $80::bigint[], $81::bigint[], $82::bigint[])
    on conflict (token) do update set account = excluded.account, began_at = excluded.began_at,
        seen_at = excluded.seen_at, ended_at = excluded.ended_at, revision = excluded.revision
), sent as (
    insert into codes (purpose, mobile, digest, salt, sent_at, mistyped, used, revision)
    select * from unnest($83::text[], $84::bytea[], $85::bytea[], $86::bytea[], $87::bigint[], $88::int[],
        $89::boolean[], $90::bigint[])
    on conflict (purpose, mobile) do update set digest = excluded.digest, salt = excluded.salt,
        sent_at = excluded.sent_at, mistyped = excluded.mistyped, used = excluded.used, revision = excluded.revision
), trail_u as (
    insert into trail_accounts (account, seq) select * from unnest($91::uuid[], $92::bigint[])
    on conflict do nothing
)
update head set seq = $67, chain = $68, queued = queued + $69 where seq = $70";

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

/// Columns of some rows, each column one array.
macro_rules! columns {
    ($query:ident, $rows:expr, $row:pat => $($value:expr),+ $(,)?) => {
        $( $query = $query.bind($rows.map(|$row| $value).collect::<Vec<_>>()); )+
    };
}

/// Writes what a group came to.
pub(crate) async fn write(connection: &mut PgConnection, draft: &Draft) -> Result<(), sqlx::Error> {
    let rows = &draft.rows;
    let mut query = sqlx::query(WRITE);
    columns!(query, rows.entries.iter(), row =>
        signed(row.seq), row.payload.as_slice(), &row.digest[..], &row.chain[..]);
    columns!(query, rows.certificates.values().map(|(row, _)| row), row =>
        id(row.id.as_bytes()), i32::from(row.version), row.issuer.as_str(), &row.number[..16],
        &row.number[16..], &row.person[..], i64::from(row.slot), row.photo.as_ref().map(bytes),
        row.sealed.as_slice());
    columns!(query, rows.certificates.values(), row => signed(row.1));
    columns!(query, rows.revisions.iter(), row => id(row.0.as_bytes()), signed(*row.1));
    let annotations = || rows.annotations.values().map(|(row, ..)| row);
    columns!(query, annotations(), row =>
        id(row.id.as_bytes()), id(row.certificate.as_bytes()), row.issuer.as_str(), &row.code[..], i64::from(row.slot),
        row.state.as_str(), row.document.as_ref().map(bytes), row.sealed.as_slice());
    columns!(query, rows.annotations.values(), row => signed(row.1), i32::try_from(row.2).unwrap_or(i32::MAX));
    let jobs = || rows.jobs.values().flatten();
    columns!(query, jobs().map(|(job, _)| job), job =>
        id(job.annotation.as_bytes()), id(job.certificate.as_bytes()), job.issuer.as_str(),
        nanos(job.requested_at), nanos(job.due_at), nanos(job.ready_at), i64::from(job.attempts), job.parked);
    columns!(query, jobs().map(|(_, held)| held), held =>
        held.map(|held| held.fence), held.map(|held| held.until), held.map(|held| held.holder));
    let settled = rows.jobs.iter().filter(|(_, job)| job.is_none());
    query = query.bind(settled.map(|(of, _)| id(of.as_bytes())).collect::<Vec<_>>());
    columns!(query, rows.plain_copies.iter(), row => id(row.0.as_bytes()), bytes(row.1));
    columns!(query, rows.documents.iter(), row =>
        bytes(row.0), row.1.0.map(|of| id(of.as_bytes())), row.1.1.map(|of| id(of.as_bytes())));
    columns!(query, rows.keys.values(), key =>
        id(key.id.as_bytes()), bytes(&key.secret), key.scopes.join(" "),
        key.issuer.map(|issuer| issuer.as_str().to_owned()), key.label.as_str(), nanos(key.created_at),
        key.revoked_at.map(nanos));
    columns!(query, rows.answers.iter(), row =>
        id(&row.0.0), bytes(&row.0.1), bytes(&row.1.request), nanos(row.1.at));
    columns!(query, rows.answers.values().map(|answer| &answer.outcome), outcome =>
        match outcome { Outcome::Ordered { annotation, .. } => Some(id(annotation.as_bytes())), _ => None },
        match outcome { Outcome::Ordered { place, .. } => Some(signed(*place)), _ => None },
        match outcome { Outcome::Entered { certificate, .. } => Some(id(certificate.as_bytes())), _ => None },
        match outcome { Outcome::Entered { status, .. } => Some(status.as_str()), _ => None });
    columns!(query, rows.about_certificates.iter(), row => id(row.0.as_bytes()), signed(row.1));
    columns!(query, rows.about_owners.iter(), row => id(row.0.as_bytes()), signed(row.1));
    columns!(query, rows.about_annotations.iter(), row => id(row.0.as_bytes()), signed(row.1));
    columns!(query, rows.about_issuers.iter(), row => row.0.as_str(), signed(row.1));
    query =
        query.bind(signed(draft.seq)).bind(&draft.chain[..]).bind(draft.growth()).bind(signed(draft.before));
    columns!(query, rows.accounts.values(), row =>
        id(row.0.id.as_bytes()), &row.0.login[..], i64::from(row.0.slot), row.0.sealed.as_slice(), signed(row.1));
    query = query.bind(draft.moved);
    columns!(query, rows.sessions.values(), row =>
        bytes(&row.0.token), id(row.0.account.as_bytes()), nanos(row.0.began_at), nanos(row.0.seen_at),
        row.0.ended_at.map(nanos), signed(row.1));
    columns!(query, rows.codes.iter(), row => row.0.0, &row.0.1[..]);
    columns!(query, rows.codes.values(), row =>
        bytes(&row.0.digest), &row.0.salt[..], nanos(row.0.sent_at), i32::from(row.0.mistyped), row.0.used,
        signed(row.1));
    columns!(query, rows.about_accounts.iter(), row => id(row.0.as_bytes()), signed(row.1));
    let moved = query.execute(connection).await?;
    // It is locked: another number means another writer that did not ask.
    if moved.rows_affected() == 1 { Ok(()) } else { Err(sqlx::Error::RowNotFound) }
}
