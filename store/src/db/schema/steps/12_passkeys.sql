-- When passkeys were last used. Marks as in kept.sql.
CREATE TABLE passkey_use (
  passkey TEXT PRIMARY KEY,           -- plain
  counter BIGINT NOT NULL,            -- plain: of the signatures that its device made; 0: that device does not count
  at BIGINT NOT NULL                  -- plain
);

-- Between our challenge and a device's answer.
CREATE TABLE ceremony (
  id BYTES PRIMARY KEY,               -- digest: keyed, of its name, what it is for and whose it is
  sealed BYTES NOT NULL,              -- sealed
  good_until BIGINT NOT NULL          -- plain
);
