-- kept: which projections stand in this database: when a version of the program has others, it makes them anew from the journal.
CREATE TABLE projection_version (
  id BIGINT PRIMARY KEY,              -- plain: always 1
  digest TEXT NOT NULL,               -- digest: of their definition
  tables TEXT NOT NULL                -- plain: their names
);
