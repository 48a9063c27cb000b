-- When the report's counters were compared with the accounts. Marks as in kept.sql.
CREATE TABLE recount (
  at BIGINT PRIMARY KEY,              -- plain
  counters BIGINT NOT NULL,           -- plain: how many were compared
  differing BIGINT NOT NULL           -- plain: how many of them were off
);
