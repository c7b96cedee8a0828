"""Keys of every key profile at the gateway's listener: in which headers they
come, what they may, what is said where they may not."""

import http.client
import json

import pytest

from lib import base, flows, issued
from lib.gateway import KEY, Gateway, code_of

TENANT = "X-Tenant-Name"
HINTS = "X-Latchkey-Product", "X-Latchkey-Environment"


class World:
    """A client with an owner, and a key of each profile."""

    def __init__(self, server):
        self.server = server
        self.owner, _ = flows.client_with_key(server, "STUDIO", "My Studio")
        self.pair = flows.show_key(self.owner)
        server.sql("UPDATE product SET needs_api_user = false, "
                   "calls_a_minute = 1000000")
        server.sql("UPDATE tenant SET slug = 'mystudio' "
                   "WHERE code = 'STUDIO'")
        self.keys, self.ids, self.places = {}, {}, {}
        for slug, profile, prefix, environment in (
                ("people", "user-key", "ca", "live"),
                ("tokens", "exchange", "xk", "live"),
                ("support", "support-issued", "akl", "live"),
                ("trial", "support-issued", "akt", "test"),
                ("partners", "partner-key", "pk", "live")):
            issued.product(server, slug, profile)
            self.places[slug] = prefix, flows.subscribe(
                server, "STUDIO", slug, environment)
            self.ids[slug], self.keys[slug] = self.issue(slug, slug)

    def issue(self, slug, name):
        """One more key for that product; its id and its text."""
        prefix, subscription = self.places[slug]
        key = issued.Key(self.server, subscription, prefix, name,
                         ["read:customer"])
        return key.id, key.text


@pytest.fixture(scope="module")
def w(server):
    return World(server)


@pytest.fixture
def gateway(server, w):
    one = Gateway(server)
    # Workers are told of new products; then they know them.
    ask = [("X-Latchkey-Product", "partners")]
    base.wait_until(lambda: all(
        one.ask("/check/envoy/x", headers=ask).status == 403
        for _ in range(20)), 5, "the products")
    yield one
    one.close()


def ask(gateway, *headers, method="GET", path=issued.CUSTOMERS):
    return gateway.ask("/check/envoy" + path, method, headers)


def problem(answer):
    said = json.loads(answer.text)
    assert said["status"] == answer.status
    assert answer.headers["x-latchkey-code"] == said["code"]
    return said["code"], answer.status


def test_each_in_its_own_header(w, gateway):
    name = TENANT, "mystudio"
    for headers in (((KEY, w.pair),),
                    (("X-Api-Key", w.keys["people"]), name),
                    (("x-api-key", w.keys["partners"]),),
                    (("X-Api-Key", w.keys["support"]),)):
        assert ask(gateway, *headers).status == 200
    for headers in ((("X-Api-Key", w.pair),),
                    ((KEY, w.keys["people"]), name),
                    ((KEY, w.keys["partners"]),),
                    (("X-Api-Key", w.keys["tokens"]),),
                    ((KEY, w.keys["tokens"]),)):
        answer = ask(gateway, *headers)
        assert problem(answer)[0] == "unknown_key"
    # An address is no place for them.
    answer = ask(gateway, path=f"{issued.CUSTOMERS}?subscription-key="
                 f"{w.keys['partners']}")
    assert problem(answer)[0] == "unknown_key"
    # Two keys, of one kind or another.
    for second in ("X-Api-Key", KEY):
        answer = ask(gateway, ("X-Api-Key", w.keys["support"]),
                     (second, w.keys["support"]))
        assert problem(answer) == ("not_permitted", 403)


def test_what_the_api_is_told(w, gateway):
    answer = ask(gateway, ("x-api-key", w.keys["partners"]),
                 # An API user beside it is nothing to it.
                 ("Authorization", "Basic Rk9SVEFQSUBBTFRXT1JYOnBhc3M="))
    told = {name.lower(): value for name, value in answer.getheaders()}
    assert told["x-latchkey-tenant"] == "STUDIO"
    assert told["x-latchkey-product"] == "partners"
    assert told["x-latchkey-environment"] == "live"
    assert told["x-latchkey-key"] == w.ids["partners"]
    assert told["x-latchkey-scopes"] == "read:customer"
    assert told["x-latchkey-accounts"] == "all"
    assert "x-latchkey-api-user" not in told
    assert '"key-minute";q=200;w=60' in told["ratelimit-policy"]
    told = ask(gateway, (KEY, w.pair)).headers
    assert told["x-latchkey-environment"] == "live"
    assert told["x-latchkey-key"] is None
    assert told["x-latchkey-scopes"] is None


