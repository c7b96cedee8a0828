"""A vendor's page for profile `exchange`, from its top to its bottom: each test
is named by the sentence that it proves.  Calls go through nginx with the example
of conf/gateway, to an API that says what came to it."""

import json
import subprocess

import pytest
from lib import flows, gateways, issued
from lib.base import clean_env, temp_dir, wait_until
from lib.server import Server

HOST = "acme.psarev.example"
EXCHANGE = "/api/v1/auth/api-key/exchange"
CONTACTS, CUSTOMERS = "/billing/api/v1/contacts", "/billing/api/v1/customers"
JSON = ("Content-Type", "application/json")
SCRIPT = r"""#!/bin/bash
API_KEY="your-api-key-here"
BASE_URL="https://api.psarev.io"
REVIO_HOST="acme.psarev.io"
# Step 1: Exchange API key for JWT token
RESPONSE=$(curl -s -X POST "$BASE_URL/api/v1/auth/api-key/exchange" -H "Content-Type: application/json" -d '{"apiKey": "'$API_KEY'"}' )
# Step 2: Extract token
TOKEN=$(echo "$RESPONSE" | jq -r '.data.token')
# Step 3: Make API request
curl -X GET "$BASE_URL/billing/api/v1/contacts" -H "Authorization: Bearer $TOKEN" -H "X-Revio-Host: $REVIO_HOST" -H "Content-Type: application/json"
"""


class Page:
    def __init__(self, server):
        self.server = server
        flows.client_with_key(server, "ACME", "Acme")
        flows.client_with_key(server, "OTHER", "Other Works")
        issued.product(server, "psa-api", "exchange",
                       {CONTACTS: ["GET"], CUSTOMERS: ["GET"]})
        for code, host in (("ACME", HOST), ("OTHER", "other.example")):
            server.sql("INSERT INTO tenant_host SELECT %s, id FROM tenant "
                       "WHERE code = %s", (host, code))
        self.subscription = flows.subscribe(server, "ACME", "psa-api")
        self.key = issued.Key(server, self.subscription, "xk")
        self.api = gateways.serve(gateways.Handler)
        self.nginx = gateways.Nginx(temp_dir("gateway"), server.gateway_port,
                                    self.api.server_address[1])

    def exchange(self, key):
        return self.nginx.call(EXCHANGE, "POST", json.dumps(
            {"apiKey": key}).encode(), [JSON])

    def token(self, key=None):
        answer = self.exchange((key or self.key).text)
        assert answer.status == 200, answer.text
        return json.loads(answer.text)["data"]["token"]

    def call(self, path, token, host=HOST):
        return self.nginx.call(path, headers=[
            ("Authorization", f"Bearer {token}"), ("X-Revio-Host", host),
            JSON])

    def close(self):
        self.nginx.close()
        self.api.shutdown()
        self.server.close()


@pytest.fixture(scope="module")
def page(cluster):
    one = Page(Server(cluster, workers=2, settings={
        "TRUSTED_PROXIES": "127.0.0.1"}))
    yield one
    one.close()


def test_api_keys_are_created_by_system_administrators_via_admin_api_management(
        page):
    """The menu's words are the profile's, and so is who makes keys."""
    assert page.server.sql("SELECT menu, makers, scopes FROM key_profile "
                           "WHERE name = 'exchange'") == [
        (["Admin", "API Management"], "administrators", "maker")]


def test_access_controls_applied_based_on_the_key_creators_permissions(page):
    token = page.token()
    assert page.call(CUSTOMERS, token).status == 200
    make = ("UPDATE membership m SET role = %s FROM tenant t WHERE t.id = "
            "m.tenant_id AND t.code = 'ACME'")
    page.server.sql(make, ("manager",))
    role = page.server.sql(
        "INSERT INTO membership_role SELECT m.account_id, r.id, r.tenant_id "
        "FROM membership m JOIN tenant t ON t.id = m.tenant_id AND t.code = "
        "'ACME' JOIN api_role r ON r.tenant_id = t.id AND r.preset = "
        "'read-only' RETURNING role_id")[0][0]
    page.server.sql("DELETE FROM api_role_grant g USING product_resource r "
                    "WHERE g.role_id = %s AND r.id = g.resource_id AND "
                    "r.path = %s", (role, CUSTOMERS))
    page.server.sql(
        "INSERT INTO api_role_grant (tenant_id, role_id, resource_id, "
        "operation) SELECT a.tenant_id, a.id, r.id, 'GET' FROM api_role a, "
        "product_resource r WHERE a.id = %s AND r.path = %s "
        "ON CONFLICT DO NOTHING", (role, CONTACTS))
    wait_until(lambda: page.call(CUSTOMERS, token).status == 403, 5,
               "what the creator may not any more")
    assert page.call(CONTACTS, token).status == 200
    page.server.sql(make, ("owner",))
    wait_until(lambda: page.call(CUSTOMERS, token).status == 200, 5, "again")


