"""Keys for tokens: both ways, what is refused, throttling, and what others need
to verify."""

import base64
import http.client
import json
import subprocess
import time
import urllib.parse

import pytest
from lib import flows, gateways, issued
from lib.base import temp_dir, wait_until
from lib.server import Server

WORDS = {"contacts:read": [("/contacts", "GET")],
         "contacts:write": [("/contacts", "POST")],
         "customers:read": [("/customers", "GET")]}
EXCHANGE = "/api/v1/auth/api-key/exchange"
TOKEN = "/oauth/token"


class World:
    def __init__(self, server):
        self.server = server
        flows.client_with_key(server, "ACME", "Acme")
        issued.product(server, "psa-api", "exchange",
                       {"/contacts": ["GET", "POST"], "/customers": ["GET"]},
                       WORDS)
        self.subscription = flows.subscribe(server, "ACME", "psa-api")
        self.key = issued.Key(server, self.subscription, "xk")

    def ask(self, path, body=b"", method="POST", headers=(), address=None):
        link = http.client.HTTPConnection("127.0.0.1",
                                          self.server.gateway_port, timeout=10)
        headers = dict(headers)
        if address:
            headers["X-Forwarded-For"] = address
        link.request(method, path, body, headers)
        answer = link.getresponse()
        answer.text = answer.read().decode()
        answer.json = (json.loads(answer.text) if answer.text else None)
        link.close()
        return answer

    def exchange(self, key, address=None):
        return self.ask(EXCHANGE, json.dumps({"apiKey": key}),
                        headers={"Content-Type": "application/json"},
                        address=address)

    def oauth(self, client, secret, basic=True, address=None, **fields):
        fields = {"grant_type": "client_credentials", **fields}
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if basic:
            text = base64.b64encode(f"{client}:{secret}".encode()).decode()
            headers["Authorization"] = f"Basic {text}"
        else:
            fields |= {"client_id": client, "client_secret": secret}
        return self.ask(TOKEN, urllib.parse.urlencode(fields),
                        headers=headers, address=address)


def part(token, n):
    text = token.split(".")[n]
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


@pytest.fixture(scope="module")
def world(cluster):
    server = Server(cluster, workers=2, settings={
        "TRUSTED_PROXIES": "127.0.0.1",
        "GATEWAY_URL": "http://api.example"})
    yield World(server)
    server.close()


def verified(world, token, folder):
    """By somebody else's tool, with what is published."""
    keys = world.ask("/.well-known/jwks.json", method="GET")
    assert keys.headers["content-type"] == "application/jwk-set+json"
    assert all("d" not in key for key in keys.json["keys"])
    (folder / "jwks").write_text(keys.text)
    return json.loads(subprocess.run(
        ["jose", "jws", "ver", "-i-", "-k", folder / "jwks", "-O-"],
        input=token, check=True, text=True, stdout=subprocess.PIPE).stdout)


def test_exchange(world, tmp_path):
    answer = world.exchange(world.key.text)
    assert answer.status == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert list(answer.json) == ["data"] and list(answer.json["data"]) == [
        "token"]
    token = answer.json["data"]["token"]
    head, claims = part(token, 0), part(token, 1)
    assert head["typ"] == "at+jwt" and head["alg"] == "ES256"
    assert verified(world, token, tmp_path) == claims
    assert set(claims) == {"iss", "aud", "sub", "client_id", "iat", "exp",
                           "jti", "scope", "tenant", "environment", "whole"}
    assert claims["iss"] == "http://api.example"
    assert claims["aud"] == "psa-api" and claims["tenant"] == "ACME"
    assert claims["sub"] == claims["client_id"] == str(world.key.id)
    assert claims["environment"] == "live" and claims["whole"] is True
    assert claims["scope"] == "contacts:read contacts:write customers:read"
    assert claims["exp"] - claims["iat"] == 900
    assert abs(claims["iat"] - time.time()) < 60
    again = world.exchange(world.key.text).json["data"]["token"]
    assert part(again, 1)["jti"] != claims["jti"]


