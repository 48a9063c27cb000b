-- Projections: made from the journal, thrown away and made anew by `ngomon rebuild`. Marks as in kept.sql.

CREATE TABLE account_row (
  id TEXT PRIMARY KEY,                -- plain
  kind TEXT NOT NULL,                 -- plain
  login TEXT NOT NULL,                -- plain
  unit TEXT NOT NULL,                 -- plain: empty: unknown
  created_on TEXT,                    -- plain
  last_sign_in_on TEXT,               -- plain
  value TEXT NOT NULL,                -- plain: id of what it says of its owner
  number_fp BYTES,                    -- digest
  phone_fp BYTES,                     -- digest
  name_fp BYTES,                      -- digest
  code_fp BYTES,                      -- digest
  username_fp BYTES,                  -- digest
  generation BIGINT NOT NULL,         -- plain: raised by each new hold
  official_to TEXT NOT NULL,          -- plain: last day of the owner's service; empty: none
  exempt_to TEXT NOT NULL,            -- plain: empty: not exempt
  held_to TEXT NOT NULL,              -- plain: empty: not held
  claimed BIGINT NOT NULL,            -- plain
  last TEXT NOT NULL,                 -- plain: what came of its last form
  run TEXT,                           -- plain: the run that made it
  load TEXT                           -- plain: counts once this load is applied
);
CREATE INDEX account_row_number ON account_row (number_fp);
CREATE INDEX account_row_phone ON account_row (phone_fp);
CREATE INDEX account_row_code ON account_row (code_fp);
CREATE INDEX account_row_username ON account_row (username_fp);
CREATE INDEX account_row_run ON account_row (run);

CREATE TABLE login (
  id TEXT PRIMARY KEY,                -- plain
  value TEXT NOT NULL                 -- plain: id of the personal value with the password hash
);

CREATE TABLE succession (
  account TEXT NOT NULL,              -- plain: the new one
  succeeds TEXT NOT NULL,             -- plain
  PRIMARY KEY (account, succeeds)
);

CREATE TABLE person_number (
  fp BYTES PRIMARY KEY,               -- digest
  person TEXT NOT NULL                -- plain
);
CREATE INDEX person_number_person ON person_number (person);

CREATE TABLE claim (
  account TEXT NOT NULL,              -- plain
  since BIGINT NOT NULL,              -- plain
  until BIGINT,                       -- plain
  person TEXT NOT NULL,               -- plain
  proof TEXT NOT NULL,                -- plain
  value TEXT NOT NULL,                -- plain: id of the registry's details
  number_fp BYTES NOT NULL,           -- digest: the number in force at the claim
  phone_fp BYTES,                     -- digest
  ord BIGINT NOT NULL,                -- plain: which claim of all, by the journal's time
  PRIMARY KEY (account, ord)
);
CREATE UNIQUE INDEX claim_in_force ON claim (person) WHERE until IS NULL;
CREATE UNIQUE INDEX claim_of_account ON claim (account) WHERE until IS NULL;
CREATE INDEX claim_phone ON claim (phone_fp);
CREATE INDEX claim_since ON claim (since);

CREATE TABLE hold (
  account TEXT NOT NULL,              -- plain
  reason TEXT NOT NULL,               -- plain
  cause TEXT NOT NULL,                -- plain
  body TEXT NOT NULL,                 -- plain: JSON with the evidence
  last_day TEXT,                      -- plain
  since BIGINT NOT NULL,              -- plain
  until BIGINT,                       -- plain
  run TEXT,                           -- plain
  generation BIGINT NOT NULL,         -- plain: of the account, from this hold on
  PRIMARY KEY (account, generation)
);
CREATE UNIQUE INDEX hold_in_force ON hold (account, reason, cause) WHERE until IS NULL;
CREATE INDEX hold_cause ON hold (cause);

CREATE TABLE exemption (
  account TEXT NOT NULL,              -- plain
  since BIGINT NOT NULL,              -- plain
  until BIGINT,                       -- plain
  why TEXT NOT NULL,                  -- plain: a word from a list
  last_day TEXT NOT NULL,             -- plain
  PRIMARY KEY (account, since)
);

CREATE TABLE submission (
  receipt TEXT PRIMARY KEY,           -- plain
  account TEXT NOT NULL,              -- plain
  effective BIGINT NOT NULL,          -- plain
  at BIGINT NOT NULL,                 -- plain
  outcome TEXT NOT NULL,              -- plain
  proof TEXT NOT NULL,                -- plain
  fields TEXT NOT NULL,               -- plain: names of fields
  value TEXT NOT NULL                 -- plain: id of the form as typed
);
CREATE INDEX submission_account ON submission (account, effective);
CREATE INDEX submission_outcome ON submission (outcome);

CREATE TABLE profile (
  id TEXT PRIMARY KEY,                -- plain
  person TEXT,                        -- plain
  code_fp BYTES,                      -- digest
  number_fp BYTES,                    -- digest
  unit TEXT NOT NULL,                 -- plain
  value TEXT NOT NULL,                -- plain: id of the version that counts
  row_digest BYTES NOT NULL,          -- digest: keyed, of the row
  updated_on TEXT NOT NULL,           -- plain: empty: unknown
  service_to TEXT NOT NULL,           -- plain: last day in service; empty: never
  first_taken_on TEXT NOT NULL,       -- plain
  gone BIGINT NOT NULL                -- plain: a full extract did not have it
);
CREATE INDEX profile_person ON profile (person);

-- For which units absence of a profile means something.
CREATE TABLE coverage (
  unit TEXT PRIMARY KEY               -- plain: empty: everything
);

CREATE TABLE setting (
  name TEXT PRIMARY KEY,              -- plain
  value TEXT NOT NULL                 -- plain
);

CREATE TABLE operator (
  name TEXT PRIMARY KEY               -- plain
);

-- Accounts alike in all that the report asks, in 16 slots, so that writers do not queue.
CREATE TABLE report_counter (
  unit TEXT NOT NULL,                 -- plain
  official_to TEXT NOT NULL,          -- plain
  exempt_to TEXT NOT NULL,            -- plain
  held_to TEXT NOT NULL,              -- plain
  claimed BIGINT NOT NULL,            -- plain
  last TEXT NOT NULL,                 -- plain
  slot BIGINT NOT NULL,               -- plain
  n BIGINT NOT NULL,                  -- plain
  PRIMARY KEY (unit, official_to, exempt_to, held_to, claimed, last, slot)
);

-- The newest instant from which anything about citizens counts: a report of an earlier day recounts.
CREATE TABLE horizon (
  slot BIGINT PRIMARY KEY,            -- plain
  effective BIGINT NOT NULL           -- plain
);
