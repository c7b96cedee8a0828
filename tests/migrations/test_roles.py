"""What the two roles of the programs can't do, however they try: this is what
is left of the rules when a program is wrong or in other hands."""

import psycopg2
import pytest
from lib import flows

APP, COURIER = "latchkey_app", "latchkey_courier"
DENIED, UNIQUE, FOREIGN, CHECK = "42501", "23505", "23503", "23514"


@pytest.fixture(scope="module")
def one(server):
    """A portal with one tenant that has a key, and a second product."""
    flows.client_with_key(server)
    server.sql("INSERT INTO product (id, slug, name) VALUES "
               "(gen_random_uuid(), 'second', 'Second API')")
    return server


def refused(one, role, code, statement):
    with pytest.raises(psycopg2.Error) as error:
        one.sql(statement, role=role)
    assert error.value.pgcode == code, f"{statement}: {error.value}"


@pytest.mark.parametrize("role", [APP, COURIER])
@pytest.mark.parametrize("statement", [
    "UPDATE audit SET action = 'x.y'",
    "DELETE FROM audit",
    "TRUNCATE audit",
    "INSERT INTO audit (actor_kind, action, subject_kind, subject_id)"
    " VALUES ('system', 'a.b', 'c', gen_random_uuid())",
    "ALTER TABLE audit DISABLE TRIGGER ALL",
    "SET session_replication_role = replica",
    "SET ROLE latchkey_owner",
    "SET SESSION AUTHORIZATION latchkey_owner",
    "CREATE FUNCTION f() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
    "DELETE FROM public_mail_domain",
    "DELETE FROM sealed_key",
    "DELETE FROM subscription_key",
    "UPDATE tenant_domain SET domain = 'x.example'",
    "UPDATE request_note SET text = 'x'",
    "DELETE FROM request_note",
    "DELETE FROM request_consent",
    "UPDATE request_consent SET tenant_id = tenant_id",
    # a chain of one's own making
    "INSERT INTO audit_link SELECT lane, n + 1, audit_id + 1, hash"
    " FROM audit_link",
    "UPDATE audit_link SET hash = sha256('x')",
    "DELETE FROM audit_link",
    "TRUNCATE audit_link",
    "INSERT INTO audit_head SELECT lane, n + 1, hash FROM audit_head",
    "UPDATE audit_head SET n = n - 1",
    "DELETE FROM audit_head",
    "SELECT audit_append(a) FROM audit a",
    "DROP TRIGGER audit_chain ON audit",
    "ALTER TABLE request DROP CONSTRAINT request_decided",
    "DROP INDEX subscription_one_live",
    # what is never deleted, and what is said once
    "DELETE FROM request",
    "DELETE FROM subscription",
    "DELETE FROM subscription_change",
    "UPDATE subscription_change SET reason = 'x'",
    "UPDATE subscription SET tenant_id = tenant_id",
    "UPDATE subscription SET name = 'x'",
    "UPDATE subscription_key SET mac = mac",
    "DELETE FROM tenant",
    "DELETE FROM tenant_alias",
    "INSERT INTO tenant_alias SELECT 'FORGED', id FROM tenant",
    "DELETE FROM account",
    "DELETE FROM api_user",
    "UPDATE api_user SET username = 'OTHER'",
    "UPDATE api_user SET tenant_id = tenant_id",
    "DELETE FROM api_user_password",
    "DELETE FROM api_hand_over",
    "DELETE FROM product",
    "UPDATE product_terms SET text = 'x'",
    "DELETE FROM product_terms",
    "UPDATE terms_acceptance SET at = now()",
    "DELETE FROM terms_acceptance",
])
def test_denied_to_both(one, role, statement):
    refused(one, role, DENIED, statement)


@pytest.mark.parametrize("statement", [
    "SELECT seating_fall_due(gen_random_uuid())",
    "SELECT product_end_requests()",
    "UPDATE outbox SET state = 'sent'",
    "DELETE FROM outbox",
    "DELETE FROM notice",
    "DELETE FROM reveal",
    "DELETE FROM job",
])
def test_what_only_the_courier_does(one, statement):
    refused(one, APP, DENIED, statement)


