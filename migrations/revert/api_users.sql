BEGIN;
DROP FUNCTION api_right;
DROP TABLE api_user_password, api_hand_over;
DROP FUNCTION api_user_matrix;
DROP TABLE api_user_role, api_user;
DROP FUNCTION api_user_guard, api_user_free_name;
COMMIT;