def test_metadata(world):
    """RFC 8414, and where it leads."""
    found = world.ask("/.well-known/oauth-authorization-server", method="GET")
    assert found.status == 200
    assert found.headers["content-type"] == "application/json"
    assert found.json["issuer"] == "http://api.example"
    assert found.json["token_endpoint"] == "http://api.example" + TOKEN
    assert found.json["jwks_uri"] == "http://api.example/.well-known/jwks.json"
    assert found.json["grant_types_supported"] == ["client_credentials"]
    for path in (".well-known/jwks.json",
                 ".well-known/oauth-authorization-server"):
        answer = world.ask(f"/{path}", b"", method="POST")
        assert answer.status == 405 and answer.headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize("body", [
    b"", b"{", b"{}", b"[]", b"null", b"\"key\"", b'{"apiKey": 7}',
    b'{"apiKey": null}', b'{"apiKey": ""}', b'{"apikey": "x"}',
    b'{"apiKey": ["x"]}', b'{"apiKey": {"a": "x"}}',
    b'{"apiKey": "x", "apiKey": "y"}', b'{"apiKey": "\xff"}',
    b'{"apiKey": "a\\u0000b"}', b"[" * 4000])
def test_junk(world, body):
    answer = world.ask(EXCHANGE, body,
                       headers={"Content-Type": "application/json"})
    assert answer.status == 400, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json["code"] == "bad_request"


def test_wrong_requests(world):
    good = json.dumps({"apiKey": world.key.text})
    kind = {"Content-Type": "application/json"}
    answer = world.ask(EXCHANGE, method="GET")
    assert (answer.status, answer.headers["allow"]) == (405, "POST")
    assert world.ask(EXCHANGE, good).status == 415
    assert world.ask(EXCHANGE, good, headers={
        "Content-Type": "application/jsonx"}).status == 415
    assert world.ask(EXCHANGE, good + " " * 4096, headers=kind).status == 413
    assert world.ask(EXCHANGE, good, headers={
        "Content-Type": "application/json; charset=utf-8"}).status == 200
    assert world.ask(EXCHANGE + "/", good, headers=kind).status == 404


def code(answer):
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json["status"] == answer.status
    assert answer.json["title"] and answer.json["detail"]
    if answer.status == 401:
        assert answer.headers["www-authenticate"]
    return answer.status, answer.json["code"]


def test_keys_that_do_not_do(world):
    server = world.server
    spare = issued.Key(server, world.subscription, "xk", "Spare")
    assert code(world.exchange(issued.coded("xk"), "192.0.2.1")) == (
        401, "unknown_key")
    assert code(world.exchange("x" * 2000, "192.0.2.1")) == (
        401, "unknown_key")
    spare.set("inactive")
    assert code(world.exchange(spare.text)) == (403, "key_inactive")
    refused = world.oauth(spare.id, spare.text)
    assert (refused.status, refused.json["error"]) == (401, "invalid_client")
    assert "deactivated" in refused.json["error_description"]
    spare.set("active")
    assert world.exchange(spare.text).status == 200
    server.sql("UPDATE issued_key SET expires_at = now() WHERE id = %s",
               (spare.id,))
    assert code(world.exchange(spare.text)) == (401, "key_expired")
    # No token outlives its key.
    server.sql("UPDATE issued_key SET expires_at = now() + interval '100 s' "
               "WHERE id = %s", (spare.id,))
    claims = part(world.exchange(spare.text).json["data"]["token"], 1)
    assert 0 < claims["exp"] - claims["iat"] <= 100
    for state, wanted in (("suspended", "suspended"), ("active", None)):
        server.sql("UPDATE subscription SET state = %s WHERE id = %s",
                   (state, world.subscription))
        if wanted:
            assert code(world.exchange(spare.text)) == (403, wanted)
        else:
            assert world.exchange(spare.text).status == 200
    spare.set("revoked")
    assert code(world.exchange(spare.text)) == (401, "key_revoked")


def test_only_profiles_that_take_tokens(world):
    server = world.server
    issued.product(server, "partner", "partner-key", {"/x": ["GET"]})
    key = issued.Key(server, flows.subscribe(server, "ACME", "partner"),
                     "pk", "Partner")
    assert code(world.exchange(key.text)) == (403, "not_exchanged")
    answer = world.oauth(key.id, key.text)
    assert (answer.status, answer.json["error"]) == (400,
                                                     "unauthorized_client")


@pytest.mark.parametrize("basic", [True, False])
def test_client_credentials(world, basic, tmp_path):
    answer = world.oauth(world.key.id, world.key.text, basic)
    assert answer.status == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json["token_type"] == "Bearer"
    assert answer.json["expires_in"] == 900
    assert answer.json["scope"].split() == list(WORDS)
    assert verified(world, answer.json["access_token"],
                    tmp_path)["sub"] == str(world.key.id)
    # scope narrows.
    answer = world.oauth(world.key.id, world.key.text, basic,
                         scope="customers:read contacts:read")
    assert answer.json["scope"] == "customers:read contacts:read"
    claims = part(answer.json["access_token"], 1)
    assert claims["scope"] == "customers:read contacts:read"
    assert claims["whole"] is False


