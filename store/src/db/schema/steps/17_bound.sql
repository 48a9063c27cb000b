-- Rows that grant something are bound by a MAC (bound.rs). What was granted before that has none and ends here: whoever is signed in signs
-- in once more, connected systems ask again, and keys that sign tokens are made anew. Marks as in 1_kept.sql.

DELETE FROM session;
DELETE FROM issued;
DELETE FROM client_grant;
DELETE FROM consent;
DELETE FROM signing_key;

ALTER TABLE session ADD COLUMN
  mac BYTES; -- digest: keyed
ALTER TABLE client_grant ADD COLUMN
  mac BYTES; -- digest: keyed
ALTER TABLE issued ADD COLUMN
  mac BYTES; -- digest: keyed
ALTER TABLE consent ADD COLUMN
  mac BYTES; -- digest: keyed
ALTER TABLE signing_key ADD COLUMN
  mac BYTES; -- digest: keyed
