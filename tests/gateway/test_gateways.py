"""One table of calls through every gateway: Debian's nginx, Caddy and HAProxy
with the examples of conf/gateway, and what Envoy and Traefik send, which Debian
does not have."""

import base64
import concurrent.futures
import json
import subprocess

import pytest
import yaml

from gateway import stand_ins
from gateway.callers import CUSTOMERS, PATH, World, basic
from lib import base, gateways
from lib.gateway import KEY
from lib.server import Server

TOLD = ("Tenant", "Subscription", "Product", "Api-User", "Accounts",
        "Environment", "Key", "Scopes")


REAL = list(gateways.ALL)
ALL = [*REAL, "envoy", "traefik"]


@pytest.fixture(scope="module")
def server(cluster):
    one = Server(cluster, settings={"GATEWAY_FAILURES": "1000000"})
    yield one
    one.close()


@pytest.fixture(scope="module")
def api():
    one = gateways.serve(gateways.Handler)
    yield one.server_address[1]
    one.shutdown()
    one.server_close()


class Fronts:
    """Gateways before one check, started when they are first asked for."""

    def __init__(self, check, api):
        self.check, self.api, self.made, self.dirs = check, api, {}, []

    def __getitem__(self, name):
        if name not in self.made:
            if name in gateways.ALL:
                self.dirs.append(base.temp_dir(name))
                self.made[name] = gateways.ALL[name](self.dirs[-1], self.check,
                                                     self.api)
            else:
                self.made[name] = stand_ins.ALL[name](self.check)
        return self.made[name]

    def close(self):
        for one in self.made.values():
            one.close()
        for folder in self.dirs:
            base.remove(folder)


@pytest.fixture(scope="module")
def fronts(server, api):
    one = Fronts(server.gateway_port, api)
    yield one
    one.close()


@pytest.fixture(scope="module")
def w(server):
    return World(server)


def both(w):
    return [(KEY, w.key), w.user]


def key_of(code):
    return lambda w: [(KEY, w.keys[code])]


def issued(slug, *more):
    return lambda w: [("x-api-key", w.issued[slug]), *more]


def with_user(value):
    return lambda w: [(KEY, w.key), ("Authorization", value)]


def encoded(text):
    return "Basic " + base64.b64encode(text.encode()).decode()


