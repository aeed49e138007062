-- Whether the store is served here. In the row that every writer holds: who finds it so under the lock can be sure.

alter table head add column standing text not null default 'live'
    check (standing in ('live', 'halted', 'moved', 'receiving'));