def test_the_client_must_be_named(w, gateway):
    key = "X-Api-Key", w.keys["people"]
    flows_ = {None: ("missing_tenant", 401), "": ("missing_tenant", 401),
              "mystudio2": ("wrong_tenant", 403), "STUDIO":
              ("wrong_tenant", 403), "mystudio,x": ("wrong_tenant", 403)}
    for name, said in flows_.items():
        answer = ask(gateway, key, *([(TENANT, name)] if name is not None
                                     else []))
        assert problem(answer) == said, name
        assert "mystudio" not in answer.text
        assert (answer.status == 401) == (
            answer.headers["www-authenticate"] is not None)
    assert ask(gateway, key, (TENANT, "MyStudio")).status == 200
    answer = ask(gateway, key, (TENANT, "mystudio"), (TENANT, "mystudio"))
    assert problem(answer) == ("not_permitted", 403)
    # Another client's name is as wrong as nobody's.
    flows.add_tenant(w.server, "OTHER")
    one, other = (ask(gateway, key, (TENANT, name)).text
                  for name in ("other", "nobody"))
    assert one == other


def test_statuses_by_profile(w, gateway):
    """Of no key and of a wrong one."""
    product = HINTS[0]
    junk, right = "x" * 20, issued.coded
    for headers, said in (
            ([], ("missing_key", 401)),
            ([(product, "partners")], ("missing_key", 403)),
            ([(product, "people")], ("missing_key", 401)),
            ([(product, "revio-api")], ("missing_key", 401)),
            ([(product, "nothing")], ("missing_key", 401)),
            ([("X-Api-Key", junk)], ("unknown_key", 401)),
            ([("X-Api-Key", junk), (product, "partners")],
             ("unknown_key", 403)),
            # The letters tell where nothing else does.
            ([("X-Api-Key", right("pk"))], ("unknown_key", 403)),
            ([("X-Api-Key", right("ca"))], ("unknown_key", 401)),
            ([("X-Api-Key", right("akt"))], ("unknown_key", 401)),
            ([(KEY, "f" * 32)], ("unknown_key", 401)),
            ([("Authorization", f"Bearer {w.keys['partners']}"),
              (product, "partners")], ("missing_key", 403))):
        assert problem(ask(gateway, *headers)) == said, headers
    answer = ask(gateway, (product, "partners"))
    assert json.loads(answer.text)["detail"] == \
        "Send it in the header X-Api-Key."


def test_product_and_environment_of_the_gateway(w, gateway):
    key = "X-Api-Key", w.keys["trial"]
    assert ask(gateway, key, *zip(HINTS, ("trial", "test"))).status == 200
    answer = ask(gateway, key, *zip(HINTS, ("trial", "live")))
    assert problem(answer) == ("wrong_environment", 403)
    assert json.loads(answer.text)["detail"] == \
        "This key is of the environment test."
    answer = ask(gateway, key, *zip(HINTS, ("support", "test")))
    assert problem(answer) == ("not_permitted", 403)
    answer = ask(gateway, (KEY, w.pair), (HINTS[1], "test"))
    assert problem(answer) == ("wrong_environment", 403)
    answer = ask(gateway, key, *zip(HINTS, ("trial", "test")),
                 (HINTS[0], "support"))
    assert problem(answer) == ("not_permitted", 403)


def test_scopes(w, gateway):
    key = "x-api-key", w.keys["partners"]
    assert ask(gateway, key, method="HEAD").status == 200
    for method, path, needs in (("POST", issued.CUSTOMERS + "/7",
                                 "write:customer"),
                                ("GET", issued.SERVICES, "read:service"),
                                ("POST", issued.SERVICES, None),
                                ("GET", "/api/v2/else", None)):
        answer = ask(gateway, key, method=method, path=path)
        assert problem(answer) == ("not_permitted", 403)
        assert (f"needs scope {needs}," in answer.text) == bool(needs)
        assert ("scope" in answer.text) == bool(needs)


def test_states(w, gateway):
    server = w.server
    id_, text = w.issue("support", "states")
    key = "X-Api-Key", text
    for change, said in (
            ("state = 'inactive'", "key_inactive"),
            ("state = 'active'", None),
            ("expires_at = now()", "key_expired"),
            ("expires_at = now() + interval '1 hour'", None),
            ("state = 'revoked'", "key_revoked")):
        server.sql(f"UPDATE issued_key SET {change} WHERE id = %s", (id_,))
        base.wait_until(lambda said=said: (
            ask(gateway, key).headers["x-latchkey-code"]) == said, 5, change)
    _, text = w.issue("support", "deleted")
    assert ask(gateway, ("X-Api-Key", text)).status == 200
    server.sql("UPDATE issued_key SET state = 'deleted' WHERE name = "
               "'deleted'")
    base.wait_until(lambda: ask(gateway, ("X-Api-Key", text)).headers[
        "x-latchkey-code"] == "unknown_key", 5, "deleted")


