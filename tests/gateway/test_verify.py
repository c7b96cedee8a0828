"""The verify API for programs without a gateway, and denials as Azure API
Management words them; one does not touch the other."""

import json
import re

import pytest

from gateway.callers import PATH, World
from lib import base
from lib import http as http_lib
from lib.gateway import KEY, Gateway
from lib.server import Server


@pytest.fixture(scope="module")
def server(cluster, tmp_path_factory):
    folder = base.temp_dir("verify")
    (folder / "secret").write_text("a secret of the gateway\n")
    one = Server(cluster, workers=1, settings={
        "GATEWAY_COMPAT": "apim", "TRUSTED_PROXIES": "127.0.0.1",
        "GATEWAY_FAILURES": "20",
        "GATEWAY_SECRET_FILE": str(folder / "secret")})
    yield one
    one.close()
    base.remove(folder)


@pytest.fixture(scope="module")
def w(server):
    return World(server)


@pytest.fixture
def gateway(server):
    one = Gateway(server, **{"X-Latchkey-Secret": "a secret of the gateway"})
    yield one
    one.close()


def post(gateway, body, kind="application/json", method="POST"):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    gateway.http.request(method, "/v1/verify", data, {
        **gateway.headers, "Content-Type": kind})
    answer = gateway.http.getresponse()
    answer.text = answer.read().decode()
    assert answer.headers["cache-control"] == "no-store"
    return answer


def verify(gateway, **asked):
    answer = post(gateway, {"method": "GET", "path": PATH, **asked})
    assert answer.status == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    return json.loads(answer.text)


def user(w, name="FORTAPI"):
    return dict(zip(("api_user", "password"), w.users[name]))


def test_allowed(server, w, gateway):
    said = verify(gateway, key=w.key, **user(w))
    limits = said.pop("limits")
    assert said == {
        "allowed": True, "code": "allowed", "status": 200, "tenant": w.tenant,
        "subscription": server.sql(
            "SELECT s.id FROM subscription s JOIN tenant t ON t.id = "
            "s.tenant_id WHERE t.code = %s", (w.tenant,))[0][0],
        "product": "revio-api", "api_user": f"FORTAPI@{w.tenant}",
        "accounts": "all", "environment": "live"}
    assert limits[0]["name"] == "minute" and limits[0]["window_s"] == 60
    assert limits[0]["left"] == limits[0]["quota"] - 1
    said = verify(gateway, key=w.keys["OPEN"], path="/any?x=y")
    assert (said["allowed"], said["api_user"]) == (True, None)
    said = verify(gateway, path=f"/any?subscription-key={w.keys['OPEN']}")
    assert said["tenant"] == "OPEN"


@pytest.mark.parametrize("asked, code, status", [
    ({}, "missing_key", 401),
    ({"key": ""}, "missing_key", 401),
    ({"key": "f" * 32}, "unknown_key", 401),
    ({"key": "f" * 1000}, "unknown_key", 401),
    ({"key": "mine"}, "missing_api_user", 401),
    ({"key": "mine", "api_user": "FORTAPI", "password": "x"}, "bad_api_user",
     401),
    ({"key": "mine", "api_user": "FORTAPI@ROBOT1"}, "bad_api_user", 401),
    ({"key": "mine", "password": "x"}, "bad_api_user", 401),
    ({"key": "mine", "user": "IDLE"}, "api_user_disabled", 403),
    ({"key": "mine", "user": "FORTAPI", "method": "DELETE",
      "path": "/billing/api/v1/invoices"}, "not_permitted", 403),
    ({"key": "mine", "user": "FORTAPI", "path": PATH + "/../x"},
     "not_permitted", 403),
    ({"key": "mine", "user": "FORTAPI", "method": "BREW"}, "not_permitted",
     403),
    ({"key": "mine", "path": PATH + "?subscription-key=" + "1" * 32},
     "not_permitted", 403),
    ({"key": "SUSPENDED"}, "suspended", 403),
    ({"key": "EXPIRED"}, "expired", 403),
    ({"key": "CANCELLED"}, "cancelled", 403),
])
def test_denied(w, gateway, asked, code, status):
    asked = dict(asked)
    if "user" in asked:
        asked.update(user(w, asked.pop("user")))
    if "key" in asked:
        asked["key"] = {"mine": w.key, **w.keys}.get(asked["key"],
                                                     asked["key"])
    said = verify(gateway, **asked)
    assert set(said) == {"allowed", "code", "status", "title", "detail",
                         "limits"}
    assert (said["allowed"], said["code"], said["status"]) == (
        False, code, status)


def test_limits(w, gateway):
    said = [verify(gateway, key=w.keys["RATED"]) for _ in range(2)][-1]
    assert (said["code"], said["status"]) == ("rate_limited", 429)
    assert 1 <= said["retry_after_s"] <= 60
    assert said["limits"][0]["quota"] == 1 and said["limits"][0]["left"] == 0
    # Wrong keys are counted for the caller, and no right one is denied.
    codes = [verify(gateway, key="e" * 32, address="203.0.113.9")["code"]
             for _ in range(30)]
    assert codes[0] == "unknown_key" and codes[-1] == "rate_limited"
    assert verify(gateway, key="e" * 32, address="203.0.113.10"
                  )["code"] == "unknown_key"
    assert verify(gateway, key=w.keys["OPEN"], address="203.0.113.9"
                  )["allowed"] is True


