-- The history of a subject a page at a time, the newest first: whatever one account did, a page costs the same.
DROP INDEX journal_subject;
CREATE INDEX journal_subject ON journal (subject_kind, subject, at, ord);
