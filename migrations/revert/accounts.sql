BEGIN;
DROP FUNCTION signup_next_at;
DROP FUNCTION throttle_hit;
DROP FUNCTION throttle_wait;
DROP TABLE throttle, known_network, session, signup, person, account;
COMMIT;
