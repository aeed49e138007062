-- Accounts, sessions and verification codes. Login names and mobiles are keyed hashes; an account is ciphertext. One login
-- name has one account: who comes again after an erasure takes the place of the row that nobody can read any more.
create table accounts (
    id uuid primary key,
    login bytea not null check (octet_length(login) = 16),
    slot bigint not null references person_keys (slot),
    sealed bytea not null,
    revision bigint not null check (revision > 0),
    constraint accounts_one_of_a_login unique (login)
);

-- No foreign key: a session outlives an account whose row was replaced.
create table sessions (
    token bytea primary key check (octet_length(token) = 32),
    account uuid not null,
    began_at bigint not null,
    seen_at bigint not null,
    ended_at bigint,
    revision bigint not null check (revision > 0)
);

-- The last code sent to a mobile for a purpose.
create table codes (
    purpose text not null,
    mobile bytea not null check (octet_length(mobile) = 16),
    digest bytea not null check (octet_length(digest) = 32),
    salt bytea not null check (octet_length(salt) = 16),
    sent_at bigint not null,
    mistyped int not null check (mistyped between 0 and 255),
    used boolean not null,
    revision bigint not null check (revision > 0),
    primary key (purpose, mobile)
);

create table trail_accounts (
    account uuid not null,
    seq bigint not null,
    primary key (account, seq)
);
