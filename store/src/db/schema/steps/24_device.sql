-- What a session's browser is and runs on, so that its owner knows it again. Marks as in 1_kept.sql.

ALTER TABLE session ADD COLUMN
  device TEXT; -- plain: a browser and a system, each a word of a short table; none: neither is known
