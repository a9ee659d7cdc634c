-- Which failures are open is said once: those that are tried again, wait for a person, or were silenced by one.
CREATE VIEW open_failures AS
SELECT failure_id, service, kind, student_id, class_code, state, call, code, message, service_text, batch, item_index,
       attempts, first_failed_at_ms, last_failed_at_ms, due_at_ms, want, contact, contact_form, run_id
FROM failures
WHERE state IN ('waiting', 'dead', 'ignored');
