BEGIN;
SELECT waiting_on, waits_since, waited, assigned_to, auto_at, auto_stopped_at,
    auto_stopped_by FROM request WHERE false;
SELECT id, request_id, kind, side, author_id, at, text, outcome
    FROM request_note WHERE false;
SELECT id, request_id, tenant_id, asked_by, asked_at, answer, answered_by,
    answered_at FROM request_consent WHERE false;
SELECT id, title, text, changed_at FROM canned_reason WHERE false;
SELECT 1 / (count(*) = 3)::int FROM pg_trigger WHERE tgname IN
    ('request_clock', 'request_note_end', 'request_consent_guard');
ROLLBACK;
