-- An import that is at work is bound by a MAC (bound.rs): one that its process left is told apart from one that nobody began. Marks as in
-- 1_kept.sql.
ALTER TABLE load ADD COLUMN
  mac BYTES; -- digest: keyed
