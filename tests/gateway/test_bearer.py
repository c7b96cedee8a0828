"""Tokens in place of keys: what the check makes of them, and how fast a change
of the key ends them."""

import base64
import json

import pytest
from gateway.test_exchange import World, part
from lib import flows, gateway, issued
from lib.base import wait_until
from lib.server import Server

HOST = "X-Revio-Host"


@pytest.fixture(scope="module")
def world(cluster):
    server = Server(cluster, workers=2, settings={
        "TRUSTED_PROXIES": "127.0.0.1", "GATEWAY_URL": "http://api.example"})
    one = World(server)
    flows.client_with_key(server, "OTHER", "Other Works")
    for code, host in (("ACME", "acme.example"), ("OTHER", "other.example")):
        server.sql("INSERT INTO tenant_host SELECT %s, id FROM tenant WHERE "
                   "code = %s", (host, code))
    yield one
    server.close()


def token(world, key=None, **fields):
    key = key or world.key
    answer = world.oauth(key.id, key.text, **fields)
    assert answer.status == 200, answer.text
    return answer.json["access_token"]


def ask(world, text, method="GET", path="/contacts", host="acme.example",
        headers=()):
    return gateway.Gateway(world.server).ask("/check", headers=[
        ("X-Forwarded-Method", method), ("X-Forwarded-Uri", path),
        ("Authorization", f"Bearer {text}"),
        *([(HOST, host)] if host else []), *headers])


def code(*args, **kwargs):
    answer = ask(*args, **kwargs)
    if answer.status == 200:
        return "allowed"
    problem = json.loads(answer.text)
    assert problem["status"] == answer.status
    assert answer.status != 401 or answer.headers["www-authenticate"]
    return problem["code"]


def test_allowed(world):
    text = token(world)
    answer = ask(world, text)
    assert answer.status == 200, answer.text
    assert answer.headers["x-latchkey-tenant"] == "ACME"
    assert answer.headers["x-latchkey-product"] == "psa-api"
    assert code(world, text, "POST") == "allowed"
    assert code(world, text, "DELETE") == "not_permitted"
    assert code(world, text, path="/else") == "not_permitted"
    # As RFC 6750 has it, whatever the case of the scheme.
    one = gateway.Gateway(world.server)
    assert one.ask("/check", headers=[
        ("X-Forwarded-Method", "GET"), ("X-Forwarded-Uri", "/contacts"),
        ("Authorization", f"bearer   {text}"), (HOST, "ACME.example")
    ]).status == 200


def test_narrowed(world):
    """Never more than its scope, and never more than its key by then."""
    text = token(world, scope="contacts:read")
    assert code(world, text) == "allowed"
    assert code(world, text, "POST") == "not_permitted"
    assert code(world, text, path="/customers") == "not_permitted"
    answer = ask(world, text)
    assert answer.headers["x-latchkey-scopes"] == "contacts:read"
    whole = ask(world, token(world))
    assert whole.headers["x-latchkey-scopes"].split() == [
        "contacts:read", "contacts:write", "customers:read"]


def test_hosts(world):
    text = token(world)
    assert code(world, text, host="other.example") == "wrong_tenant"
    assert code(world, text, host="nobody.example") == "wrong_tenant"
    assert code(world, text, host=None) == "missing_tenant"
    world.server.sql("DELETE FROM tenant_host WHERE host = 'acme.example'")
    wait_until(lambda: code(world, text) == "wrong_tenant", 5, "it is gone")
    world.server.sql("INSERT INTO tenant_host SELECT 'acme.example', id FROM "
                     "tenant WHERE code = 'ACME'")
    wait_until(lambda: code(world, text) == "allowed", 5, "it is back")


def test_what_is_no_token_of_ours(world):
    text = token(world)
    head, body, signature = text.split(".")
    claims = part(text, 1)
    claims["sub"] = claims["client_id"] = str(claims["jti"])

    def b64(value):
        return base64.urlsafe_b64encode(
            json.dumps(value).encode()).decode().rstrip("=")
    none = b64({"alg": "none", "typ": "at+jwt", "kid": part(text, 0)["kid"]})
    for wrong in (f"{head}.{b64(claims)}.{signature}", f"{none}.{body}.e",
                  f"{head}.{body}.{signature[:-4]}AAAA",
                  "eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJ4In0.e30"):
        answer = ask(world, wrong)
        assert answer.status == 401
        assert json.loads(answer.text)["code"] == "invalid_token"
        assert answer.headers["www-authenticate"] == (
            'Bearer error="invalid_token"')
    # What is no token at all is as if nothing were there; and a key is sent to
    # the exchange, not to the API.
    assert code(world, "opaque") == "missing_key"
    assert code(world, world.key.text) == "missing_key"
    # Beside a key a token is the API's own.
    assert code(world, text, headers=[
        (gateway.KEY, "0" * 32)]) == "unknown_key"


