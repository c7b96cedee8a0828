-- Staff write to a contact without asking: a mail and a notice of its own.
BEGIN;

INSERT INTO mail_kind (kind, words, optional, reader, path, path_id) VALUES
('request_comment', 'Staff write about your request', true, 'contact',
    '/requests/', 'request_id');

COMMIT;
