BEGIN;
SELECT id, tenant_id, username, name_held, vendor, vendor_folded, integration,
    contact_name, contact_email, note, expires_at, state, created_at,
    created_by, disabled_reason, disabled_by_staff, state_at, state_by,
    last_used_at, last_used_address FROM api_user WHERE false;
SELECT api_user_id, role_id, tenant_id FROM api_user_role WHERE false;
SELECT id, api_user_id, token_hash, overlap_s, subscription_id, created_at,
    created_by, expires_at, ended_at, ending FROM api_hand_over WHERE false;
SELECT id, api_user_id, state, mac, mac_version, created_at, created_by,
    hand_over_id, ends_at FROM api_user_password WHERE false;
SELECT 1 / count(*) FROM pg_indexes WHERE indexname = 'api_user_name';
SELECT api_user_matrix(NULL, NULL), api_right(NULL, NULL);
ROLLBACK;
