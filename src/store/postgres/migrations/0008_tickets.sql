-- Tickets. Persons and mobiles are keyed hashes; a ticket is ciphertext.
create table tickets (
    id uuid primary key,
    slot bigint not null references person_keys (slot),
    person bytea not null check (octet_length(person) = 16),
    mobile bytea not null check (octet_length(mobile) = 16),
    open boolean not null,
    sealed bytea not null,
    revision bigint not null check (revision > 0)
);

create index tickets_open on tickets (id) where open;
create index tickets_open_of_person on tickets (person) where open;
create index tickets_open_of_mobile on tickets (mobile) where open;