def test_stock_oauth_client(world, monkeypatch):
    """requests-oauthlib, as its manual has it."""
    from oauthlib.oauth2 import BackendApplicationClient, OAuth2Error
    from requests_oauthlib import OAuth2Session
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    url = f"http://127.0.0.1:{world.server.gateway_port}{TOKEN}"
    client = str(world.key.id)
    one = OAuth2Session(client=BackendApplicationClient(client_id=client))
    token = one.fetch_token(url, client_secret=world.key.text)
    assert token["token_type"] == "Bearer" and 0 < token["expires_in"] <= 900
    assert part(token["access_token"], 1)["sub"] == client
    one = OAuth2Session(client=BackendApplicationClient(
        client_id=client, scope=["customers:read"]))
    token = one.fetch_token(url, client_id=client, include_client_id=True,
                            client_secret=world.key.text)
    assert token["scope"] == ["customers:read"]
    with pytest.raises(OAuth2Error) as refused:
        one.fetch_token(url, client_secret=issued.coded("xk"))
    assert refused.value.error == "invalid_client"
    world.server.sql("DELETE FROM throttle")


@pytest.mark.parametrize("name", ["nginx", "caddy", "haproxy"])
def test_through_gateways(world, name):
    """The examples of conf/gateway lead there, and unchecked."""
    folder = temp_dir("gateway")
    api = gateways.serve(gateways.Handler)
    one = gateways.ALL[name](folder, world.server.gateway_port,
                             api.server_address[1])
    try:
        kind = [("Content-Type", "application/json")]
        answer = one.call(EXCHANGE, "POST", json.dumps(
            {"apiKey": world.key.text}).encode(), kind)
        assert answer.status == 200, answer.text
        assert part(json.loads(answer.text)["data"]["token"], 1)["sub"]
        answer = one.call(EXCHANGE, "POST", b"{}", kind)
        assert (answer.status, json.loads(answer.text)["code"]) == (
            400, "bad_request")
        basic = base64.b64encode(
            f"{world.key.id}:{world.key.text}".encode()).decode()
        answer = one.call(TOKEN, "POST", b"grant_type=client_credentials", [
            ("Content-Type", "application/x-www-form-urlencoded"),
            ("Authorization", f"Basic {basic}")])
        assert json.loads(answer.text)["token_type"] == "Bearer"
        # A caller's word for its own address is not believed.
        answer = one.call(EXCHANGE, "POST", json.dumps(
            {"apiKey": issued.coded("xk")}).encode(), [
                *kind, ("X-Forwarded-For", "192.0.2.77")])
        assert answer.status == 401
        assert not world.server.sql("SELECT FROM throttle WHERE key = "
                                    "'192.0.2.77'")
        for path in (".well-known/jwks.json",
                     ".well-known/oauth-authorization-server"):
            answer = one.call(f"/{path}")
            assert answer.status == 200 and json.loads(answer.text)
        # All else is checked as ever.
        for path in ("/.well-known/else", EXCHANGE + "/x", "/oauth/tokens"):
            assert one.call(path).status == 401
    finally:
        one.close()
        api.shutdown()
        world.server.sql("DELETE FROM throttle")


def error(answer):
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert set(answer.json) == {"error", "error_description"}
    return answer.status, answer.json["error"]


def test_client_credentials_refused(world):
    key, form = world.key, {"Content-Type":
                            "application/x-www-form-urlencoded"}
    for scope in ("contacts:delete", "contacts:read nothing:here", "\"",
                  "x" * 2000):
        assert error(world.oauth(key.id, key.text, scope=scope)) == (
            400, "invalid_scope")
    assert error(world.oauth(key.id, key.text, grant_type="password")) == (
        400, "unsupported_grant_type")
    for body in ("", "grant_type=client_credentials",
                 f"grant_type=client_credentials&client_id={key.id}",
                 "grant_type=client_credentials&grant_type=client_credentials"
                 f"&client_id={key.id}&client_secret={key.text}",
                 f"client_id={key.id}&client_secret={key.text}",
                 "grant_type=%zz", "grant_type=client_credentials&client_id="
                 f"%ff&client_secret={key.text}"):
        assert error(world.ask(TOKEN, body, headers=form)) == (
            400, "invalid_request"), body
    # Two ways at once.
    assert error(world.oauth(key.id, key.text, client_secret=key.text)) == (
        400, "invalid_request")
    assert world.ask(TOKEN, method="GET").status == 405
    assert world.ask(TOKEN, "{}", headers={
        "Content-Type": "application/json"}).status == 415
    wrong = world.oauth(key.id, issued.coded("xk"), address="192.0.2.2")
    assert error(wrong) == (401, "invalid_client")
    assert wrong.headers["www-authenticate"].startswith("Basic ")
    # The key of another id.
    other = issued.Key(world.server, world.subscription, "xk", "Another")
    assert error(world.oauth(other.id, key.text, address="192.0.2.2")) == (
        401, "invalid_client")
    assert error(world.oauth("someone", key.text, address="192.0.2.2")) == (
        401, "invalid_client")


