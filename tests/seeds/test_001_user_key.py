"""A vendor's page for profile `user-key`, from its top to its bottom: each
step is named by the sentence that it proves.  A person without any office at the
client makes the keys, on the portal's pages; calls go to the gateway."""

import datetime
import json
import re
import subprocess

import pytest

from lib import base, flows, gateways
from lib.gateway import Gateway

CUSTOMERS, SERVICES = "/api/v2/customers", "/api/v2/services"
SCOPES = (("read:customer", "GET", CUSTOMERS),
          ("write:customer", "POST", CUSTOMERS),
          ("read:service", "GET", SERVICES),
          ("write:service", "POST", SERVICES))
# "if your user has read:customer, write:customer, and read:service"
MAY = (("GET", CUSTOMERS), ("POST", CUSTOMERS), ("GET", SERVICES))
EXAMPLE = ('curl -X GET "https://cloudappapi.rev23.com/api/v2/customers" '
           '-H "X-Api-Key: ca_a1b2c3d4e5f6..." -H "X-Tenant-Name: mystudio"')


class Walk:
    def __init__(self, server):
        self.server = server
        self.owner = flows.scoped_client(server, "user-key", SCOPES)
        server.sql("UPDATE tenant SET slug = 'mystudio' WHERE code = %s",
                   (self.owner.code,))
        server.sql("UPDATE product SET calls_a_minute = 1000000 "
                   "WHERE slug = %s", (self.owner.slug,))
        self.person = flows.colleague(server, self.owner)
        flows.give_role(server, self.owner, self.person, "Desk", MAY)
        self.keys_page = f"/subscriptions/{self.owner.subscription}"
        self.gateway = Gateway(server, **{
            "X-Latchkey-Product": self.owner.slug,
            "X-Latchkey-Environment": "live"})
        self.text = None

    def make(self, name, *scopes, **fields):
        return flows.issued_key(self.person, self.owner.subscription, name,
                                scopes, **fields)

    def deed(self, name, deed):
        flows.issued_deed(self.person, self.owner.subscription, name,
                          deed).expect(303)

    def list(self):
        return self.person.get(self.keys_page).expect(200)

    def call(self, text, path=CUSTOMERS, method="GET", tenant="mystudio"):
        headers = [("X-Api-Key", text)] if text else []
        headers += [("X-Tenant-Name", tenant)] if tenant else []
        return self.gateway.ask("/check/envoy" + path, method, headers)

    def becomes(self, status, text, path=CUSTOMERS):
        base.wait_until(lambda: self.call(text, path).status == status, 10,
                        f"{status} for {path}")


def code_of(answer):
    return json.loads(answer.text)["code"]


@pytest.fixture(scope="module")
def walk(server):
    one = Walk(server)
    yield one
    one.gateway.close()


# -- API Keys; Creating an API Key


def test_navigate_to_your_api_keys_settings(walk):
    """"API keys are created in REV23 Cloud. Navigate to your API Keys
    settings"."""
    page = walk.person.get("/keys").expect(200)
    assert "API Keys" in page.words and walk.keys_page in page.text
    assert "<h1>API Keys</h1>" in walk.list().text


def test_create_a_new_key_by_providing_name_and_permissions(walk):
    """"create a new key by providing: Name - A display name ... Permissions -
    Select which permissions to grant."."""
    form = walk.list().form("/issued$")
    assert form.fields["name"] == "" and "scope" not in form.fields
    answer = flows.make_issued(walk.person, walk.owner.subscription, "",
                               ["read:customer"])
    answer.expect(422)
    flows.make_issued(walk.person, walk.owner.subscription, "Nothing",
                      []).expect(422)


def test_must_be_a_subset_of_your_own_user_permissions(walk):
    assert re.findall(r'name="scope" value="([^"]*)"', walk.list().text) == [
        "read:customer", "write:customer", "read:service"]
    flows.make_issued(walk.person, walk.owner.subscription, "Beyond",
                      ["read:customer", "write:service"]).expect(422)


