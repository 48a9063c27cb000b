-- Projections: made from the journal, thrown away and made anew by `ngomon rebuild`. Marks as in steps/1_kept.sql.

CREATE TABLE account_row (
  id TEXT PRIMARY KEY,                -- plain
  kind TEXT NOT NULL,                 -- plain
  login TEXT NOT NULL,                -- plain
  unit TEXT NOT NULL,                 -- plain: empty: unknown
  created_on TEXT,                    -- plain
  there_from TEXT NOT NULL,           -- plain: made on that day, or, where nobody says when it was, taken over
  last_sign_in_on TEXT,               -- plain
  value TEXT NOT NULL,                -- plain: id of what it says of its owner
  number_fp BYTES,                    -- digest
  phone_fp BYTES,                     -- digest
  name_fp BYTES,                      -- digest
  code_fp BYTES,                      -- digest
  username_fp BYTES,                  -- digest; in any case, phones as numbers
  generation BIGINT NOT NULL,         -- plain: raised by each new hold
  official_to TEXT NOT NULL,          -- plain: last day of the owner's service; empty: none
  exempt_to TEXT NOT NULL,            -- plain: empty: not exempt
  held_to TEXT NOT NULL,              -- plain: empty: not held
  claimed BIGINT NOT NULL,            -- plain
  last TEXT NOT NULL,                 -- plain: what came of its last form
  run TEXT,                           -- plain: the run that made it
  load TEXT,                          -- plain: counts once this load is applied
  mac BYTES NOT NULL,                 -- digest: keyed, binds kind and login
  stated_mac BYTES NOT NULL           -- digest: keyed, binds what it says of its owner
);
CREATE INDEX account_row_number ON account_row (number_fp);
CREATE INDEX account_row_phone ON account_row (phone_fp);
CREATE INDEX account_row_username ON account_row (username_fp);
CREATE INDEX account_row_run ON account_row (run);
-- The people behind a figure of the report: what its counters count by, then who.
CREATE INDEX account_row_alike ON account_row (unit, official_to, exempt_to, held_to, claimed, last, id) WHERE kind = 'citizen';

CREATE TABLE login (
  id TEXT PRIMARY KEY,                -- plain
  value TEXT NOT NULL,                -- plain: id of the personal value with the password hash
  changed BIGINT NOT NULL,            -- plain: when its owner last set another password: who was proven before that is not let in
  mac BYTES NOT NULL                  -- digest: keyed, binds the value
);

CREATE TABLE passkey (
  id TEXT PRIMARY KEY,                -- plain
  login TEXT NOT NULL,                -- plain
  credential BYTES NOT NULL UNIQUE,   -- digest: SHA-256 of the random id by which its device knows it
  value TEXT NOT NULL,                -- plain: id of its name and its public key
  added BIGINT NOT NULL,              -- plain
  mac BYTES NOT NULL                  -- digest: keyed, binds login and value
);
CREATE INDEX passkey_login ON passkey (login);

CREATE TABLE succession (
  account TEXT NOT NULL,              -- plain: the new one
  succeeds TEXT NOT NULL,             -- plain
  mac BYTES NOT NULL,                 -- digest: keyed
  PRIMARY KEY (account, succeeds)
);
CREATE INDEX succession_succeeds ON succession (succeeds);

CREATE TABLE person_number (
  fp BYTES PRIMARY KEY,               -- digest
  person TEXT NOT NULL                -- plain
);
CREATE INDEX person_number_person ON person_number (person);

-- Two numbers that registry, HR or a claim said to be one person's, both ways round. Nothing is taken away.
CREATE TABLE person_link (
  fp BYTES NOT NULL,                  -- digest
  other BYTES NOT NULL,               -- digest
  PRIMARY KEY (fp, other)
);

CREATE TABLE claim (
  account TEXT NOT NULL,              -- plain
  since BIGINT NOT NULL,              -- plain
  until BIGINT,                       -- plain
  person TEXT NOT NULL,               -- plain
  proof TEXT NOT NULL,                -- plain
  value TEXT NOT NULL,                -- plain: id of the registry's details
  number_fp BYTES NOT NULL,           -- digest: the number in force, as the registry had it last
  phone_fp BYTES,                     -- digest: as the registry had it last
  name_fp BYTES NOT NULL,             -- digest: as the registry had it last
  ord BIGINT NOT NULL,                -- plain: which claim of all, by the journal's time
  mac BYTES NOT NULL,                 -- digest: keyed, binds account and value; of one that ended: empty
  PRIMARY KEY (account, ord)
);
CREATE UNIQUE INDEX claim_in_force ON claim (person) WHERE until IS NULL;
CREATE INDEX claim_ended ON claim (person) WHERE until IS NOT NULL;
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
CREATE INDEX hold_cause ON hold (cause) WHERE until IS NULL;

