-- Closing an account: whatever names the person goes, ids stay.  The portal's
-- role may not delete sign-ups or mails by itself, so the function has the
-- owner's rights; it does what it does for one account and its password alone.
BEGIN;

-- 'closed'; 'owner': the last one of a client with a living key; 'admin': the
-- last one; 'changed': not active, or the password is another one by now.
CREATE FUNCTION account_close(p_account uuid, p_password_hash text)
	RETURNS text
	LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
	v_tenant	uuid;
	v_role		text;
	v_staff_role	text;
	v_email		text;
	v_folded	text;
BEGIN
	-- Who decides on owners holds the rows of all owners, who decides on
	-- admins those of all admins, in the order of ids: of the last two who
	-- leave at once, one stays.
	SELECT tenant_id INTO v_tenant FROM membership
	    WHERE account_id = p_account;
	PERFORM FROM membership WHERE tenant_id = v_tenant
	    AND (role = 'owner' OR account_id = p_account)
	    ORDER BY account_id FOR UPDATE;
	PERFORM FROM account WHERE staff_role = 'admin' AND state = 'active'
	    AND EXISTS (SELECT FROM account WHERE id = p_account
	    AND staff_role = 'admin')
	    ORDER BY id FOR NO KEY UPDATE;

	SELECT staff_role INTO v_staff_role FROM account
	    WHERE id = p_account AND state = 'active'
	    AND password_hash = p_password_hash FOR UPDATE;
	IF NOT FOUND THEN
		RETURN 'changed';
	END IF;
	SELECT role INTO v_role FROM membership WHERE account_id = p_account;
	IF v_role = 'owner' AND NOT EXISTS (SELECT FROM membership m
	    JOIN account a ON a.id = m.account_id AND a.state = 'active'
	    WHERE m.tenant_id = v_tenant AND m.role = 'owner'
	    AND m.account_id <> p_account)
	    AND EXISTS (SELECT FROM subscription WHERE tenant_id = v_tenant
	    AND state IN ('active', 'suspended')) THEN
		RETURN 'owner';
	END IF;
	IF v_staff_role = 'admin' AND NOT EXISTS (SELECT FROM account
	    WHERE staff_role = 'admin' AND state = 'active'
	    AND id <> p_account) THEN
		RETURN 'admin';
	END IF;

	SELECT email, email_folded INTO v_email, v_folded FROM person
	    WHERE account_id = p_account;
	PERFORM audit_write(r.tenant_id, 'account', p_account,
	    'request.withdrawn', 'request', r.id) FROM request r
	    WHERE r.account_id = p_account AND r.state = 'submitted';
	UPDATE request SET state = 'withdrawn', decided_at = now(),
	    decided_by = p_account
	    WHERE account_id = p_account AND state = 'submitted';
	DELETE FROM outbox o WHERE o.state = 'queued'
	    AND (o.account_id = p_account OR o.address = v_email
	    OR lower(o.address) = v_folded OR o.address IN (SELECT old_email
	    FROM email_change WHERE account_id = p_account));
	DELETE FROM signup WHERE email_folded = v_folded OR email_folded IN
	    (SELECT old_folded FROM email_change WHERE account_id = p_account);
	DELETE FROM recovery WHERE account_id = p_account
	    OR email_folded = v_folded;
	DELETE FROM join_ask WHERE account_id = p_account;
	DELETE FROM invitation WHERE email_folded = v_folded;
	DELETE FROM email_change WHERE account_id = p_account
	    OR email_folded = v_folded;
	DELETE FROM session WHERE account_id = p_account;
	DELETE FROM pending_signin WHERE account_id = p_account;
	DELETE FROM totp WHERE account_id = p_account;
	DELETE FROM recovery_code WHERE account_id = p_account;
	DELETE FROM known_device WHERE account_id = p_account;
	DELETE FROM membership WHERE account_id = p_account;
	DELETE FROM person WHERE account_id = p_account;
	UPDATE account SET state = 'closed', password_hash = '*'
	    WHERE id = p_account;
	-- The address stays in this mail alone, until it is sent.
	PERFORM mail_queue('account_closed', NULL, v_email);
	PERFORM audit_write(v_tenant, 'account', p_account, 'account.closed',
	    'account', p_account);
	RETURN 'closed';
END $$;
REVOKE ALL ON FUNCTION account_close FROM PUBLIC;
GRANT EXECUTE ON FUNCTION account_close TO latchkey_app;

COMMIT;
