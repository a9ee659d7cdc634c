-- While member rows of a class name nobody, whoever went missing from it since then may be in one of them. Who was missing
-- before is not. When a run first saw that nobody wants the account there; NULL while somebody does, and in rows of an
-- earlier version, which did not note it.
ALTER TABLE enrolments ADD COLUMN unwanted_since_ms INTEGER;
