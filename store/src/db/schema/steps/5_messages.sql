-- Messages on their way. A carrier takes them; in a sandbox they are read on a page.
CREATE TABLE message (
  id TEXT PRIMARY KEY,                -- plain: sorts by the time at which it was written
  at BIGINT NOT NULL,                 -- plain
  channel TEXT NOT NULL,              -- plain: sms, mail
  sealed BYTES NOT NULL,              -- sealed: to whom, and what it says
  sent BIGINT                         -- plain: when a carrier took it
);

-- Codes that prove, once and for minutes, who holds a telephone or a mailbox.
CREATE TABLE one_time_code (
  holder BYTES NOT NULL,              -- digest: SHA-256 of what the browser keeps
  purpose TEXT NOT NULL,              -- plain
  subject TEXT NOT NULL,              -- plain: an account, or a keyed digest of what it is for; empty: nobody's
  code BYTES NOT NULL,                -- digest: keyed
  tries BIGINT NOT NULL,              -- plain
  good_until BIGINT NOT NULL,         -- plain
  PRIMARY KEY (holder, purpose, subject)
);

-- Forms that were typed and are not answered yet: kept over a sign-in and a one-time code.
CREATE TABLE draft (
  account TEXT PRIMARY KEY,           -- plain
  sealed BYTES NOT NULL,              -- sealed: the form as typed
  good_until BIGINT NOT NULL          -- plain
);

-- How the sandbox plays the registry for one of its made-up people.
CREATE TABLE sandbox_mood (
  number BYTES PRIMARY KEY,           -- digest: keyed
  mood TEXT NOT NULL                  -- plain: slow, down, garbage
);
