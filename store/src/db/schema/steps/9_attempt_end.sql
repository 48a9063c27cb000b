-- A count of tries says when its span is over, so that it can be swept away.
ALTER TABLE attempt ADD COLUMN
  good_until BIGINT NOT NULL DEFAULT 0; -- plain
