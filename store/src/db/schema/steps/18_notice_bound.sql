-- What clients are yet to be told is bound by a MAC (bound.rs), too; what waited before ends with the grants that it was about. Marks as in
-- 1_kept.sql.

DELETE FROM client_notice WHERE due IS NOT NULL;
ALTER TABLE client_notice ADD COLUMN
  mac BYTES; -- digest: keyed
