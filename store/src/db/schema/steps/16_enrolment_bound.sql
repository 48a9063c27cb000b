-- An enrolment link is bound by a MAC (bound.rs); one of before that is not good any more. Marks as in 1_kept.sql.

ALTER TABLE enrolment ADD COLUMN
  mac BYTES; -- digest: keyed
