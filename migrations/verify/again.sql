BEGIN;
SELECT again_failures FROM session WHERE false;
ROLLBACK;
