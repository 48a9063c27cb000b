-- Whom clients were told of as held, by whatever. None of it is evidence: a restore begins without it. Marks as in 1_kept.sql.

CREATE TABLE told_held (
  account TEXT PRIMARY KEY,           -- plain: what it had open is ended, and its clients were told; not yet that it is open again
  at BIGINT NOT NULL                  -- plain: when
);
INSERT INTO told_held (account, at) SELECT account, at FROM late_account;
DROP TABLE late_account;
ALTER TABLE late_look RENAME TO held_look;
