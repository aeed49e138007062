-- What was verified of a store that is on its way here; null when it has arrived.

alter table head add column verified text;
