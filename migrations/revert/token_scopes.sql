BEGIN;
DROP FUNCTION token_matrix;
DROP FUNCTION token_words;
COMMIT;
