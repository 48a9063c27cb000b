-- By what an incremental run finds the rows that concern somebody, and from where on it looks. Rows from before this step have none
-- of it: such a notice, and such a row in quarantine, concerns everybody; after such a run the next one looks at everybody.

ALTER TABLE notice ADD COLUMN
  number_fp BYTES; -- digest
CREATE INDEX notice_number ON notice (load, number_fp);

ALTER TABLE quarantine ADD COLUMN
  name_fp BYTES; -- digest: of the folded name, where it alone tells whose row it is; otherwise empty
ALTER TABLE quarantine ADD COLUMN
  ended_by TEXT; -- plain: the load after which it waits no more; the row goes with the next run over everybody
CREATE INDEX quarantine_code ON quarantine (code_fp);
CREATE INDEX quarantine_number ON quarantine (number_fp);
CREATE INDEX quarantine_name ON quarantine (name_fp);
CREATE INDEX quarantine_ended ON quarantine (ended_by) WHERE ended_by IS NOT NULL;

CREATE INDEX registry_former_number ON registry_former (load, number_fp);

ALTER TABLE run ADD COLUMN
  seen BIGINT; -- plain: the last position of the journal before it; none: it was over some people only
CREATE INDEX run_seen ON run (state, seen);
CREATE INDEX run_day ON run (state, as_of);
CREATE INDEX run_approved ON run (state, approved, as_of);
