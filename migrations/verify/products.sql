BEGIN;
SELECT id, slug, name, summary, description, base_url, example_path, state,
    place, calls_a_minute, calls_a_day, needs_api_user, one_key_per_tenant,
    created_at FROM product WHERE false;
SELECT product_id, place, name, note, path, operations FROM product_resource
    WHERE false;
ROLLBACK;