CREATE TABLE exemption (
  account TEXT NOT NULL,              -- plain
  since BIGINT NOT NULL,              -- plain
  until BIGINT,                       -- plain
  why TEXT NOT NULL,                  -- plain: a word from a list
  last_day TEXT NOT NULL,             -- plain
  PRIMARY KEY (account, since)
);
CREATE UNIQUE INDEX exemption_in_force ON exemption (account) WHERE until IS NULL;

CREATE TABLE submission (
  receipt TEXT PRIMARY KEY,           -- plain
  account TEXT NOT NULL,              -- plain
  effective BIGINT NOT NULL,          -- plain
  at BIGINT NOT NULL,                 -- plain
  outcome TEXT NOT NULL,              -- plain
  proof TEXT NOT NULL,                -- plain
  fields TEXT NOT NULL,               -- plain: names of fields
  papers TEXT NOT NULL,               -- plain: names of papers that an operator saw
  phone_proven BIGINT NOT NULL,       -- plain: a code that went to the phone in it was typed
  value TEXT NOT NULL,                -- plain: id of the form as typed
  mac BYTES NOT NULL                  -- digest: keyed, binds account, proof, papers and value
);
CREATE INDEX submission_account ON submission (account, at);
CREATE INDEX submission_outcome ON submission (outcome);

-- Owners of held accounts who asked for it to be looked at again.
CREATE TABLE review_request (
  receipt TEXT PRIMARY KEY,           -- plain
  account TEXT NOT NULL,              -- plain
  at BIGINT NOT NULL,                 -- plain
  accepted BIGINT,                    -- plain: 1, 0; none: it waits
  answered_at BIGINT,                 -- plain
  answer TEXT                         -- plain: id of the reason
);
CREATE INDEX review_request_account ON review_request (account);

CREATE TABLE profile (
  id TEXT PRIMARY KEY,                -- plain
  person TEXT,                        -- plain
  code_fp BYTES,                      -- digest
  number_fp BYTES,                    -- digest
  unit TEXT NOT NULL,                 -- plain
  value TEXT NOT NULL,                -- plain: id of the version that counts
  row_digest BYTES NOT NULL,          -- digest: keyed, of the row
  updated_on TEXT NOT NULL,           -- plain: empty: unknown
  there_from TEXT NOT NULL,           -- plain: HR made it on that day, or, where it does not say when, it was first taken in
  service_to TEXT NOT NULL,           -- plain: last day in service; empty: never
  first_taken_on TEXT NOT NULL,       -- plain
  reviewed_on TEXT NOT NULL,          -- plain: the last yearly review made here; empty: none
  gone BIGINT NOT NULL,               -- plain: a full extract did not have it
  gone_on TEXT NOT NULL               -- plain: the day of that extract; empty: none
);
CREATE INDEX profile_person ON profile (person);
CREATE INDEX profile_number ON profile (number_fp) WHERE gone = 0;

-- By what officials' accounts and HR profiles are found: whatever they ever stated. Nothing is taken away, so that a change also finds
-- whom it left.
CREATE TABLE staff_key (
  fp BYTES NOT NULL,                  -- digest: of a code or a number; for `name`, of a folded name
  kind TEXT NOT NULL,                 -- plain: account, profile; name: an account by its name
  holder TEXT NOT NULL,               -- plain: its id
  PRIMARY KEY (fp, kind, holder)
);
CREATE INDEX staff_key_holder ON staff_key (holder);

-- How many officials' accounts are held until when, in 16 slots.
CREATE TABLE staff_counter (
  unit TEXT NOT NULL,                 -- plain
  held_to TEXT NOT NULL,              -- plain: empty: not held
  slot BIGINT NOT NULL,               -- plain
  n BIGINT NOT NULL,                  -- plain
  PRIMARY KEY (unit, held_to, slot)
);

-- Changes of an own profile that wait for HR, and those that were decided.
CREATE TABLE amendment (
  receipt TEXT PRIMARY KEY,           -- plain
  account TEXT NOT NULL,              -- plain
  profile TEXT NOT NULL,              -- plain
  at BIGINT NOT NULL,                 -- plain
  value TEXT NOT NULL,                -- plain: id of what is proposed
  accepted BIGINT,                    -- plain: 1, 0; none: it waits
  answered_at BIGINT,                 -- plain
  answer TEXT                         -- plain: id of the reason
);
CREATE INDEX amendment_account ON amendment (account);

-- For which units absence of a profile means something.
CREATE TABLE coverage (
  unit TEXT PRIMARY KEY,              -- plain: empty: everything
  load TEXT NOT NULL                  -- plain: the first full extract of it
);

CREATE TABLE setting (
  name TEXT PRIMARY KEY,              -- plain
  value TEXT NOT NULL,                -- plain
  mac BYTES NOT NULL                  -- digest: keyed
);