# name: path, method, headers of a call, what is said of it.  Where a gateway
# refuses by itself what it is sent, "refused" holds for all of them.
CALLS = {
    "allowed": (PATH, "GET", both, "allowed"),
    "below a resource": (PATH + "/7?a=b&c=%20", "PATCH", both, "allowed"),
    "key only": ("/any", "GET", key_of("OPEN"), "allowed"),
    "key in query": (PATH + "?a=b&subscription-key={key}&c=d", "GET",
                     lambda w: [w.user], "allowed"),
    "key alone in query": (PATH + "?Subscription-Key={key}", "GET",
                           lambda w: [w.user], "allowed"),
    "HEAD": (PATH, "HEAD", both, "allowed"),
    "POST": (PATH, "POST", both, "allowed"),
    "missing": (PATH, "GET", lambda w: [w.user], "missing_key"),
    "HEAD, missing": (PATH, "HEAD", lambda w: [], "missing_key"),
    "unknown": (PATH, "GET", lambda w: [(KEY, "f" * 32)], "unknown_key"),
    "path with an ending": ("/any.html", "GET", lambda w: [],
                            "missing_key"),
    "capitals": (PATH, "GET", lambda w: [(KEY, w.key.upper())], "unknown_key"),
    "cut": (PATH, "GET", lambda w: [(KEY, w.key[:31])], "unknown_key"),
    "10 kB": (PATH, "GET", lambda w: [(KEY, w.key + "0" * 10000), w.user],
              "refused"),
    "NUL": (PATH, "GET", lambda w: [(KEY, w.key + "\0"), w.user], "refused"),
    "NUL in query": (PATH + "?subscription-key={key}%00", "GET",
                     lambda w: [w.user], "unknown_key"),
    "two keys": (PATH, "GET", lambda w: [(KEY, w.key), *both(w)],
                 "not_permitted"),
    "two others": (PATH, "GET", lambda w: [(KEY, w.keys["OPEN"]), *both(w)],
                   "not_permitted"),
    "in header and query": (PATH + "?subscription-key={key}", "GET", both,
                            "not_permitted"),
    "twice in query": (
        PATH + "?subscription-key={key}&subscription-key={key}", "GET",
        lambda w: [w.user], "not_permitted"),
    "two users": (PATH, "GET", lambda w: [*both(w), w.user], "refused"),
    "no user": (PATH, "GET", lambda w: [(KEY, w.key)], "missing_api_user"),
    "another scheme": (PATH, "GET", with_user("Bearer abc"),
                       "missing_api_user"),
    "wrong password": (PATH, "GET", lambda w: [
        (KEY, w.key), basic(w.users["FORTAPI"][0], "x" * 32)],
        "bad_api_user"),
    "no colon": (PATH, "GET", with_user(encoded("FORTAPI@ROBOT1")),
                 "bad_api_user"),
    "no base64": (PATH, "GET", with_user("Basic !!!"), "bad_api_user"),
    "empty Basic": (PATH, "GET", with_user("Basic"), "bad_api_user"),
    "user of another": ("/any", "GET", lambda w: [
        (KEY, w.keys["THEIRS"]), w.user], "bad_api_user"),
    "user disabled": (PATH, "GET", lambda w: [
        (KEY, w.key), basic(*w.users["IDLE"])], "api_user_disabled"),
    "suspended": (PATH, "GET", key_of("SUSPENDED"), "suspended"),
    "expired": (PATH, "GET", key_of("EXPIRED"), "expired"),
    "cancelled": (PATH, "GET", key_of("CANCELLED"), "cancelled"),
    "over the rate": ("/any", "GET", key_of("RATED"), "rate_limited"),
    "over the quota": ("/any", "GET", key_of("SPENT"), "quota_exceeded"),
    "no resource": ("/psa/api/v1/ticket", "GET", both, "not_permitted"),
    "no operation": ("/billing/api/v1/invoices", "DELETE", both,
                     "not_permitted"),
    "dots": (PATH + "/../../../admin", "GET", both, "not_permitted"),
    "encoded dots": (PATH + "/%2e%2e/x", "GET", both, "not_permitted"),
    "two slashes": ("/psa//api/v1/tickets", "GET", both, "not_permitted"),
    "encoded slash": (PATH + "%2fx", "GET", both, "not_permitted"),
    "semicolon": (PATH + ";x=y", "GET", both, "not_permitted"),
    "no such method": (PATH, "BREW", both, "not_permitted"),
    "key of a person": (CUSTOMERS, "GET", lambda w: [
        ("X-Api-Key", w.issued["people"]),
        ("X-Tenant-Name", w.slug)], "allowed"),
    "no client named": (CUSTOMERS, "GET", issued("people"), "missing_tenant"),
    "another client": (CUSTOMERS, "GET", issued(
        "people", ("X-Tenant-Name", "open")), "wrong_tenant"),
    "key of a partner": (CUSTOMERS, "GET", issued("partners"), "allowed"),
    "scope it lacks": (CUSTOMERS, "POST", issued("partners"),
                       "not_permitted"),
    "two kinds of keys": (CUSTOMERS, "GET", lambda w: [
        (KEY, w.key), ("x-api-key", w.issued["partners"])], "not_permitted"),
    "key in another's header": (CUSTOMERS, "GET", lambda w: [
        (KEY, w.issued["partners"])], "unknown_key"),
    "wrong environment": (CUSTOMERS, "GET", issued("trial"),
                          "wrong_environment"),
}
STATUS = {"missing_key": 401, "unknown_key": 401, "missing_api_user": 401,
          "bad_api_user": 401, "missing_tenant": 401, "rate_limited": 429, "quota_exceeded": 429}