def test_two_open_requests_of_a_client(one):
    refused(one, APP, UNIQUE, """
        INSERT INTO request (id, account_id, product_id, tenant_id, name,
            client_folded, due_at)
        SELECT gen_random_uuid(), m.account_id, p.id, m.tenant_id,
            'Altaworx-KEY', 'altaworx', now()
        FROM membership m JOIN product p ON p.slug = 'second',
            generate_series(1, 2)""")


def test_who_writes_the_audit_by_hand_does_not_fork_it(one):
    """Checked at once, at the end, in savepoints that are taken back."""
    connection = one.cluster.connect(one.database, APP)
    connection.autocommit = False
    say = ("SELECT audit_write(t.id, 'system', NULL, 'tenant.changed', "
           "'tenant', t.id) FROM tenant t, generate_series(1, 3)")
    with connection.cursor() as cursor:
        for mode in ("IMMEDIATE", "DEFERRED"):
            cursor.execute(f"SET CONSTRAINTS ALL {mode}")
            cursor.execute(say)
            cursor.execute("SAVEPOINT s")
            cursor.execute(say)
            cursor.execute("ROLLBACK TO s")
            cursor.execute(say)
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute(say)
            connection.commit()
    connection.close()
    assert one.ctl("audit", "verify").returncode == 0
    assert one.sql("SELECT count(*) FROM audit a LEFT JOIN audit_link l ON "
                   "l.audit_id = a.id WHERE l.n IS NULL") == [(0,)]


@pytest.mark.parametrize("column", ["params", "address", "*"])
def test_the_portal_can_not_read_mails(one, column):
    refused(one, APP, DENIED, f"SELECT {column} FROM outbox")


@pytest.mark.parametrize("statement", [
    "SELECT password_hash FROM account",
    "SELECT token_hash FROM signup",
    "SELECT id_hash FROM session",
    "SELECT sealed FROM subscription_key",
    "UPDATE account SET staff_role = 'admin', kind = 'staff'",
    "INSERT INTO membership SELECT id, id, 'owner', 'first' FROM account",
])
def test_the_courier_sees_no_secret(one, statement):
    refused(one, COURIER, DENIED, statement)


SECOND = ("INSERT INTO subscription (id, tenant_id, product_id, one_key, name)"
          " SELECT gen_random_uuid(), t.id, p.id, {one_key}, 'Altaworx-KEY'"
          " FROM tenant t, product p WHERE p.slug = '{slug}'")


@pytest.mark.parametrize("slug, one_key, code", [
    ("revio-api", "true", UNIQUE), ("revio-api", "false", UNIQUE),
    ("second", "true", UNIQUE), ("second", "false", FOREIGN)])
def test_no_second_live_subscription(one, slug, one_key, code):
    """Nor by saying of the product what is not so."""
    refused(one, APP, code, SECOND.format(slug=slug, one_key=one_key))


def test_a_product_with_subscriptions_keeps_its_rule(one):
    refused(one, APP, FOREIGN, "UPDATE product SET one_key_per_tenant = false"
            " WHERE slug = 'revio-api'")
    refused(one, APP, DENIED, "UPDATE subscription SET one_key = false")


def test_a_tenant_keeps_its_code(one):
    refused(one, APP, DENIED, "UPDATE tenant SET code = 'OTHER'")
    refused(one, "latchkey_owner", "LK010", "UPDATE tenant SET code = 'OTHER'")


def test_a_tenant_with_a_live_key_is_not_closed(one):
    refused(one, APP, "LK012", "UPDATE tenant SET state = 'closed', "
            "ended_at = now()")
    refused(one, APP, CHECK, "UPDATE tenant SET state = 'merged', "
            "ended_at = now()")
    refused(one, APP, DENIED, "UPDATE tenant SET merged_into = id")


