-- The store: one ledger, and the rows that its entries make. Moments are nanoseconds since 1970 in UTC, as exact as in
-- the ledger. Blind values (number, kind, person, code) are keyed hashes; what is sealed is ciphertext.

create table store (
    one boolean primary key default true check (one),
    format int not null,
    id bytea not null check (octet_length(id) = 16),
    key_check bytea not null check (octet_length(key_check) = 16),
    next_slot bigint not null default 0 check (next_slot between 0 and 4294967295)
);

-- The one sequencer: whoever writes holds this row until the transaction ends.
create table head (
    one boolean primary key default true check (one),
    seq bigint not null check (seq >= 0),
    chain bytea not null check (octet_length(chain) = 32),
    queued bigint not null check (queued >= 0)
);

create table ledger (
    seq bigint primary key check (seq > 0),
    payload bytea not null check (octet_length(payload) between 1 and 1048576),
    digest bytea not null check (octet_length(digest) = 32),
    chain bytea not null check (octet_length(chain) = 32)
);

-- One wrapped data key a slot; an erased one keeps its number and nothing else.
create table person_keys (
    slot bigint primary key check (slot between 0 and 4294967295),
    person bytea check (octet_length(person) = 16),
    wrapped bytea check (octet_length(wrapped) = 60),
    check ((person is null) = (wrapped is null))
);
create index person_keys_by_person on person_keys (person);

-- Which of a person's slots new records use.
create table persons (
    person bytea primary key check (octet_length(person) = 16),
    slot bigint not null unique references person_keys (slot)
);

-- The revision is that of the dossier: certificate and annotations together.
create table certificates (
    id uuid primary key,
    version int not null check (version between 0 and 65535),
    issuer text not null,
    number bytea not null check (octet_length(number) = 16),
    kind bytea not null check (octet_length(kind) = 8),
    person bytea not null check (octet_length(person) = 16),
    slot bigint not null references person_keys (slot),
    photo bytea check (octet_length(photo) = 32),
    sealed bytea not null,
    revision bigint not null check (revision > 0),
    constraint certificates_one_of_a_version unique (number, kind, version)
);
create index certificates_by_issuer on certificates (issuer, id);
create index certificates_by_person on certificates (person, id);

-- `decided_on` is the revision of the dossier that the order was decided on, `nth` tells apart those of one change: two
-- orders decided on the same revision cannot both be.
create table annotations (
    id uuid primary key,
    certificate uuid not null references certificates (id),
    issuer text not null,
    code bytea not null unique check (octet_length(code) = 16),
    slot bigint not null references person_keys (slot),
    state text not null check (state in ('queued', 'sealing', 'sealed', 'revoked', 'failed')),
    document bytea check (octet_length(document) = 32),
    sealed bytea not null,
    decided_on bigint not null check (decided_on > 0),
    nth int not null check (nth >= 0),
    constraint annotations_decided_once unique (certificate, decided_on, nth)
);
create index annotations_by_certificate on annotations (certificate, id);
create index annotations_by_issuer on annotations (issuer, id);
create index annotations_failed on annotations (issuer, id) where state = 'failed';

-- A lease is a fence that no other lease has, the moment at which it lapses, and the node that holds it.
create table jobs (
    annotation uuid primary key references annotations (id),
    certificate uuid not null references certificates (id),
    issuer text not null,
    requested_at bigint not null,
    due_at bigint not null,
    ready_at bigint not null,
    attempts bigint not null check (attempts >= 0),
    parked boolean not null,
    fence bigint check (fence >= 0),
    lease_until bigint,
    holder uuid,
    check ((fence is null) = (lease_until is null) and (fence is null) = (holder is null))
);
create index jobs_by_due on jobs (due_at, annotation);
create index jobs_by_issuer on jobs (issuer, due_at);
create index jobs_by_holder on jobs (holder) where holder is not null;

create table plain_copies (
    certificate uuid primary key references certificates (id),
    document bytea not null check (octet_length(document) = 32)
);

-- Every document that a record names; whose it is, where it is a copy.
create table documents (
    digest bytea primary key check (octet_length(digest) = 32),
    annotation uuid references annotations (id),
    certificate uuid references certificates (id),
    check (annotation is null or certificate is null)
);

-- Documents that no record named when they were last looked for, and when that was. Whoever keeps one takes it off.
create table doomed (
    digest bytea primary key check (octet_length(digest) = 32),
    at bigint not null
);

create table api_keys (
    id uuid primary key,
    secret bytea not null unique check (octet_length(secret) = 32),
    scopes text not null,
    issuer text,
    label text not null,
    created_at bigint not null,
    revoked_at bigint
);

create table answers (
    caller uuid not null,
    key bytea not null check (octet_length(key) = 32),
    request bytea not null check (octet_length(request) = 32),
    at bigint not null,
    annotation uuid,
    place bigint check (place >= 0),
    certificate uuid,
    status text,
    primary key (caller, key),
    check ((annotation is null) = (place is null) and (certificate is null) = (status is null)),
    check ((annotation is null) <> (certificate is null))
);

-- Which entries are about what. They are made with the entry in one statement: a foreign key would only cost.
create table trail_certificates (
    certificate uuid not null,
    seq bigint not null,
    primary key (certificate, seq)
);
create table trail_annotations (
    annotation uuid not null,
    seq bigint not null,
    primary key (annotation, seq)
);
create table trail_issuers (
    issuer text not null,
    seq bigint not null,
    primary key (issuer, seq)
);

-- What the cluster does once: whose turn a task is, until when.
create table turns (
    task text primary key,
    until bigint not null,
    node uuid not null
);
