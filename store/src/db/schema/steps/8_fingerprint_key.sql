-- Under which key every fingerprint of this database is: whoever takes one asks here first. Without a row: the first of the keyring.
CREATE TABLE fingerprint_key (
  id BIGINT PRIMARY KEY,              -- plain: always 1
  mark BYTES NOT NULL                 -- digest: by which the key is known
);