def test_last_used(w, gateway):
    assert ask(gateway, ("X-Api-Key", w.keys["support"])).status == 200
    base.wait_until(lambda: w.server.sql(
        "SELECT 1 FROM issued_key WHERE id = %s AND last_used_at IS NOT NULL",
        (w.ids["support"],)), 10, "the flush")


def test_limit_of_a_key(w, gateway):
    """200 a minute, whatever the product's plan."""
    id_, text = w.issue("partners", "limited")
    statuses = [ask(gateway, ("x-api-key", text)).status for _ in range(205)]
    assert statuses[:200] == [200] * 200
    assert 429 in statuses[200:]
    answer = ask(gateway, ("x-api-key", text))
    while answer.status != 429:
        answer = ask(gateway, ("x-api-key", text))
    assert int(answer.headers["retry-after"]) >= 1
    assert answer.headers["ratelimit"].startswith('"key-minute";r=0;')
    # Another key of the same subscription has its own.
    assert ask(gateway, ("x-api-key", w.keys["partners"])).status == 200
    w.server.sql("UPDATE issued_key SET calls_a_minute = 100000 "
                 "WHERE id = %s", (id_,))
    base.wait_until(lambda: ask(gateway, ("x-api-key", text)).status == 200,
                    5, "the new limit")


def verify(gateway, **asked):
    gateway.http.request("POST", "/v1/verify", json.dumps(
        {"method": "GET", "path": issued.CUSTOMERS, **asked}),
        {"Content-Type": "application/json"})
    answer = gateway.http.getresponse()
    text = answer.read()
    assert answer.status == 200, text
    return json.loads(text)


def test_verify(w, gateway):
    said = verify(gateway, key=w.keys["people"], tenant="mystudio",
                  product="people", environment="live")
    assert (said["allowed"], said["environment"], said["key"],
            said["scopes"]) == (True, "live", w.ids["people"],
                                "read:customer")
    assert verify(gateway, key=w.pair)["environment"] == "live"
    for asked, code, status in (
            ({"key": w.keys["people"]}, "missing_tenant", 401),
            ({"key": w.keys["people"], "tenant": "x"}, "wrong_tenant", 403),
            ({"key": w.keys["trial"], "environment": "live"},
             "wrong_environment", 403),
            ({"key": w.keys["trial"], "product": "support"},
             "not_permitted", 403),
            ({"key": w.keys["tokens"]}, "unknown_key", 401),
            ({"product": "partners"}, "missing_key", 403),
            ({"key": issued.coded("pk")}, "unknown_key", 403),
            ({"key": w.keys["trial"], "path": issued.SERVICES},
             "not_permitted", 403)):
        said = verify(gateway, **asked)
        assert (said["allowed"], said["code"], said["status"]) == (
            False, code, status), asked


def test_junk_asks_nobody(make_server):
    """Not even while the database is away is it anything but unknown."""
    server = make_server(workers=1)
    flows.client_with_key(server)
    gateway = Gateway(server)

    def asked():
        connection = http.client.HTTPConnection(
            "127.0.0.1", server.gateway_port, timeout=10)
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
        connection.close()
        return float(next(line.split()[1] for line in text.splitlines()
                          if line.startswith("latchkey_gateway_cache_misses")))
    before = asked()
    for number in range(20):
        assert gateway.check(f"pk_{number:036d}") == "unknown_key"
    assert asked() == before
    gateway.check("0" * 32)
    assert asked() == before + 1
    gateway.close()


def test_as_azure_has_it(make_server):
    """Pairs are Azure's; the others keep their own status and words."""
    server = make_server(settings={"GATEWAY_COMPAT": "apim"})
    world, gateway = World(server), Gateway(server)
    product = HINTS[0]
    base.wait_until(lambda: all(ask(gateway, (product, "partners")).status ==
                                403 for _ in range(20)), 5, "the products")
    for headers, status, words in (
            ([(product, "revio-api")], 401, "Access denied due to missing"),
            ([(KEY, "f" * 32)], 401, "Access denied due to invalid"),
            ([(product, "partners")], 403, "The API key is missing"),
            ([("X-Api-Key", issued.coded("pk"))], 403,
             "The API key is not valid"),
            ([("X-Api-Key", world.keys["people"])], 401,
             "The call does not say")):
        answer = ask(gateway, *headers)
        said = json.loads(answer.text)
        assert (answer.status, said["statusCode"]) == (status, status)
        assert said["message"].startswith(words)
    gateway.close()