def test_after_creation_the_full_api_key_is_displayed(walk):
    walk.text = walk.make("My Integration", "read:customer", "read:service")
    assert re.fullmatch(r"ca_[0-9A-Za-z]{36}", walk.text)


def test_this_is_the_only_time_the_key_is_shown(walk):
    """"Copy and store it securely - it cannot be retrieved again."."""
    for page in (walk.list(), walk.person.get("/keys"),
                 flows.issued_page(walk.person, walk.owner.subscription,
                                   "My Integration")):
        assert walk.text not in page.expect(200).text
    assert walk.server.sql(
        "SELECT v.sealed IS NULL FROM subscription_key v JOIN issued_key k "
        "ON k.id = v.key_id WHERE k.name = 'My Integration'") == [(True,)]


def test_identify_the_key_later_by_its_first_12_characters_in_the_list(walk):
    words = walk.list().words
    assert "My Integration" in words and walk.text[:12] + "…" in words


def test_access_the_api_from_your_own_applications_and_scripts(walk):
    walk.becomes(200, walk.text)
    told = walk.call(walk.text).headers
    assert told["x-latchkey-product"] == walk.owner.slug
    assert told["x-latchkey-tenant"] == walk.owner.code


# -- Making Requests; Example


def test_every_request_requires_two_headers(walk):
    """"Every API request using an API key requires two headers: X-Api-Key ...
    X-Tenant-Name"."""
    assert walk.call(walk.text).status == 200
    assert walk.call(walk.text, tenant=None).status == 401
    assert walk.call(None).status == 401


def test_x_tenant_name_is_your_cloud_studio_name(walk):
    """"if your studio is at mystudio.rev23.com, use mystudio"."""
    assert "mystudio in X-Tenant-Name" in walk.list().words
    assert code_of(walk.call(walk.text, tenant="other")) == "wrong_tenant"


def test_example(walk):
    """Unchanged but for key and base URL, through nginx to an API."""
    api = gateways.serve(gateways.Handler)
    nginx = gateways.Nginx(base.temp_dir("gateway"), walk.server.gateway_port,
                           api.server_address[1])
    try:
        script = EXAMPLE
        for old, new in (("https://cloudappapi.rev23.com",
                          f"http://127.0.0.1:{nginx.port}"),
                         ("ca_a1b2c3d4e5f6...", walk.text)):
            assert script.count(old) == 1
            script = script.replace(old, new)
        done = subprocess.run(["bash", "-c", script], env=base.clean_env(),
                              text=True, capture_output=True, timeout=60)
        assert done.returncode == 0, done.stderr
        came = json.loads(done.stdout)
        assert came["path"] == CUSTOMERS and came["method"] == "GET"
        assert came["headers"]["x-latchkey-tenant"] == walk.owner.code
        assert walk.text not in done.stdout
    finally:
        nginx.close()
        api.shutdown()


# -- Permissions


def test_a_key_with_just_read_customer_and_read_service(walk):
    """"you could create a key with just read:customer and read:service -
    limiting the key to read-only access."."""
    for path in (CUSTOMERS, SERVICES):
        assert walk.call(walk.text, path).status == 200
    answer = walk.call(walk.text, method="POST")
    assert answer.status == 403 and "needs scope write:customer" in answer.text


def test_each_key_is_tied_to_a_specific_user(walk):
    """"... and carries a subset of that user's permissions." - "API keys use
    the same permission system as user accounts."."""
    role = ("FROM api_role_grant g USING api_role r, product_resource s WHERE "
            "r.id = g.role_id AND r.name = 'Desk' AND s.id = g.resource_id "
            "AND s.path = %s")
    walk.server.sql(f"DELETE {role}", (SERVICES,))
    walk.becomes(403, walk.text, SERVICES)
    assert walk.call(walk.text).status == 200
    assert "has lost permissions" in walk.list().words
    walk.server.sql(
        "INSERT INTO api_role_grant (role_id, tenant_id, resource_id, "
        "operation) SELECT r.id, r.tenant_id, s.id, 'GET' FROM api_role r, "
        "product_resource s WHERE r.name = 'Desk' AND s.path = %s",
        (SERVICES,))
    walk.becomes(200, walk.text, SERVICES)


