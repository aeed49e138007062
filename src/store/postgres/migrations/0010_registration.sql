-- Registration. Cases and registrants are ciphertext, persons keyed hashes; units are not persons, and stand in clear. A
-- due day is counted from 1970-01-01, and is the last that can be counted where there is none: so it sorts last.
create table cases (
    id uuid primary key,
    slot bigint not null references person_keys (slot),
    unit text,
    region text,
    regime text not null,
    business text not null,
    stage text,
    seat text,
    due int not null,
    state text not null,
    sealed bytea not null,
    revision bigint not null check (revision > 0)
);

-- What a seat holds, of every region and regime or of one.
create index cases_held on cases (seat, due, id) where seat is not null;
create index cases_held_in_region on cases (seat, region, due, id) where seat is not null;
create index cases_held_of_regime on cases (seat, regime, due, id) where seat is not null;
create index cases_held_in_region_of_regime on cases (seat, region, regime, due, id) where seat is not null;
create index cases_held_by_unit on cases (unit, due, id) where seat = 'unit';
create index cases_of_unit on cases (unit, id);

create table registrants (
    person bytea primary key check (octet_length(person) = 16),
    slot bigint not null references person_keys (slot),
    sealed bytea not null,
    revision bigint not null check (revision > 0)
);

-- All names of a company, the newest first, one a line.
create table companies (
    uscc text primary key,
    names text not null,
    record bytea not null,
    revision bigint not null check (revision > 0)
);
