-- Which accounts are of staff, who are listed. A node of the version before writes none of them.
alter table accounts add column staff boolean not null default false;
create index accounts_of_staff on accounts (id) where staff;