def test_a_key_of_another_profile_takes_no_token(world):
    text = token(world)
    world.server.sql("UPDATE product SET profile = 'partner-key' WHERE slug = "
                     "'psa-api'")
    wait_until(lambda: code(world, text) == "invalid_token", 5,
               "its tokens are none")
    world.server.sql("UPDATE product SET profile = 'exchange' WHERE slug = "
                     "'psa-api'")
    wait_until(lambda: code(world, text) == "allowed", 5, "they are again")


def test_expired(world):
    """401, that says so, known to the worker or not."""
    server = world.server
    spare = issued.Key(server, world.subscription, "xk", "Short")
    server.sql("UPDATE issued_key SET expires_at = now() + interval '2 s' "
               "WHERE id = %s", (spare.id,))
    text = token(world, spare)
    server.sql("UPDATE issued_key SET expires_at = NULL WHERE id = %s",
               (spare.id,))
    wait_until(lambda: code(world, text) != "allowed", 10, "it is over")
    for _ in range(4):
        answer = ask(world, text)
        assert answer.status == 401
        assert json.loads(answer.text)["code"] == "token_expired"
        assert answer.headers["www-authenticate"].startswith(
            'Bearer error="invalid_token"')
    # Exchanged anew, it goes on.
    assert code(world, token(world, spare)) == "allowed"


@pytest.mark.parametrize("state, wanted", [
    ("inactive", "key_inactive"), ("revoked", "key_revoked")])
def test_its_key_ends_it(world, state, wanted):
    """In all workers, by the notification: nobody waits for the expiry."""
    spare = issued.Key(world.server, world.subscription, "xk", state)
    text = token(world, spare)
    assert all(code(world, text) == "allowed" for _ in range(8))
    spare.set(state)
    wait_until(lambda: code(world, text) == wanted, 5, wanted)
    assert all(code(world, text) == wanted for _ in range(8))


def test_each_change_is_heard(world):
    """Off and on again; how soon is printed by the
    test of speed, tests/gateway/test_speed.py."""
    spare = issued.Key(world.server, world.subscription, "xk", "Quick")
    text = token(world, spare)
    for state in ("inactive", "active") * 4:
        wanted = "key_inactive" if state == "inactive" else "allowed"
        spare.set(state)
        wait_until(lambda: code(world, text) == wanted, 5, wanted)


def test_subscription_and_maker_end_it(world):
    text = token(world)
    server = world.server
    server.sql("UPDATE subscription SET state = 'suspended' WHERE id = %s",
               (world.subscription,))
    wait_until(lambda: code(world, text) == "suspended", 5, "suspended")
    server.sql("UPDATE subscription SET state = 'active' WHERE id = %s",
               (world.subscription,))
    wait_until(lambda: code(world, text) == "allowed", 5, "active")
    server.sql("UPDATE membership m SET role = 'member' FROM tenant t WHERE "
               "t.id = m.tenant_id AND t.code = 'ACME'")
    wait_until(lambda: code(world, text) == "not_permitted", 5,
               "a permission that its maker loses is gone")
    server.sql("UPDATE membership m SET role = 'owner' FROM tenant t WHERE "
               "t.id = m.tenant_id AND t.code = 'ACME'")
    wait_until(lambda: code(world, text) == "allowed", 5, "and comes back")


def test_a_signing_key_that_goes_at_once(world):
    text = token(world)
    assert code(world, text) == "allowed"
    world.server.ctl("signing-key", "rotate")
    wait_until(lambda: code(world, token(world)) == "allowed", 5, "published")
    assert code(world, text) == "allowed"
    world.server.ctl("signing-key", "rotate", "--now")
    wait_until(lambda: code(world, text) == "invalid_token", 5, "all end")
    wait_until(lambda: code(world, token(world)) == "allowed", 5, "anew")


def test_verify(world):
    """A program's own gateway."""
    def verify(**fields):
        answer = world.ask("/v1/verify", json.dumps(
            {"method": "GET", "path": "/contacts", **fields}),
            headers={"Content-Type": "application/json"})
        assert answer.status == 200, answer.text
        return answer.json["code"]
    assert verify(token=token(world), tenant="acme.example") == "allowed"
    assert verify(token=token(world), tenant="other.example") == (
        "wrong_tenant")
    assert verify(token="nonsense", tenant="acme.example") == "invalid_token"
