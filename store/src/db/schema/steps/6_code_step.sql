-- Which of an operator's one-time codes was used last: none counts twice. Marks as in 1_kept.sql.

CREATE TABLE code_step (
  account TEXT PRIMARY KEY,           -- plain
  step BIGINT NOT NULL                -- plain: half minutes since 1970
);
