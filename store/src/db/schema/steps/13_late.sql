-- Who is held by the policy and the day, as far as clients were told. None of it is evidence: a restore begins without it. Marks as in
-- 1_kept.sql.

CREATE TABLE late_account (
  account TEXT PRIMARY KEY,           -- plain: what it had open is ended, and its clients were told
  at BIGINT NOT NULL                  -- plain: when
);

CREATE TABLE late_look (
  id BIGINT PRIMARY KEY,              -- plain: always 1
  as_of TEXT NOT NULL                 -- plain: day and campaign under which all that is open was looked through last
);
