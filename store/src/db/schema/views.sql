-- Accounts of a file that is still being taken in are not there yet. One that the journal has as applied is not taken in any more,
-- whatever its row says.
CREATE VIEW account AS
  SELECT a.* FROM account_row a
  WHERE NOT EXISTS (SELECT 1 FROM load l WHERE l.id = a.load AND l.state = 'open' AND NOT EXISTS
    (SELECT 1 FROM journal j WHERE j.subject_kind = 'load' AND j.subject = l.id AND j.kind = 'load-applied'));
