-- Since when the registry has not answered, though it was asked; no row: it answered last. Marks as in kept.sql.
CREATE TABLE registry_silence (
  id BIGINT PRIMARY KEY,              -- plain: always 1
  since BIGINT NOT NULL               -- plain
);