# -- Rate Limiting


def test_rate_limited_to_200_requests_per_minute_per_key(walk):
    """"If you exceed this limit, you will receive an HTTP 429 (Too Many
    Requests) response."."""
    assert "200 times a minute" in walk.list().words
    text = walk.make("Limited", "read:customer")
    answer = walk.call(text)
    assert '"key-minute";q=200;w=60' in answer.headers["ratelimit-policy"]
    assert {walk.call(text).status for _ in range(199)} == {200}
    walk.becomes(429, text)
    assert walk.call(walk.text).status == 200


# -- Managing Keys


def test_manage_from_the_same_settings_page(walk):
    """"You can manage your API keys from the same settings page where you
    created them."."""
    page = walk.list()
    for deed in ("deactivate", "delete"):
        assert page.has_form(f"/issued-keys/[^/]*/{deed}$")
    assert page.has_form("/issued$")


def test_deactivate_a_key_to_temporarily_stop_it_from_working(walk):
    """"... without deleting it. You can reactivate it later."."""
    walk.deed("My Integration", "deactivate")
    walk.becomes(403, walk.text)
    assert code_of(walk.call(walk.text)) == "key_inactive"
    assert "Deactivated" in walk.list().words
    walk.deed("My Integration", "activate")
    walk.becomes(200, walk.text)


def test_delete_a_key_to_permanently_revoke_access(walk):
    text = walk.make("Short life", "read:customer")
    walk.becomes(200, text)
    walk.deed("Short life", "delete")
    walk.becomes(401, text)
    assert "Short life" not in walk.list().words


# -- Security Best Practices


def test_store_keys_securely_and_treat_api_keys_like_passwords(walk):
    """"Do not commit them to source control or expose them in client-side
    code." - advice, which the page gives."""
    words = walk.list().words
    assert "Store it as you would a password, never in code." in words
    assert walk.text not in walk.server.raw_log()


def test_use_minimal_permissions(walk):
    """"Only grant the permissions your integration actually needs." - advice:
    none is chosen before, and whoever chooses all is asked."""
    page = walk.list()
    assert "Choose the least that the integration needs." in page.words
    assert not re.search(r'name="scope"[^>]* checked', page.text)
    answer = flows.make_issued(walk.person, walk.owner.subscription, "", [
        "read:customer", "write:customer", "read:service"])
    assert "Everything is chosen" in answer.expect(422).words


def test_set_expiration_dates(walk):
    """"Set expiration dates for keys used in temporary or time-limited
    integrations."."""
    day = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=30)
    text = walk.make("Temporary", "read:customer", expires=f"{day:%Y-%m-%d}")
    assert f"until {day.day} {day:%B %Y}" in walk.list().words
    walk.becomes(200, text)
    walk.server.sql("UPDATE issued_key SET expires_at = now() "
                    "WHERE name = 'Temporary'")
    walk.becomes(403, text)
    assert code_of(walk.call(text)) == "key_expired"


def test_rotate_keys_periodically(walk):
    """"Create a new key, update your integration, then delete the old
    one."."""
    new = walk.make("My Integration, new", "read:customer", "read:service")
    walk.becomes(200, new)
    assert walk.call(walk.text).status == 200
    walk.deed("My Integration", "delete")
    walk.becomes(401, walk.text)
    assert walk.call(new).status == 200


def test_deactivate_unused_keys(walk):
    """"... rather than leaving them active indefinitely." - the list says
    which are unused, and the page that they should end."""
    walk.make("Never used", "read:customer")
    words = walk.list().words
    assert "Not yet" in words and "end those that nothing uses" in words
    walk.deed("Never used", "deactivate")