def test_step_1_exchange_api_key_for_jwt_token(page):
    answer = page.exchange(page.key.text)
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert list(json.loads(answer.text)) == ["data"]


def test_step_2_the_token_is_located_at_the_json_path_data_token(page):
    token = json.loads(page.exchange(page.key.text).text)["data"]["token"]
    assert token.startswith("eyJ") and token.count(".") == 2


def test_step_3_authorization_and_x_revio_host_for_all_subsequent_calls(page):
    token = page.token()
    answer = page.call(CONTACTS, token)
    assert answer.status == 200
    assert json.loads(answer.text)["headers"]["x-latchkey-tenant"] == "ACME"
    assert page.call(CONTACTS, token, "other.example").status == 403
    assert page.nginx.call(CONTACTS, headers=[
        ("Authorization", f"Bearer {token}"), JSON]).status == 401
    assert page.nginx.call(CONTACTS, headers=[
        ("X-Revio-Host", HOST), JSON]).status == 401


@pytest.mark.parametrize("path", [CONTACTS, f"{CONTACTS}/17", CUSTOMERS,
                                  f"{CUSTOMERS}/4711"])
def test_api_endpoint_examples(page, path):
    answer = page.call(path, page.token())
    assert answer.status == 200
    assert json.loads(answer.text)["path"] == path


def test_complete_script_example_bash(page):
    """Unchanged but for key, base URL and host."""
    script = SCRIPT
    for old, new in (("your-api-key-here", page.key.text),
                     ("https://api.psarev.io",
                      f"http://127.0.0.1:{page.nginx.port}"),
                     ("acme.psarev.io", HOST)):
        assert script.count(old) == 1
        script = script.replace(old, new)
    path = page.server.dir / "script.sh"
    path.write_text(script)
    done = subprocess.run(["bash", path], env=clean_env(), text=True,
                          capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    came = json.loads(done.stdout)
    assert came["path"] == CONTACTS and came["method"] == "GET"
    assert came["headers"]["x-latchkey-tenant"] == "ACME"
    assert "authorization" not in came["headers"]


def test_an_http_4xx_error_is_returned_if_the_api_key_is_invalid(page):
    for key in ("your-api-key-here", issued.coded("xk"), page.key.text[:-1]):
        answer = page.exchange(key)
        assert 400 <= answer.status < 500
        assert json.loads(answer.text)["code"] == "unknown_key"
    page.server.sql("DELETE FROM throttle")


def test_if_you_receive_a_401_re_exchange_your_api_key_for_a_new_token(page):
    ends = "UPDATE issued_key SET expires_at = {} WHERE id = %s"
    page.server.sql(ends.format("now() + interval '2 s'"), (page.key.id,))
    token = page.token()
    page.server.sql(ends.format("NULL"), (page.key.id,))
    wait_until(lambda: page.call(CONTACTS, token).status == 401, 10,
               "it has expired")
    answer = page.call(CONTACTS, token)
    assert json.loads(answer.text)["code"] == "token_expired"
    assert page.call(CONTACTS, page.token()).status == 200


def test_token_rotation_regularly_exchange_for_new_tokens(page):
    old, new = page.token(), page.token()
    assert old != new
    assert page.call(CONTACTS, old).status == 200
    assert page.call(CONTACTS, new).status == 200


def test_https_only_always_use_https_for_api_requests(page):
    """In production another address than https:// is none."""
    env = page.server.settings | {"LATCHKEY_MODE": "production",
                                  "LATCHKEY_PUBLIC_URL": "https://x.example",
                                  "LATCHKEY_GATEWAY_URL": "http://x.example"}
    done = subprocess.run([page.server.build / "latchkeyctl", "doctor"],
                          env=clean_env(**env), text=True, capture_output=True)
    assert done.returncode == 2 and "LATCHKEY_GATEWAY_URL" in done.stderr


def test_dont_log_tokens_avoid_logging_jwt_tokens_in_plain_text(page):
    token = page.token()
    assert page.call(CONTACTS, token).status == 200
    for text in (page.server.raw_log(),
                 (page.nginx.dir / "gateway.log").read_text()):
        assert token not in text and token.split(".")[1] not in text
        assert page.key.text not in text
