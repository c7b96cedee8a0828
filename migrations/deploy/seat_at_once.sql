-- Whether a client has an owner, as it is at that moment: a statement that has
-- waited for the client's row sees it as it was before it waited, a volatile
-- function in plpgsql sees who was seated meanwhile.
BEGIN;

CREATE FUNCTION tenant_has_owner(p_tenant uuid) RETURNS boolean
	LANGUAGE plpgsql VOLATILE SET search_path = public, pg_temp AS $$
BEGIN
	RETURN EXISTS (SELECT FROM membership
		WHERE tenant_id = p_tenant AND role = 'owner');
END $$;
REVOKE ALL ON FUNCTION tenant_has_owner FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tenant_has_owner TO latchkey_app;

COMMIT;
