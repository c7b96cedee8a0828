BEGIN;
SELECT closing_note FROM product WHERE false;
SELECT has_function_privilege('latchkey_courier', 'product_end_requests()', 'execute');
SELECT 'product_closed'::regclass;
ROLLBACK;