@pytest.mark.parametrize("name", [*ALL, "check"])
def test_table(fronts, w, name):
    front, wrong = fronts[name], []
    for row, (path, method, headers, said) in CALLS.items():
        for _ in range(2 if STATUS.get(said) == 429 else 1):
            answer = front.call(path.replace("{key}", w.key), method,
                                headers=headers(w))
        try:
            judge(answer, said, method, name)
        except AssertionError as error:
            wrong.append(f"{row}: {answer.status} {answer.text[:200]!r} "
                         f"{error}")
    assert not wrong, "\n".join(wrong)


def judge(answer, said, method, name):
    if said == "allowed":
        assert answer.status == 200
        assert name not in REAL or method == "HEAD" or json.loads(
            answer.text)["method"] == method
        return
    if said == "refused":
        assert answer.status in (400, 401, 403, 431)
        return
    status = STATUS.get(said, 403)
    assert answer.status == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    if status == 429:
        assert 0 < int(answer.headers["retry-after"]) <= 86400
        assert ";r=0;t=" in answer.headers["ratelimit"]
        assert ";q=1;w=" in answer.headers["ratelimit-policy"]
    if status == 401:
        assert answer.headers["www-authenticate"].startswith(
            "ApiKey " if said == "missing_tenant" else "Basic ")
    if method == "HEAD":
        # Who asks by GET leaves the body out by himself.
        assert answer.text == "" or name in ("traefik", "check")
        return
    problem = json.loads(answer.text)
    assert (problem["status"], problem["code"]) == (status, said)


# What the API is asked for, of a query with a key.
QUERIES = {
    "?a=b&subscription-key={key}&c=%2f": "?a=b&c=%2f",
    "?subscription-key={key}": "",
    "?subscription-key={key}&a=b": "?a=b",
    "?a=b&SUBSCRIPTION-KEY={key}": "?a=b",
    "?a={env.HOME}&Subscription-Key={key}&b=$1&subscription-keys=x":
        "?a={env.HOME}&b=$1&subscription-keys=x",
}


@pytest.mark.parametrize("name", REAL)
def test_what_the_api_is_told(fronts, w, name):
    answer = fronts[name].call(PATH + "/7?a=b%20c", headers=[
        *both(w), ("X-Extra", "stays")])
    came = json.loads(answer.text)
    assert came["path"] == PATH + "/7?a=b%20c"
    told = came["headers"]
    assert told["x-latchkey-tenant"] == w.tenant
    assert told["x-latchkey-product"] == "revio-api"
    assert told["x-latchkey-accounts"] == "all"
    assert told["x-latchkey-api-user"] == f"FORTAPI@{w.tenant}"
    assert told["x-extra"] == "stays"
    assert told["x-latchkey-environment"] == "live"
    assert not {"x-latchkey-key", "x-latchkey-scopes"} & set(told)
    # It is shown neither the key nor the password.
    assert w.key not in answer.text and "authorization" not in told
    for query, left in QUERIES.items():
        came = json.loads(fronts[name].call(
            PATH + query.replace("{key}", w.key), headers=[w.user]).text)
        assert came["path"].rstrip("?") == PATH + left, query


def test_envoy_takes_the_key_out_of_the_query():
    """The Lua of the example, in the version that Envoy has."""
    envoy = yaml.safe_load((gateways.CONF / "envoy.yaml").read_text())
    manager = envoy["static_resources"]["listeners"][0]["filter_chains"][0][
        "filters"][0]["typed_config"]
    source = manager["http_filters"][2]["typed_config"][
        "default_source_code"]["inline_string"]
    for query, left in {**QUERIES, "": "", "?a=b": "?a=b"}.items():
        path = PATH + query.replace("{key}", "0" * 32)
        done = subprocess.run(
            ["/usr/bin/lua5.1", "-e", source + f"""
                local path = {json.dumps(path)}
                local headers = {{
                    get = function() return path end,
                    replace = function(_, name, value)
                        assert(name == ":path")
                        path = value
                    end }}
                envoy_on_request({{ headers = function() return headers end }})
                io.write(path)"""],
            text=True, capture_output=True, check=True)
        assert done.stdout == PATH + left, query


