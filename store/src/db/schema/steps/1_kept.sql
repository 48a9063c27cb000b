-- What cannot be made anew: the journal with its values, references (evidence taken from others, as loaded), and working tables.
-- Each column is marked: plain (may stand in a log), sealed (encrypted), digest (tells nothing without a key or a salt).
-- BYTES, SERIAL: see schema/mod.rs. Instants are microseconds UTC, days ISO text.

CREATE TABLE installation (
  id BIGINT PRIMARY KEY,              -- plain: always 1
  keyring TEXT NOT NULL,              -- plain: id of the keys that belong to this database
  key_check BYTES NOT NULL            -- digest
);

-- One commit of the journal: a leaf of the Merkle tree.
CREATE TABLE journal_commit (
  seq SERIAL,                         -- plain: drawn last before the commit
  id TEXT NOT NULL UNIQUE,            -- plain
  at BIGINT NOT NULL,                 -- plain
  entries BIGINT NOT NULL,            -- plain
  digest BYTES NOT NULL,              -- digest: SHA-256 over the MACs of its entries
  mac BYTES NOT NULL,                 -- digest
  load TEXT,                          -- plain: counts, and is sealed, once this load is applied
  position BIGINT UNIQUE              -- plain: place in the tree, given by the sealer
);
CREATE INDEX journal_commit_load ON journal_commit (load);

CREATE TABLE journal (
  commit_id TEXT NOT NULL,            -- plain
  ord BIGINT NOT NULL,                -- plain: order within the commit
  at BIGINT NOT NULL,                 -- plain: when it was recorded
  effective BIGINT NOT NULL,          -- plain: from when it counts
  kind TEXT NOT NULL,                 -- plain
  version BIGINT NOT NULL,            -- plain: of the form of the body
  subject_kind TEXT NOT NULL,         -- plain
  subject TEXT NOT NULL,              -- plain: an id
  by_whom TEXT NOT NULL,              -- plain: an operator or the system
  run TEXT,                           -- plain
  clause TEXT,                        -- plain
  body TEXT NOT NULL,                 -- plain: JSON without personal values
  value TEXT,                         -- plain: id of the personal value
  commitment BYTES,                   -- digest: salted
  mac BYTES NOT NULL,                 -- digest
  PRIMARY KEY (commit_id, ord)
);
CREATE INDEX journal_subject ON journal (subject_kind, subject);
CREATE INDEX journal_run ON journal (run);

CREATE TABLE personal_value (
  id TEXT PRIMARY KEY,                -- plain
  salt BYTES NOT NULL,                -- digest: of the commitment
  sealed BYTES NOT NULL               -- sealed
);

CREATE TABLE checkpoint (
  size BIGINT PRIMARY KEY,            -- plain: leaves of the tree
  root BYTES NOT NULL,                -- digest
  frontier BYTES NOT NULL,            -- digest
  note TEXT NOT NULL                  -- plain: the signed note
);

-- Which load of a reference counts.
CREATE TABLE reference (
  name TEXT PRIMARY KEY,              -- plain: registry, units, notices
  load TEXT NOT NULL                  -- plain
);

CREATE TABLE load (
  id TEXT PRIMARY KEY,                -- plain
  name TEXT NOT NULL,                 -- plain: the table
  digest TEXT NOT NULL,               -- digest: of the file
  at BIGINT NOT NULL,                 -- plain
  as_of TEXT NOT NULL,                -- plain
  by_whom TEXT NOT NULL,              -- plain
  scope TEXT,                         -- plain: of a full extract: the unit, or empty for all
  row_count BIGINT NOT NULL,          -- plain
  unreadable BIGINT NOT NULL,         -- plain: rows in quarantine, repeated ones left out
  state TEXT NOT NULL,                -- plain: waiting, open, applied
  beat BIGINT NOT NULL                -- plain: while open: when its process was last heard of
);
CREATE INDEX load_name ON load (name, state);

CREATE TABLE registry (
  load TEXT NOT NULL,                 -- plain
  number_fp BYTES NOT NULL,           -- digest
  status TEXT NOT NULL,               -- plain
  sealed BYTES NOT NULL,              -- sealed
  PRIMARY KEY (load, number_fp)
);

-- Numbers that a person held before, as far as the registry knows.
CREATE TABLE registry_former (
  load TEXT NOT NULL,                 -- plain
  former_fp BYTES NOT NULL,           -- digest
  number_fp BYTES NOT NULL,           -- digest
  PRIMARY KEY (load, former_fp)
);

CREATE TABLE unit (
  load TEXT NOT NULL,                 -- plain
  code TEXT NOT NULL,                 -- plain
  body TEXT NOT NULL,                 -- plain
  PRIMARY KEY (load, code)
);

CREATE TABLE notice (
  load TEXT NOT NULL,                 -- plain
  ord BIGINT NOT NULL,                -- plain
  sealed BYTES NOT NULL,              -- sealed
  PRIMARY KEY (load, ord)
);

-- Rows that wait until somebody mends them.
CREATE TABLE quarantine (
  load TEXT NOT NULL,                 -- plain
  row_no TEXT NOT NULL,               -- plain: as the report of the file names it
  name TEXT NOT NULL,                 -- plain: the table
  reason TEXT NOT NULL,               -- plain
  code_fp BYTES,                      -- digest
  number_fp BYTES,                    -- digest
  sealed BYTES NOT NULL,              -- sealed: the cells and what tells whose row it is
  PRIMARY KEY (load, row_no)
);

CREATE TABLE run (
  id TEXT PRIMARY KEY,                -- plain
  at BIGINT NOT NULL,                 -- plain
  as_of TEXT NOT NULL,                -- plain
  by_whom TEXT NOT NULL,              -- plain
  state TEXT NOT NULL,                -- plain: waiting, applied, undone
  approved BIGINT NOT NULL,           -- plain
  applied_at BIGINT,                  -- plain
  newly_held BIGINT NOT NULL,         -- plain
  guard TEXT NOT NULL                 -- plain: JSON of what stopped it
);

CREATE TABLE run_line (
  run TEXT NOT NULL,                  -- plain
  account TEXT NOT NULL,              -- plain
  body TEXT NOT NULL,                 -- plain: JSON of the line
  digest BYTES NOT NULL,              -- digest: of what the decision read
  PRIMARY KEY (run, account)
);

-- Whoever brings in accounts and whoever makes a claim must see each other.
CREATE TABLE arrival (
  id BIGINT PRIMARY KEY               -- plain: always 1
);
INSERT INTO arrival (id) VALUES (1);

-- Links by which a new operator enrols, good once.
CREATE TABLE enrolment (
  secret BYTES PRIMARY KEY,           -- digest: SHA-256
  operator TEXT NOT NULL,             -- plain
  good_until BIGINT NOT NULL          -- plain
);
