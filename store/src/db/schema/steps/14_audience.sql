-- Whom an access token is for besides the client that it was given to (RFC 8707). Marks as in 1_kept.sql.

ALTER TABLE issued ADD COLUMN
  audience TEXT; -- plain: the client that bears the resource, which then stands in `bound`; none: no other client
ALTER TABLE issued ADD COLUMN
  audience_generation BIGINT; -- plain: of that client when the token was given
