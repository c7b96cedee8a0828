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
    """"Create API-only users (for example, FORTAPI@ALTWORX, ...)" - "Assign
    roles and permissions"."""
    client = world.Client.__new__(world.Client)
    client.server, client.owner = server, walk.contact
    client.tenant = server.sql("SELECT id FROM tenant")[0][0]
    page = client.make("FORTAPI").expect(200)
    walk.login = "FORTAPI@ALTWORX", world.password_on(page)


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


def test_disable_users(server, walk, gateway):
    """"disable users when decommissioning an integration"."""
    server.sql("UPDATE api_user SET state = 'disabled'")
    base.wait_until(lambda: gateway.check(
        walk.keys[0], uri=PATH, headers=[basic(*walk.login)]
    ) == "api_user_disabled", 10, "the change")