@pytest.mark.parametrize("name", REAL)
def test_what_comes_from_outside_is_dropped(fronts, w, name):
    answer = fronts[name].call("/any", headers=[
        (KEY, w.keys["OPEN"]), ("X-Latchkey-Tenant", "OTHER"),
        ("x-latchkey-api-user", "ROOT@OTHER"), ("X-Latchkey-Status", "200"),
        ("X_Latchkey_Tenant", "OTHER"), ("X-Latchkey_Accounts", "1"),
        ("X-Latchkey-Accounts", "1"), ("X-Latchkey-Product", "partners"),
        ("X-Latchkey-Environment", "test"), ("X-Latchkey-Scopes", "all"),
        ("X-Latchkey-Key", "mine"), ("X-Original-Method", "DELETE"),
        ("X-Original-URI", "/admin"), ("X-Forwarded-Method", "DELETE"),
        ("X-Forwarded-Uri", "/admin"), ("X-Latchkey-Secret", "guess"),
        ("Connection", "close, X-Latchkey-Tenant, X-Latchkey-Accounts")])
    assert answer.status == 200, answer.text
    came = json.loads(answer.text)["headers"]
    ours = {n: v for n, v in came.items() if "latchkey" in n}
    assert ours.pop("x-latchkey-subscription")
    assert ours == {"x-latchkey-tenant": "OPEN", "x-latchkey-accounts": "all",
                    "x-latchkey-product": "open-api",
                    "x-latchkey-environment": "live"}
    assert came.get("x-forwarded-uri", "") != "/admin"
    assert not {"x-original-uri", "x-original-method"} & set(came)


@pytest.mark.parametrize("name", REAL)
def test_what_the_api_is_told_of_an_issued_key(fronts, w, name):
    answer = fronts[name].call(CUSTOMERS, headers=issued("partners")(w))
    told = json.loads(answer.text)["headers"]
    assert told["x-latchkey-key"] == w.ids["partners"]
    assert told["x-latchkey-scopes"] == "read:customer"
    assert told["x-latchkey-environment"] == "live"
    assert w.issued["partners"] not in answer.text


@pytest.mark.parametrize("name", REAL)
def test_bodies(fronts, w, name):
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        answer = fronts[name].call(PATH, method, b"x" * 1000000,
                                   headers=both(w))
        assert answer.status == 200
        came = json.loads(answer.text)
        assert (came["method"], came["bytes"]) == (method, 1000000)
    # The check is asked before the body is read.
    answer = fronts[name].call(PATH, "POST", b"x" * 1000, headers=[w.user])
    assert answer.status == 401
    one = fronts[name].link()
    one.request("POST", PATH, (b"x" * 1000 for _ in range(100)),
                dict(both(w)), encode_chunked=True)
    assert json.loads(one.getresponse().read())["bytes"] == 100000
    one.close()


@pytest.mark.parametrize("name", ALL)
def test_a_connection_that_stays(fronts, w, name):
    """What was decided of one call is nothing for the next."""
    link = fronts[name].link()
    for turn in range(60):
        headers, status = ((both(w), 200), ([w.user], 401),
                           (key_of("SUSPENDED")(w), 403))[turn % 3]
        answer = fronts[name].call(PATH, headers=headers, link=link)
        assert answer.status == status
    link.close()


@pytest.mark.parametrize("name", ALL)
def test_a_thousand_at_once(fronts, w, name):
    links = [fronts[name].link() for _ in range(200)]

    def ask(number):
        allowed, answers = number % 2 == 0, []
        for _ in range(5):
            answers.append(fronts[name].call(PATH, headers=both(w) if allowed
                                             else [w.user],
                                             link=links[number]).status)
        return answers == [200 if allowed else 401] * 5 or answers
    with concurrent.futures.ThreadPoolExecutor(200) as pool:
        assert set(map(str, pool.map(ask, range(200)))) == {"True"}
    for link in links:
        link.close()


