-- A one-time code that is live at a telephone or mailbox: whoever asks for one there meanwhile gets the same.
CREATE TABLE live_code (
  id BYTES PRIMARY KEY,               -- digest: keyed, of its purpose and of where it goes
  sealed BYTES NOT NULL,              -- sealed: the digits
  sent BIGINT NOT NULL,               -- plain: when last
  messages BIGINT NOT NULL,           -- plain: how often
  wrong BIGINT NOT NULL,              -- plain: wrong tries in all browsers
  long BIGINT NOT NULL,               -- plain: has it twelve digits
  good_until BIGINT NOT NULL          -- plain
);
CREATE INDEX live_code_end ON live_code (good_until);

ALTER TABLE one_time_code ADD COLUMN
  live BYTES; -- digest: keyed, of the code that is live
CREATE INDEX one_time_code_live ON one_time_code (live);
CREATE INDEX message_at ON message (at);
