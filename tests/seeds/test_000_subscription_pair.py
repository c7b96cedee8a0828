"""The vendor's page on subscription keys, walked from top to bottom: each step
is named by the sentence that it proves."""

import pytest

from apiusers import world
from gateway.callers import basic
from lib import base, flows
from lib.gateway import KEY, Gateway

PATH = "/billing/api/v1/contacts"


@pytest.fixture(scope="module")
def walk(server):
    """What the steps leave for those after them."""
    class Walk:
        keeper = flows.staff(server)
    return Walk


@pytest.fixture
def gateway(server):
    one = Gateway(server)
    yield one
    one.close()


def test_sign_up_and_verify_email(server, walk):
    """"Go to our developer portal and sign up / verify email." - "Any
    designated client contact who can sign up"."""
    walk.contact = flows.contact(server, client="Altaworx")
    assert walk.contact.get("/profile").status == 200


def test_navigate_to_products(walk):
    """"Navigate to Products -> Rev.io API"."""
    page = walk.contact.get("/products").expect(200)
    assert "Rev.io API" in page.words
    walk.contact.get("/products/revio-api").expect(200)


def test_naming_pattern(walk):
    """"Create a subscription using the naming pattern CLIENT NAME-KEY(for
    example, Altaworx-KEY)."
    """
    path = "/products/revio-api/subscribe"
    page = walk.contact.get(path).expect(200)
    assert page.form(path).fields["name"] == "Altaworx-KEY"
    wrong = walk.contact.submit(page, {"name": "Altaworx"}, path)
    assert wrong.status == 422
    flows.request_key(walk.contact, "Altaworx-KEY")


def test_typically_within_48_hours(server, walk):
    """"(typically within ~48 hours if it matches the expected format and no
    other keys exist for that client)"."""
    assert "48 hours" in walk.contact.get("/profile").expect(200).words
    assert server.sql("SELECT due_at = submitted_at + interval '48 hours' "
                      "FROM request") == [(True,)]


def test_rev_io_approves(walk):
    """"Rev.io approves the subscription"."""
    path = flows.requests_in_queue(walk.keeper)[-1]
    flows.approve(walk.keeper, path, code="ALTWORX", client="Altaworx"
                  ).expect(303)


def test_profile_show_key(walk):
    """"the user can view the Primary/Secondary subscription keys under
    Profile -> Show key"."""
    walk.keys = [flows.show_key(walk.contact, slot)
                 for slot in ("primary", "secondary")]
    assert walk.keys[0] != walk.keys[1]


def test_only_one_key_per_client_tenant(server, walk):
    """"Only one APIM subscription key per client tenant; additional vendors
    share this key rather than requesting separate keys."."""
    second = flows.contact(server, client="Altaworx")
    flows.request_key(second, "Altaworx-KEY")
    flows.share(walk.keeper, flows.requests_in_queue(walk.keeper)[-1],
                reason="Known to us by phone").expect(303)
    assert flows.show_key(second) == walk.keys[0]
    assert server.sql("SELECT count(*) FROM subscription WHERE state = "
                      "'active'")[0][0] == 1


def test_api_only_users(server, walk):
    """"Create API-only users (for example, FORTAPI@ALTWORX, ...)"."""
    walk.client = client = world.Client.__new__(world.Client)
    client.server, client.owner = server, walk.contact
    client.tenant = server.sql("SELECT id FROM tenant")[0][0]
    page = client.make("FORTAPI").expect(200)
    walk.login = "FORTAPI@ALTWORX", world.password_on(page)
    walk.user = server.sql("SELECT id FROM api_user")[0][0]


def test_assign_roles_and_permissions(walk, gateway):
    """"Assign roles and permissions that govern: which accounts/data are
    visible; which operations (GET, POST, PUT, DELETE) are allowed"."""
    page = walk.client.make("READER", role=walk.client.role("read-only"))
    walk.reader = "READER@ALTWORX", world.password_on(page.expect(200))
    login = basic(*walk.reader)
    assert gateway.check(walk.keys[0], uri=PATH, headers=[login]) == "allowed"
    for method in ("POST", "PUT", "DELETE"):
        assert gateway.check(walk.keys[0], method, PATH, [login]
                             ) == "not_permitted"
        assert gateway.check(walk.keys[0], method, PATH,
                             [basic(*walk.login)]) == "allowed"
    told = gateway.ask("/check/envoy" + PATH, headers=[
        (KEY, walk.keys[0]), login]).headers
    assert told["x-latchkey-accounts"] == "all"


def test_vendor_combines_key_and_basic_auth(walk, gateway):
    """"Vendor combines: Ocp-Apim-Subscription-Key: {customer APIM key} - Basic
    Auth with dedicated API user credentials"."""
    for key in walk.keys:
        assert gateway.check(key, uri=PATH, headers=[basic(*walk.login)]
                             ) == "allowed"
    assert gateway.check(walk.keys[0], uri=PATH) == "missing_api_user"
    assert gateway.check(None, uri=PATH, headers=[basic(*walk.login)]
                         ) == "missing_key"


def test_the_key_is_for_the_client_tenant(walk, gateway):
    """"The APIM key is for the client tenant, not for an individual user or
    vendor."."""
    told = gateway.ask("/check/envoy" + PATH, headers=[
        (KEY, walk.keys[0]), basic(*walk.login)]).headers
    assert told["x-latchkey-tenant"] == "ALTWORX"
    assert told["x-latchkey-product"] == "revio-api"


def test_rate_limits_and_quotas(server, walk, gateway):
    """"the prod-psarevio-apim resource enforces rate limits and quotas"."""
    server.sql("UPDATE product SET calls_a_minute = 2")
    base.wait_until(lambda: gateway.check(
        walk.keys[0], uri=PATH, headers=[basic(*walk.login)]
    ) == "rate_limited", 10, "the limit")
    server.sql("UPDATE product SET calls_a_minute = 1000000")


def test_rotate_api_user_passwords(walk, gateway):
    """"Rotate API user passwords"."""
    old = walk.login
    answer = walk.client.act(walk.user, "rotate", overlap="0").expect(200)
    walk.login = old[0], world.password_on(answer)
    base.wait_until(lambda: gateway.check(
        walk.keys[0], uri=PATH, headers=[basic(*old)]
    ) == "bad_api_user", 10, "the rotation")
    assert gateway.check(walk.keys[0], uri=PATH, headers=[basic(*walk.login)]
                         ) == "allowed"


def test_disable_users(walk, gateway):
    """"disable users when decommissioning an integration"."""
    walk.client.act(walk.user, "disable").expect(303)
    base.wait_until(lambda: gateway.check(
        walk.keys[0], uri=PATH, headers=[basic(*walk.login)]
    ) == "api_user_disabled", 10, "the change")


def test_vendors_never_need_interactive_portal_access(server, walk, gateway):
    """"they only need: The APIM key; The API user credentials for their
    integration" - with which nobody can sign in."""
    assert gateway.check(walk.keys[0], uri=PATH, headers=[
        basic(*walk.reader)]) == "allowed"
    vendor = server.client()
    answer = vendor.submit(vendor.get("/signin").expect(200), {
        "email": walk.reader[0], "password": walk.reader[1]}, "/signin")
    assert answer.status in (401, 422), answer
    assert vendor.get("/profile").status == 303