@pytest.mark.parametrize("statement", [
    "UPDATE membership SET tenant_id = t.id FROM tenant t WHERE t.code = 'END'",
    "INSERT INTO subscription (id, tenant_id, product_id, one_key, name)"
    " SELECT gen_random_uuid(), t.id, p.id, true, 'End-KEY' FROM tenant t,"
    " product p WHERE t.code = 'END' AND p.slug = 'revio-api'",
    "INSERT INTO request (id, account_id, product_id, tenant_id, name,"
    " client_folded, due_at) SELECT gen_random_uuid(), m.account_id, p.id,"
    " t.id, 'End-KEY', 'end', now() FROM membership m, tenant t, product p"
    " WHERE t.code = 'END' AND p.slug = 'revio-api'",
    "INSERT INTO invitation (id, tenant_id, role, email, email_folded,"
    " email_domain, invited_by, token_hash) SELECT gen_random_uuid(), t.id,"
    " 'member', 'a@b.c', 'a@b.c', 'b.c', m.account_id, '' FROM membership m,"
    " tenant t WHERE t.code = 'END'",
])
def test_a_closed_tenant_takes_nothing_in(one, statement):
    one.sql("INSERT INTO tenant (id, code, name, name_folded, slug, state,"
            " ended_at) VALUES (gen_random_uuid(), 'END', 'End', 'end', 'end',"
            " 'closed', now()) ON CONFLICT DO NOTHING")
    refused(one, APP, "40001", statement)


@pytest.mark.parametrize("domain, code", [
    ("gmail.com", "LK011"), ("gmail.com.", CHECK), (".gmail.com", CHECK),
    ("GMAIL.com", CHECK), ("gmail..com", CHECK), ("gmail.com\n", CHECK)])
def test_public_mail_is_nobodys_domain(one, domain, code):
    with pytest.raises(psycopg2.Error) as error:
        one.sql("INSERT INTO tenant_domain SELECT id, %s FROM tenant",
                (domain,), role=APP)
    assert error.value.pgcode == code


def test_a_temporary_table_does_not_stand_in_for_the_list(cluster):
    """Where whoever made the database left TEMPORARY to everybody."""
    database = cluster.database("bare")
    try:
        cluster.sql("postgres", f"GRANT TEMPORARY ON DATABASE {database} TO "
                    "PUBLIC", role="postgres")
        cluster.sql(database, "INSERT INTO tenant (id, code, name, "
                    "name_folded, slug) VALUES (gen_random_uuid(), 'AB', 'Ab',"
                    " 'ab', 'ab')")
        with pytest.raises(psycopg2.Error) as error:
            cluster.sql(database, "CREATE TEMPORARY TABLE public_mail_domain "
                        "(domain text); INSERT INTO tenant_domain "
                        "SELECT id, 'gmail.com' FROM tenant", role=APP)
        assert error.value.pgcode == "LK011"
    finally:
        cluster.drop(database)


def test_functions_that_lend_rights_are_safe(one):
    """Their path is set, and not everybody may call them."""
    found = one.sql("""
        SELECT p.proname, p.proconfig, has_function_privilege('public', p.oid,
            'EXECUTE') FROM pg_proc p WHERE p.prosecdef
            AND p.pronamespace = 'public'::regnamespace ORDER BY 1""")
    assert found == [(name, ["search_path=public, pg_temp"], False)
                     for name in ("account_close", "account_enabled",
                                  "audit_chain", "audit_write",
                                  "data_key_retire",
                                  "mail_queue", "mail_unsubscribe",
                                  "notice_digests", "notice_forget",
                                  "product_end_requests",
                                  "request_approve_by_checks",
                                  "request_note_end",
                                  "seating_fall_due", "stamp_account",
                                  "stamp_all_sessions", "stamp_change",
                                  "stamp_key",
                                  "stamp_notice",
                                  "stamp_of_account", "stamp_people",
                                  "stamp_person", "stamp_product",
                                  "stamp_request", "stamp_sessions",
                                  "stamp_subscription", "stamp_tenant",
                                  "tenant_merge", "tenant_state_guard",
                                  "tenant_takes_in")]


def test_public_has_nothing(one):
    assert one.sql("""
        SELECT table_name, privilege_type
        FROM information_schema.table_privileges
        WHERE grantee = 'PUBLIC' AND table_schema IN ('public', 'sqitch')
        UNION ALL SELECT table_name, column_name
        FROM information_schema.column_privileges
        WHERE grantee = 'PUBLIC' AND table_schema IN ('public', 'sqitch')
        """) == []
    assert one.sql("SELECT has_schema_privilege('public', 'public', 'USAGE')"
                   ) == [(False,)]