@pytest.mark.parametrize("body", [
    b"", b"[]", b"null", b"{", b"x", b'{"method":"GET"}', b'{"path":"/x"}',
    b'{"method":"GET","path":"x"}', b'{"method":"GET","path":1}',
    b'{"method":"GET","path":"/x","apiUser":"a"}',
    b'{"method":"GET","path":"/x","key":"a","key":"b"}',
    b'{"method":"GET","path":"/x","key":"a\\u0000b"}',
    b'{"method":"GET","path":"/x","key":"\xff"}',
    b'{"method":"GET","path":"/x"} {}',
    b'{"method":"' + b"G" * 40 + b'","path":"/x"}',
    b'{"method":"GET","path":"/' + b"x" * 9000 + b'"}',
    b'{"method":"GET","path":"/x"' + b" " * 20000 + b"}",
    b"[" * 5000,
])
def test_what_can_not_be_read(gateway, body):
    answer = post(gateway, body)
    assert answer.status == 400, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = json.loads(answer.text)
    assert (problem["status"], problem["code"]) == (400, "bad_request")


def test_other_ways_to_ask(server, w, gateway):
    asked = {"method": "GET", "path": PATH, "key": w.key}
    assert post(gateway, asked, "text/plain").status == 415
    answer = post(gateway, asked, method="PUT")
    assert (answer.status, answer.headers["allow"]) == (405, "POST")
    # A call's own headers are none of it.
    said = gateway.ask("/v1/verify", "POST", [(KEY, w.key)])
    assert said.status == 415
    stranger = Gateway(server)
    answer = post(stranger, asked)
    assert answer.status == 403
    assert json.loads(answer.text)["code"] == "unknown_gateway"
    stranger.close()
    assert server.client().get("/v1/verify").status == 404
    assert w.key not in server.settled_log()


# -- as Azure has it


def denied(gateway, headers, path="/check/envoy" + PATH, method="GET"):
    answer = gateway.ask(path, method, headers)
    assert answer.headers["content-type"] == "application/json"
    said = json.loads(answer.text)
    assert set(said) == {"statusCode", "message"}
    assert said["statusCode"] == int(answer.headers["x-latchkey-status"])
    return answer, said["message"]


INVALID = ("Access denied due to invalid subscription key. Make sure to "
           "provide a valid key for an active subscription.")
MISSING = ("Access denied due to missing subscription key. Make sure to "
           "include subscription key when making requests to an API.")


def test_azure_keys(w, gateway):
    answer, said = denied(gateway, [])
    assert (answer.status, said) == (401, MISSING)
    assert answer.headers["www-authenticate"].startswith(
        "AzureApiManagementKey realm=")
    for key in ("d" * 32, *(w.keys[code] for code in (
            "SUSPENDED", "EXPIRED", "CANCELLED"))):
        answer, said = denied(gateway, [(KEY, key)])
        assert (answer.status, said) == (401, INVALID)
    # nginx gets the body in a header, and a status that it knows.
    answer, said = denied(gateway, [
        (KEY, w.keys["SUSPENDED"]), ("X-Original-Method", "GET"),
        ("X-Original-URI", "/x")], "/check/nginx")
    assert answer.status == 401
    assert json.loads(answer.headers["x-latchkey-problem"])[
        "message"] == INVALID


def test_azure_limits(w, gateway):
    for _ in range(2):
        answer = gateway.ask("/check/envoy/x", headers=[
            (KEY, w.keys["RATED"])])
    assert answer.status == 429
    assert json.loads(answer.text) == {
        "statusCode": 429, "message": "Rate limit is exceeded. Try again in "
        f"{answer.headers['retry-after']} seconds."}
    for _ in range(2):
        answer = gateway.ask("/check/envoy/x", headers=[
            (KEY, w.keys["SPENT"])])
    assert answer.status == 403
    left = re.fullmatch(r"Out of call volume quota\. Quota will be "
                        r"replenished in (\d\d):(\d\d):(\d\d)\.",
                        json.loads(answer.text)["message"])
    hours, minutes, seconds = map(int, left.groups())
    assert hours * 3600 + minutes * 60 + seconds == int(
        answer.headers["retry-after"])


def test_azure_has_words_for_what_is_no_call(server):
    long = "X-Long: " + "a" * 20000
    for lines, status, azure in (
            (["GET /check HTTP/1.1", "Host: x", long], 431, True),
            (["GET /check HTTP/1.1", "X: y"], 400, True),
            (["POST /v1/verify HTTP/1.1", "Host: x",
              "Content-Length: 65537"], 413, False)):
        with http_lib.Raw("127.0.0.1", server.gateway_port) as raw:
            raw.send("\r\n".join([*lines, "", ""]).encode())
            answer = raw.answer()
        assert answer.status == status
        assert answer.headers["content-type"] == "application/" + (
            "json" if azure else "problem+json")
        said = json.loads(answer.text)
        assert said["statusCode" if azure else "status"] == status
        assert azure == ("message" in said)


def test_azure_has_no_api_users(w, gateway):
    """What it does not know keeps its status and our words."""
    answer, said = denied(gateway, [(KEY, w.key)])
    assert answer.status == 401 and "API user" in said
    assert answer.headers["www-authenticate"].startswith("Basic ")
    answer, said = denied(gateway, [(KEY, w.key), w.user],
                          "/check/envoy/nothing")
    assert answer.status == 403 and said.startswith("This call is not")
