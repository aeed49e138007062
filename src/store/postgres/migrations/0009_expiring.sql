-- The last day of a copy, counted from 1970-01-01: who holds one that expires soon is told. Null where nothing is sealed, and
-- in rows from before.

alter table annotations add column valid_until int;
create index annotations_expiring on annotations (valid_until, id) where state = 'sealed';
