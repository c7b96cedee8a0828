BEGIN;
SELECT token_words(gen_random_uuid());
SELECT token_matrix(gen_random_uuid(), '{}');
ROLLBACK;
