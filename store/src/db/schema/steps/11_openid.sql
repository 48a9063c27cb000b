-- Signing people in to connected systems. None of it is evidence: a restore begins without it. Marks as in 1_kept.sql.

ALTER TABLE session ADD COLUMN
  sid TEXT NOT NULL DEFAULT ''; -- plain: under which connected systems know it
ALTER TABLE session ADD COLUMN
  amr TEXT NOT NULL DEFAULT 'pwd'; -- plain: how it was proven (RFC 8176)
ALTER TABLE session ADD COLUMN
  next BYTES; -- sealed: where its owner was going when asked to sign in

-- One sign-in of one account to one client. All that the client got from it hangs here: without the row, it is dead.
CREATE TABLE client_grant (
  id TEXT PRIMARY KEY,                -- plain
  client TEXT NOT NULL,               -- plain
  client_generation BIGINT NOT NULL,  -- plain: of the client when it began
  account TEXT NOT NULL,              -- plain
  generation BIGINT NOT NULL,         -- plain: of the account when it began
  session BYTES,                      -- digest: ends with this session; none: outlives it
  sid TEXT NOT NULL,                  -- plain: the session, as the client knows it
  scope TEXT NOT NULL,                -- plain: words with spaces
  asked BYTES NOT NULL,               -- sealed: nonce and claims that were asked for
  auth_time BIGINT NOT NULL,          -- plain
  amr TEXT NOT NULL,                  -- plain
  good_until BIGINT NOT NULL          -- plain
);
CREATE INDEX client_grant_account ON client_grant (account);
CREATE INDEX client_grant_session ON client_grant (session);
CREATE INDEX client_grant_end ON client_grant (good_until);

-- Codes and tokens, by the digest of what the client was given.
CREATE TABLE issued (
  id BYTES PRIMARY KEY,               -- digest: SHA-256
  kind TEXT NOT NULL,                 -- plain: code, access, refresh
  client TEXT NOT NULL,               -- plain
  client_generation BIGINT NOT NULL,  -- plain
  client_grant TEXT,                  -- plain; none: the client acts for itself
  scope TEXT NOT NULL,                -- plain
  bound TEXT NOT NULL,                -- plain: of a code: where it may be redeemed from, and the challenge
  began BIGINT NOT NULL,              -- plain
  good_until BIGINT NOT NULL,         -- plain
  used BIGINT                         -- plain: when it was redeemed: once
);
CREATE INDEX issued_end ON issued (good_until);

-- Requests that a client pushed (RFC 9126).
CREATE TABLE pushed_request (
  id BYTES PRIMARY KEY,               -- digest: SHA-256
  client TEXT NOT NULL,               -- plain
  sealed BYTES NOT NULL,              -- sealed
  good_until BIGINT NOT NULL          -- plain
);

-- What people allowed clients that are not the province's own.
CREATE TABLE consent (
  account TEXT NOT NULL,              -- plain
  client TEXT NOT NULL,               -- plain
  scope TEXT NOT NULL,                -- plain
  at BIGINT NOT NULL,                 -- plain
  PRIMARY KEY (account, client)
);

-- Keys that sign tokens for clients.
CREATE TABLE signing_key (
  id TEXT PRIMARY KEY,                -- plain: `kid`
  algorithm TEXT NOT NULL,            -- plain
  sealed BYTES NOT NULL,              -- sealed: PKCS #8
  began BIGINT NOT NULL,              -- plain: from when on it is published
  signs_from BIGINT NOT NULL,         -- plain: from when on it signs
  good_until BIGINT                   -- plain: until when it is published; none: it may still sign
);

-- What clients are yet to be told, in the order in which it happened.
CREATE TABLE client_notice (
  seq SERIAL,                         -- plain: those of one account in the order in which it happened
  id TEXT NOT NULL UNIQUE,            -- plain: also the `jti`
  at BIGINT NOT NULL,                 -- plain
  client TEXT NOT NULL,               -- plain
  kind TEXT NOT NULL,                 -- plain: logout, session-revoked, account-disabled, account-enabled
  account TEXT NOT NULL,              -- plain
  subject TEXT NOT NULL,              -- plain: what the client calls it
  sid TEXT,                           -- plain: one session only
  due BIGINT,                         -- plain: when it is tried next; none: it was taken, or given up
  tries BIGINT NOT NULL,              -- plain
  taken BIGINT,                       -- plain: when the client took it
  fault TEXT NOT NULL                 -- plain: what came of the last try
);
CREATE INDEX client_notice_due ON client_notice (due);
CREATE INDEX client_notice_order ON client_notice (client, account, seq);

CREATE TABLE client_use (
  client TEXT PRIMARY KEY,            -- plain
  at BIGINT NOT NULL                  -- plain: the last time it was given anything
);
