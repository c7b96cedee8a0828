-- What an admin does with API users and roles in a client's place, and a user
-- that goes on for longer, is told to owners and managers.
BEGIN;

INSERT INTO mail_kind (kind, words, optional, reader, path, path_id) VALUES
('api_changed', 'An API user or a role was changed', false, 'contact', '/api-users', '');

COMMIT;
