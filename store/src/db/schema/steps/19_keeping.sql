-- What the file of checkpoints has, so that one that was cut, thinned or emptied shows, and what is being restored. Marks as in 1_kept.sql.

CREATE TABLE checkpoint_file (
  place TEXT PRIMARY KEY,             -- plain: whose file
  notes BIGINT NOT NULL,              -- plain: how many checkpoints it has
  size BIGINT NOT NULL,               -- plain: of the last of them
  chain BYTES NOT NULL                -- digest: over all of them
);

-- With a row, a backup is being restored, or was until somebody killed it: what stands here is not whole.
CREATE TABLE restoring (
  id BIGINT PRIMARY KEY,              -- plain: always 1
  claim TEXT NOT NULL                 -- plain: drawn by who restores
);