def refusals(world, address, keys):
    """Until one is throttled: how many were not, and its Retry-After."""
    for n, key in enumerate(keys):
        answer = world.exchange(key, address)
        if answer.status == 429:
            assert answer.json["code"] == "rate_limited"
            return n, int(answer.headers["retry-after"])
        assert answer.status == 401
    raise AssertionError("never throttled")


def test_throttled_as_a_sign_in_is(world):
    """By network over all workers, and by the first characters; it survives a
    restart, and holds nobody up whose key is right."""
    keys = (issued.coded("xk") for _ in range(100))
    n, wait_s = refusals(world, "192.0.2.3", keys)
    assert n == 20 and 1 <= wait_s <= 2
    assert world.exchange(world.key.text, "192.0.2.3").status == 200
    # Another network, the same characters: a key that is tried all over.
    same = "xk_ABCDEFGH"
    others = [same + issued.coded("xk")[11:] for _ in range(20)]
    n, _ = refusals(world, "192.0.2.4", others)
    assert n == 5
    world.server.sql("UPDATE throttle SET open_at = now() + interval '1 hour' "
                     "WHERE open_at IS NOT NULL")
    world.server.stop_portal()
    world.server.start_portal()
    answer = world.exchange(issued.coded("xk"), "192.0.2.3")
    assert answer.status == 429
    assert 3500 < int(answer.headers["retry-after"]) <= 3600
    answer = world.oauth(world.key.id, issued.coded("xk"),
                         address="192.0.2.3")
    assert error(answer) == (429, "temporarily_unavailable")
    assert world.exchange(issued.coded("xk"), "192.0.2.5").status == 401
    assert world.exchange(world.key.text, "192.0.2.3").status == 200
    stored = world.server.sql("SELECT string_agg(key, ' ') FROM throttle "
                              "WHERE bucket = 'exchange'")[0][0]
    assert "xk_" not in stored


def test_new_signing_keys_are_heard_of(world, tmp_path):
    """Published before they sign; with --now all before is over."""
    server = world.server
    old = part(world.exchange(world.key.text).json["data"]["token"], 0)["kid"]
    server.ctl("signing-key", "rotate")

    def published():
        return [key["kid"] for key in world.ask(
            "/.well-known/jwks.json", method="GET").json["keys"]]
    wait_until(lambda: len(published()) == 2, 5, "both are published")
    token = world.exchange(world.key.text).json["data"]["token"]
    assert part(token, 0)["kid"] == old
    verified(world, token, tmp_path)
    server.settings["LATCHKEY_TOKEN_ALG"] = "RS256"
    server.ctl("signing-key", "rotate", "--now")

    def newest():
        token = world.exchange(world.key.text).json["data"]["token"]
        return part(token, 0)["alg"] == "RS256" and token
    token = wait_until(newest, 5, "the new one signs")
    verified(world, token, tmp_path)
    wait_until(lambda: old not in published(), 5, "the old one is gone")


def test_counted(world):
    world.exchange(world.key.text)
    world.exchange(issued.coded("xk"), "192.0.2.6")
    world.exchange(issued.coded("xk"), "192.0.2.3")
    world.ask(EXCHANGE, method="GET")
    link = http.client.HTTPConnection("127.0.0.1", world.server.gateway_port,
                                      timeout=10)
    link.request("GET", "/metrics")
    text = link.getresponse().read().decode()
    for result in ("issued", "refused", "throttled", "bad_request"):
        assert f'latchkey_gateway_exchanges_total{{result="{result}"}} ' in text
    assert "latchkey_gateway_exchange_duration_seconds_count" in text
    link.close()


def test_without_a_key_that_signs(world):
    world.server.sql("DELETE FROM signing_key")
    try:
        wait_until(lambda: world.exchange(world.key.text).status == 503, 5,
                   "no key signs")
        assert world.exchange(world.key.text).headers["retry-after"] == "2"
        assert any(row["event"] == "signing_key_missing"
                   for row in world.server.log())
    finally:
        world.server.ctl("init")
    wait_until(lambda: world.exchange(world.key.text).status == 200, 5,
               "it signs again")