@pytest.mark.parametrize("name", REAL)
def test_each_call_counts_once(server, fronts, w, name):
    """An allowed one as one, whatever its method; a denied one by its reason,
    and not against the quota."""
    front = fronts[name]
    code, allowed, wrong, over = name.upper(), 60, 12, 5
    server.sql("UPDATE tenant SET calls_a_month = %s WHERE code = %s",
               (allowed, code))
    user = basic("NOBODY@" + code, "x" * 32)
    methods = ("GET", "HEAD", "POST", "DELETE")

    def ask(number):
        link, statuses = front.link(), []
        for turn in range(allowed // 4):
            method = methods[(number + turn) % 4]
            body = b"x" * 70000 if method == "POST" else None
            statuses.append(front.call(
                "/any", method, body, headers=[(KEY, w.keys[code])],
                link=link).status)
            if turn % 5 == 0:
                statuses.append(front.call(
                    "/any", headers=[(KEY, w.keys[code]), user],
                    link=link).status)
        link.close()
        return statuses
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        statuses = sum(pool.map(ask, range(4)), [])
    assert (statuses.count(200), statuses.count(401)) == (allowed, wrong)
    for _ in range(over):
        assert front.call("/any", headers=[(KEY, w.keys[code])]
                          ).status == 429
    # The last of all: what was before it is written by then.
    front.call("/any", headers=[(KEY, w.keys[code]), user])

    def counted():
        return {outcome: int(calls) for outcome, calls in server.sql(
            "SELECT u.outcome, sum(u.calls) FROM usage_hour u "
            "JOIN subscription s ON s.id = u.subscription_id "
            "JOIN tenant t ON t.id = s.tenant_id WHERE t.code = %s "
            "GROUP BY 1", (code,))}
    base.wait_until(lambda: counted().get("bad_api_user", 0) > wrong, 10,
                    "the flush")
    assert counted() == {"allowed": allowed, "bad_api_user": wrong + 1,
                         "quota_exceeded": over}
    assert server.sql(
        "SELECT c.month_calls FROM usage_count c JOIN subscription s "
        "ON s.id = c.subscription_id JOIN tenant t ON t.id = s.tenant_id "
        "WHERE t.code = %s", (code,)) == [(allowed,)]


class Limited(gateways.Handler):
    """A check that says of every call what the contract has for a limit."""

    def answer(self):
        body = json.dumps({
            "type": "about:blank", "title": "Too many calls", "status": 429,
            "detail": "Wait.", "code": "rate_limited"}).encode()
        nginx = self.path == "/check/nginx"
        if self.headers[KEY] == "free":
            self.send_response(200)
            body = b""
        else:
            self.send_response(403 if nginx else 429)
            self.send_header("Content-Type", "application/problem+json")
            self.send_header("Cache-Control", "no-store")
            self.send_header("Retry-After", "7")
            self.send_header("X-Latchkey-Status", "429")
            if nginx:
                self.send_header("X-Latchkey-Problem", body.decode())
        self.send_header("RateLimit", '"minute";r=0;t=7')
        self.send_header("RateLimit-Policy", '"minute";q=200;w=60')
        self.send_header("X-Latchkey-Tenant", "ALTWORX")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


@pytest.fixture(scope="module")
def limited(api):
    check = gateways.serve(Limited)
    one = Fronts(check.server_address[1], api)
    yield one
    one.close()
    check.shutdown()
    check.server_close()


@pytest.mark.parametrize("name", REAL)
def test_a_limit_is_told_as_it_is(limited, name):
    for method in ("GET", "HEAD", "POST"):
        answer = limited[name].call(PATH, method, headers=[(KEY, "x")])
        assert answer.status == 429
        assert answer.headers["retry-after"] == "7"
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers.get_all("ratelimit") == ['"minute";r=0;t=7']
        assert answer.headers["ratelimit-policy"] == '"minute";q=200;w=60'
        if method != "HEAD":
            assert json.loads(answer.text)["code"] == "rate_limited"
    answer = limited[name].call(PATH, headers=[
        (KEY, "free"), ("RateLimit", "mine")])
    assert answer.status == 200
    assert answer.headers.get_all("ratelimit") == ['"minute";r=0;t=7']
    assert answer.headers["ratelimit-policy"] == '"minute";q=200;w=60'


@pytest.fixture(scope="module")
def azure(cluster, api):
    one = Server(cluster, settings={"GATEWAY_COMPAT": "apim"})
    fronts = Fronts(one.gateway_port, api)
    fronts.w = World(one)
    yield fronts
    fronts.close()
    one.close()


@pytest.mark.parametrize("name", REAL)
def test_as_azure_has_it(azure, name):
    # A type by the path's ending would be another.
    for path in ("/any", "/any.html"):
        for code, status, said in (
                (None, 401, "Access denied due to missing"),
                ("SUSPENDED", 401, "Access denied due to invalid"),
                ("RATED", 429, "Rate limit is exceeded. Try again in "),
                ("SPENT", 403, "Out of call volume quota. Quota will be ")):
            headers = [] if code is None else [(KEY, azure.w.keys[code])]
            for _ in range(2):
                answer = azure[name].call(path, headers=headers)
            assert answer.status == status
            assert answer.headers.get_all("content-type") == [
                "application/json"]
            assert answer.headers["cache-control"] == "no-store"
            body = json.loads(answer.text)
            assert body["statusCode"] == status
            assert body["message"].startswith(said)
            if status == 401:
                assert answer.headers["www-authenticate"].startswith(
                    "AzureApiManagementKey ")
            if status == 429:
                assert int(answer.headers["retry-after"]) > 0


def test_what_nginx_takes_and_latchkey_does_not(fronts, w, azure):
    """The caller is told that it is the headers."""
    long = [(f"X-{number}", "a" * 5000) for number in range(4)]
    for fronts_, kind, status in ((fronts, "problem+json", "status"),
                                  (azure, "json", "statusCode")):
        answer = fronts_["nginx"].call("/any.html", headers=[
            (KEY, w.keys["OPEN"]), *long])
        assert answer.status == 431
        assert answer.headers.get_all("content-type") == [
            f"application/{kind}"]
        assert json.loads(answer.text)[status] == 431


@pytest.mark.parametrize("name", REAL)
def test_latchkey_away(api, folder, name):
    """Nobody passes, and the answer says why."""
    one = gateways.ALL[name](folder, base.free_port(), api)
    try:
        answer = one.call(PATH, headers=[(KEY, "x")])
        assert answer.status == 503
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["retry-after"] == "2"
        assert answer.headers["cache-control"] == "no-store"
        assert json.loads(answer.text)["code"] == "unavailable"
    finally:
        one.close()


@pytest.mark.parametrize("name", REAL)
def test_api_away(server, w, folder, name):
    """That is not said to be about the key."""
    one = gateways.ALL[name](folder, server.gateway_port, base.free_port())
    try:
        answer = one.call(PATH, headers=both(w))
        assert answer.status in (502, 503)
        assert "unavailable" not in answer.text
    finally:
        one.close()


def test_examples_name_all_headers():
    """Envoy's and Traefik's are not run here, but they are read."""
    for path in gateways.CONF.iterdir():
        if path.name == "traefik.yaml" or path.suffix == ".md":
            continue
        for name in TOLD:
            assert f"x-latchkey-{name.lower()}" in path.read_text().lower()
    traefik = yaml.safe_load((gateways.CONF / "traefik.yaml").read_text())
    steps = traefik["http"]["middlewares"]
    assert traefik["http"]["routers"]["api"]["middlewares"] == list(steps)
    check = steps["latchkey"]["forwardAuth"]
    assert check["trustForwardHeader"] is False
    assert check["authResponseHeadersRegex"] == "^X-Latchkey-"
    envoy = yaml.safe_load((gateways.CONF / "envoy.yaml").read_text())
    manager = envoy["static_resources"]["listeners"][0]["filter_chains"][0][
        "filters"][0]["typed_config"]
    dropped, asked, _lua, last = [f["typed_config"] for f in manager["http_filters"]]
    names = {f"x-latchkey-{name.lower()}" for name in TOLD}
    assert names < {one["remove"] for one in
                    dropped["mutations"]["request_mutations"]}
    assert asked["failure_mode_allow"] is False
    assert asked["http_service"]["path_prefix"] == "/check/envoy"
    assert {"exact": KEY.lower()} in asked["allowed_headers"]["patterns"]
    assert names == {one["exact"] for one in asked["http_service"][
        "authorization_response"]["allowed_upstream_headers"]["patterns"]}
    assert last["@type"].endswith("router.v3.Router")
