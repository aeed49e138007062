-- What callers spent of their rates: the moment at which a bucket is full again. The bucket's name is a keyed hash: no
-- address is kept. `cost` is what was told last; a row to be updated sees of the new one only its columns. Unlogged: who
-- comes after a crash of the database begins with full buckets.

create unlogged table limits (
    bucket bytea primary key check (octet_length(bucket) = 16),
    full_at bigint not null,
    cost bigint not null check (cost >= 0)
);
