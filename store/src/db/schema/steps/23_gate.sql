-- A notice that was not taken waits by itself, whatever became of others; and a refresh token that is shown again gets the same successor.
-- A signing key that an operator took away is still to be seen. Marks as in 1_kept.sql.

ALTER TABLE client_notice ADD COLUMN
  in_hand BIGINT; -- plain: until when somebody is sending it
ALTER TABLE client_notice ADD COLUMN
  failed BIGINT; -- plain: when it last was not taken
ALTER TABLE issued ADD COLUMN
  follows BYTES; -- digest: of the refresh token that it was given for
ALTER TABLE issued ADD COLUMN
  again BYTES; -- sealed: what its successor was drawn from; none: shown again, it gives nothing
ALTER TABLE signing_key ADD COLUMN
  revoked BIGINT; -- plain: when an operator took it away
CREATE INDEX issued_again ON issued (used) WHERE again IS NOT NULL;
