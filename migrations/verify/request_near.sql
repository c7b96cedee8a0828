BEGIN;
SELECT near_id, near FROM request WHERE false;
ROLLBACK;
