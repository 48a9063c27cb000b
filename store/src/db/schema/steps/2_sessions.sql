-- What the pages work with. None of it is evidence: a restore begins without it. Marks as in kept.sql.

CREATE TABLE session (
  id BYTES PRIMARY KEY,               -- digest: SHA-256 of the cookie
  account TEXT NOT NULL,              -- plain
  held BIGINT NOT NULL,               -- plain: 1: a held visit, which may only read why and mend it
  generation BIGINT NOT NULL,         -- plain: the account's at its start: a later hold ends it
  put_off BIGINT NOT NULL,            -- plain: 1: the form is not asked for again in this session
  began BIGINT NOT NULL,              -- plain
  seen BIGINT NOT NULL                -- plain
);
CREATE INDEX session_account ON session (account);

-- How often something was tried within a span of time, by whom or for what.
CREATE TABLE attempt (
  bucket BYTES NOT NULL,              -- digest: keyed
  span BIGINT NOT NULL,               -- plain: which span of time
  n BIGINT NOT NULL,                  -- plain
  PRIMARY KEY (bucket, span)
);
