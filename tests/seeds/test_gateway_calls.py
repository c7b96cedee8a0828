"""What the vendors' pages 001 and 004 say of calls: each step is named by the
sentence that it proves.  How keys are made stands with the portal's pages."""

import json

import pytest

from lib import base, flows, keys
from lib.gateway import Gateway

HEALTH = "/v1/health"
CONVERSATIONS = "/v1/conversations"
PARTNER = (("health:read", HEALTH, "GET"),
           ("conversation:read", CONVERSATIONS, "GET"),
           ("conversation:write", CONVERSATIONS, "POST"))


class Walk:
    def __init__(self, server):
        self.server = server
        flows.client_with_key(server, "STUDIO", "My Studio")
        server.sql("UPDATE tenant SET slug = 'mystudio' "
                   "WHERE code = 'STUDIO'")
        keys.product(server, "cloud", "user-key")
        self.cloud = keys.subscribe(server, "STUDIO", "cloud")
        _, self.user_key = keys.issue(server, self.cloud, "My Integration",
                                      "read:customer", "read:service")
        keys.product(server, "provision", "partner-key", PARTNER)
        self.partner_key = keys.issue(
            server, keys.subscribe(server, "STUDIO", "provision"), "Helpdesk",
            "conversation:read", "health:read", prefix="pk")[1]


@pytest.fixture(scope="module")
def walk(server):
    return Walk(server)


@pytest.fixture
def call(server, walk):
    """Through a gateway that names its product."""
    one = Gateway(server)

    def ask(product, path, *headers, method="GET"):
        return one.ask("/check/envoy" + path, method, [
            ("X-Latchkey-Product", product),
            ("X-Latchkey-Environment", "live"), *headers])
    base.wait_until(lambda: all(ask("provision", HEALTH).status == 403
                                for _ in range(20)), 5, "the products")
    yield ask
    one.close()


def code_of(answer):
    return json.loads(answer.text)["code"]


# -- 001, Making Requests

def test_001_two_headers(walk, call):
    """"Every API request using an API key requires two headers: X-Api-Key ...
    X-Tenant-Name"."""
    key, name = ("X-Api-Key", walk.user_key), ("X-Tenant-Name", "mystudio")
    assert call("cloud", keys.CUSTOMERS, key, name).status == 200
    assert call("cloud", keys.CUSTOMERS, key).status == 401
    assert call("cloud", keys.CUSTOMERS, name).status == 401
    answer = call("cloud", keys.CUSTOMERS, key, ("X-Tenant-Name", "other"))
    assert code_of(answer) == "wrong_tenant"


def test_001_read_only(walk, call):
    """"you could create a key with just read:customer and read:service -
    limiting the key to read-only access"."""
    headers = ("X-Api-Key", walk.user_key), ("X-Tenant-Name", "mystudio")
    for path in (keys.CUSTOMERS, keys.SERVICES):
        assert call("cloud", path, *headers).status == 200
    answer = call("cloud", keys.CUSTOMERS, *headers, method="POST")
    assert answer.status == 403 and "needs scope write:customer" in answer.text


def test_001_rate_limiting(walk, call):
    """"API key requests are rate limited to 200 requests per minute per key.
    If you exceed this limit, you will receive an HTTP 429"."""
    _, text = keys.issue(walk.server, walk.cloud, "Limited", "read:customer")
    headers = ("X-Api-Key", text), ("X-Tenant-Name", "mystudio")
    answer = call("cloud", keys.CUSTOMERS, *headers)
    assert '"key-minute";q=200;w=60' in answer.headers["ratelimit-policy"]
    statuses = [call("cloud", keys.CUSTOMERS, *headers).status
                for _ in range(199)]
    assert set(statuses) == {200}
    base.wait_until(lambda: call("cloud", keys.CUSTOMERS, *headers
                                 ).status == 429, 10, "the limit")


def test_001_deactivate_and_delete(walk, call):
    """"Deactivate a key to temporarily stop it from working ... You can
    reactivate it later. Delete a key to permanently revoke access."."""
    id_, text = keys.issue(walk.server, walk.cloud, "Paused", "read:customer")
    headers = ("X-Api-Key", text), ("X-Tenant-Name", "mystudio")
    for state, status in (("inactive", 403), ("active", 200),
                          ("deleted", 401)):
        walk.server.sql("UPDATE issued_key SET state = %s WHERE id = %s",
                        (state, id_))
        base.wait_until(lambda status=status: call(
            "cloud", keys.CUSTOMERS, *headers).status == status, 5, state)


# -- 004, Sending the key; What the key proves

def test_004_x_api_key(walk, call):
    """"Every Public API request must include the API key as the value of the
    x-api-key HTTP header."."""
    assert call("provision", HEALTH, ("x-api-key", walk.partner_key)
                ).status == 200


def test_004_bearer_is_not_supported(walk, call):
    """"Sending the key via Authorization: Bearer ... is not supported."."""
    assert call("provision", HEALTH, (
        "Authorization", f"Bearer {walk.partner_key}")).status == 403


def test_004_statuses(call):
    """"Sending no key returns 403 Forbidden. Sending a key the gateway does
    not recognise also returns 403 Forbidden."."""
    assert call("provision", HEALTH).status == 403
    for key in ("nonsense", keys.coded("pk"), "f" * 32):
        assert call("provision", HEALTH, ("x-api-key", key)).status == 403


def test_004_what_the_key_proves(walk, call):
    """"Tenancy. ... Allowed operations. ... Throttle bucket."."""
    key = "x-api-key", walk.partner_key
    answer = call("provision", CONVERSATIONS, key)
    assert answer.headers["x-latchkey-tenant"] == "STUDIO"
    assert answer.headers["x-latchkey-scopes"].split() == [
        "health:read", "conversation:read"]
    assert '"key-minute";' in answer.headers["ratelimit"]
    answer = call("provision", CONVERSATIONS, key, method="POST")
    assert answer.status == 403
    assert "needs scope conversation:write" in answer.text


def test_004_revoked_keys_can_no_longer_authenticate(walk, call):
    """"Revoked keys ... can no longer authenticate requests."."""
    walk.server.sql("UPDATE issued_key SET state = 'revoked' "
                    "WHERE name = 'Helpdesk'")
    base.wait_until(lambda: call(
        "provision", HEALTH, ("x-api-key", walk.partner_key)
    ).headers["x-latchkey-code"] == "key_revoked", 5, "the revocation")