-- Claims that a first operator found to be another account's, and asked a second one about.
CREATE TABLE take_over (
  receipt TEXT PRIMARY KEY,           -- plain: of the form that was answered `taken`
  account TEXT NOT NULL,              -- plain: which is to have the claim
  holder TEXT NOT NULL,               -- plain: which had it
  proposed_by TEXT NOT NULL,          -- plain
  at BIGINT NOT NULL,                 -- plain
  state TEXT NOT NULL,                -- plain: waiting, approved, declined
  value TEXT,                         -- plain: id of the first one's reason
  mac BYTES NOT NULL                  -- digest: keyed
);
CREATE INDEX take_over_state ON take_over (state);

-- What a first operator asked for that a second one has to agree to.
CREATE TABLE proposed_act (
  receipt TEXT PRIMARY KEY,           -- plain
  body TEXT NOT NULL,                 -- plain: JSON of the act, as the journal has it
  value TEXT NOT NULL,                -- plain: id of the first one's reason
  proposed_by TEXT NOT NULL,          -- plain
  at BIGINT NOT NULL,                 -- plain
  state TEXT NOT NULL,                -- plain: waiting, approved, declined
  mac BYTES NOT NULL                  -- digest: keyed
);
CREATE INDEX proposed_act_state ON proposed_act (state);

CREATE TABLE operator (
  name TEXT PRIMARY KEY,              -- plain
  value TEXT,                         -- plain: id of the second factor; none: not enrolled
  mac BYTES                           -- digest: keyed, binds the value
);

CREATE TABLE recovery_used (
  operator TEXT NOT NULL,             -- plain
  code BIGINT NOT NULL,               -- plain: which of the list
  PRIMARY KEY (operator, code)
);

-- Accounts alike in all that the report asks, in 16 slots, so that writers do not queue.
CREATE TABLE report_counter (
  unit TEXT NOT NULL,                 -- plain
  official_to TEXT NOT NULL,          -- plain
  exempt_to TEXT NOT NULL,            -- plain
  held_to TEXT NOT NULL,              -- plain
  claimed BIGINT NOT NULL,            -- plain
  last TEXT NOT NULL,                 -- plain: of a refusal, the answer
  slot BIGINT NOT NULL,               -- plain
  n BIGINT NOT NULL,                  -- plain
  PRIMARY KEY (official_to, exempt_to, held_to, claimed, last, unit, slot)
) WITHOUT ROWID;

-- Accounts that a reason holds, each once a reason, whatever their kind.
CREATE TABLE hold_counter (
  unit TEXT NOT NULL,                 -- plain
  reason TEXT NOT NULL,               -- plain
  held_to TEXT NOT NULL,              -- plain: last day of the longest of its holds
  slot BIGINT NOT NULL,               -- plain
  n BIGINT NOT NULL,                  -- plain
  PRIMARY KEY (reason, held_to, unit, slot)
) WITHOUT ROWID;

-- Claims in force by the day on which they were made, and refused forms by theirs.
CREATE TABLE day_counter (
  unit TEXT NOT NULL,                 -- plain: empty: unknown, or, anywhere, all of them
  what TEXT NOT NULL,                 -- plain: claim, refusal; claim-anywhere, refusal-anywhere: of all units together
  day BIGINT NOT NULL,                -- plain: in Huế, from 1 January 1970 on
  official_to TEXT NOT NULL,          -- plain: of the claim's account; empty for refusals
  slot BIGINT NOT NULL,               -- plain
  n BIGINT NOT NULL,                  -- plain
  PRIMARY KEY (unit, what, day, official_to, slot)
) WITHOUT ROWID;

-- The newest instant from which anything about citizens counts: a report of an earlier day recounts.
CREATE TABLE horizon (
  slot BIGINT PRIMARY KEY,            -- plain
  effective BIGINT NOT NULL           -- plain
);

-- Connected systems.
CREATE TABLE client (
  id TEXT PRIMARY KEY,                -- plain
  name TEXT NOT NULL UNIQUE,          -- plain
  body TEXT NOT NULL,                 -- plain: JSON of its settings
  secret TEXT,                        -- digest: SHA-256 of its secret
  old_secret TEXT,                    -- digest: SHA-256 of the one before
  old_until BIGINT NOT NULL,          -- plain: until when that one is good
  enabled BIGINT NOT NULL,            -- plain
  generation BIGINT NOT NULL,         -- plain: raised when it is disabled: what it was given is dead
  mac BYTES NOT NULL                  -- digest: keyed, binds all of it
);

-- Which connected system bears a resource (RFC 8707): one.
CREATE TABLE client_resource (
  resource TEXT PRIMARY KEY,          -- plain
  client TEXT NOT NULL                -- plain
);

-- What a connected system calls an account. With a row, it knows of it.
CREATE TABLE client_subject (
  client TEXT NOT NULL,               -- plain
  account TEXT NOT NULL,              -- plain
  subject TEXT NOT NULL,              -- plain
  mac BYTES NOT NULL,                 -- digest: keyed, binds them together
  taken_over BIGINT NOT NULL,         -- plain: 1: the system's own user id, told to no other
  PRIMARY KEY (client, account)
);
CREATE INDEX client_subject_account ON client_subject (account);
