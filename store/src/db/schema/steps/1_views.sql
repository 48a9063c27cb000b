-- Accounts of a file that is still being taken in are not there yet.
CREATE VIEW account AS
  SELECT a.* FROM account_row a
  WHERE NOT EXISTS (SELECT 1 FROM load l WHERE l.id = a.load AND l.state = 'open');
