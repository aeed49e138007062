-- How often copies and certificates were verified, by the hour (counted from 1970) and by the door: statistics, no part of
-- the ledger, and nothing about who asked.

create table checks (
    about uuid not null,
    annotated boolean not null,
    hour bigint not null,
    door text not null,
    count bigint not null check (count > 0),
    primary key (about, hour, door)
);
