"""The gateway's listener, asked as gateways ask it."""

import base64
import json
import threading
import time

import pytest

from lib import base, flows
from lib.gateway import KEY, Gateway, code_of
from lib import http as http_lib


def http_raw(server):
    return http_lib.Raw("127.0.0.1", server.gateway_port)


def test_allowed(server, gateway, key):
    answer = gateway.ask("/check", headers=[
        (KEY, key), ("X-Forwarded-Method", "GET"), ("X-Forwarded-Uri", "/x")])
    assert code_of(answer) == "allowed"
    headers = {name.lower(): value for name, value in answer.getheaders()}
    subscription = server.sql("SELECT id FROM subscription")[0][0]
    assert headers["x-latchkey-tenant"] == "ALTWORX"
    assert headers["x-latchkey-subscription"] == subscription
    assert headers["x-latchkey-product"] == "revio-api"
    assert headers["x-latchkey-accounts"] == "all"
    assert "x-latchkey-api-user" not in headers
    assert headers["cache-control"] == "no-store"


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH",
                                    "DELETE", "OPTIONS"])
def test_every_method_on_every_way(gateway, key, method):
    plain = [(KEY, key), ("X-Forwarded-Method", "GET"),
             ("X-Forwarded-Uri", "/x")]
    nginx = [(KEY, key), ("X-Original-Method", "GET"),
             ("X-Original-URI", "/x")]
    assert gateway.ask("/check", method, plain).status == 200
    assert gateway.ask("/check/nginx", method, nginx).status == 200
    assert gateway.ask("/check/envoy/x?y", method, [(KEY, key)]).status == 200
    # The other way's headers, or none.
    for path, headers in (("/check", nginx), ("/check/nginx", plain),
                          ("/check/envoy/x", plain), ("/check", [(KEY, key)]),
                          ("/check", plain + nginx), ("/check", plain * 2),
                          # One half of what says which call it is.
                          ("/check", plain[:2]), ("/check", plain[::2]),
                          ("/check/nginx", nginx[:2]),
                          ("/check/nginx", nginx[::2])):
        assert gateway.ask(path, method, headers).status == 403


def test_a_body_or_its_length_may_be_missing(server, gateway, key):
    """Gateways send neither, whatever the method."""
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        for lines in ((), ("Content-Length: 0",)):
            with http_raw(server) as raw:
                for _ in range(2):
                    raw.send("\r\n".join([
                        f"{method} /check/envoy/x HTTP/1.1", "Host: x",
                        "X-Empty:", f"{KEY}: {key}", *lines, "", ""]).encode())
                    assert raw.answer().status == 200
    for empty in ("X-Forwarded-Method", "X-Forwarded-Uri"):
        call = {"X-Forwarded-Method": "GET", "X-Forwarded-Uri": "/x",
                empty: ""}
        answer = gateway.ask("/check", headers=[(KEY, key), *call.items()])
        assert code_of(answer) == "not_permitted"
    answer = gateway.ask("/check/envoy/x", headers=[(KEY, "")])
    assert code_of(answer) == "missing_key"


def test_denied(gateway, key):
    assert gateway.check(None) == "missing_key"
    assert gateway.check("0" * 32) == "unknown_key"
    assert gateway.check(key.upper()) == "unknown_key"
    assert gateway.check(key[:-1]) == "unknown_key"
    assert gateway.check("x" * 3000) == "unknown_key"
    assert gateway.check(key) == "allowed"
    assert gateway.check(None, uri=f"/x?subscription-key={key}") == "allowed"
    assert gateway.check(key, uri=f"/x?subscription-key={key}"
                         ) == "not_permitted"
    # Where none is asked for, a user that is given must be right all the same.
    login = base64.b64encode(b"NOBODY@ALTWORX:password").decode()
    for value, code in ((f"Basic {login}", "bad_api_user"),
                        ("Basic !", "bad_api_user"),
                        ("Bearer abc", "allowed")):
        assert gateway.check(key, headers=[("Authorization", value)]) == code
    answer = gateway.ask("/check", headers=[
        ("X-Forwarded-Method", "GET"), ("X-Forwarded-Uri", "/x")])
    assert answer.headers["www-authenticate"].startswith("Basic realm=")


def test_nginx_gets_what_it_passes_on(server, gateway, key):
    call = [("X-Original-Method", "GET"), ("X-Original-URI", "/x")]
    answer = gateway.ask("/check/nginx", headers=call)
    assert answer.status == 401
    assert answer.headers["x-latchkey-code"] == "missing_key"
    answer = gateway.ask("/check/nginx", headers=call * 2 + [(KEY, key)])
    assert answer.status == 403
    assert answer.headers["x-latchkey-status"] == "403"


def test_nothing_else_is_there(server, gateway, key):
    assert gateway.ask("/livez").text == "ok\n"
    for path in ("/", "/signin", "/check/", "/check/envoy", "/checks",
                 "/check/nginx/x", "/assets/app.css"):
        answer = gateway.ask(path, headers=[(KEY, key)])
        assert answer.status == 404, path
        assert json.loads(answer.text)["code"] == "not_found"
    # Nor is the check on the portal's.
    assert server.client().get("/check").status == 404


ODD = {
    "headers of 20 kB": (431, "headers_too_large",
                         ["GET /check HTTP/1.1", "Host: x",
                          "X-Long: " + "a" * 20000]),
    "120 headers": (431, "headers_too_large",
                    ["GET /check HTTP/1.1", "Host: x",
                     *[f"X-{i}: {i}" for i in range(120)]]),
    "no host": (400, "bad_request", ["GET /check HTTP/1.1", "X: y"]),
    "NUL": (400, "bad_request", ["GET /check HTTP/1.1", "Host: x",
                                 f"{KEY}: a\0b"]),
    "long address": (414, "address_too_long",
                     ["GET /check/envoy/" + "a" * 4000 + " HTTP/1.1",
                      "Host: x"]),
    "large body": (413, "too_large", ["POST /check HTTP/1.1", "Host: x",
                                      "Content-Length: 65537"]),
    "large question": (413, "too_large", ["POST /v1/verify HTTP/1.1",
                                          "Host: x",
                                          "Content-Length: 65537"]),
    "another version": (505, "not_served", ["GET /check HTTP/2.5",
                                            "Host: x"]),
}


@pytest.mark.parametrize("row", ODD)
def test_what_is_no_call_is_denied_in_the_same_words(server, row):
    status, code, lines = ODD[row]
    for path in ("/check", "/check/nginx"):
        if path != "/check" and not lines[0].startswith("GET /check HTTP/1."):
            continue
        with http_raw(server) as raw:
            raw.send("\r\n".join([
                lines[0].replace("/check ", path + " "), *lines[1:], "", ""
            ]).encode())
            answer = raw.answer()
            # nginx lets no other status through.
            assert answer.status == (status if path == "/check" else 403)
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.headers["cache-control"] == "no-store"
            assert answer.headers["x-latchkey-status"] == str(status)
            assert answer.headers["x-latchkey-code"] == code
            problem = json.loads(answer.text)
            assert (problem["status"], problem["code"]) == (status, code)
            assert problem["title"] and problem["detail"]
            if path != "/check":
                assert answer.headers["x-latchkey-problem"] == answer.text
            assert raw.is_closed()
    # The portal's own are pages.
    with server.raw() as raw:
        raw.send("\r\n".join([*lines, "", ""]).encode())
        assert raw.answer().headers["content-type"].startswith("text/html")


def test_nothing_secret_is_logged(server, gateway, key):
    wrong = "f" * 32
    assert gateway.check(wrong) == "unknown_key"
    assert gateway.check(None, uri=f"/x?subscription-key={wrong}"
                         ) == "unknown_key"
    assert gateway.check(key) == "allowed"
    log = server.settled_log()
    assert wrong not in log and key not in log


def test_secret_of_the_gateway(make_server, folder):
    path = folder / "secret"
    path.write_text("a secret of the gateway\n")
    server = make_server(settings={"GATEWAY_SECRET_FILE": str(path)},
                         courier=False)
    for headers, code in (({}, "unknown_gateway"),
                          ({"X-Latchkey-Secret": "another"},
                           "unknown_gateway"),
                          ({"X-Latchkey-Secret": "a secret of the gateway"},
                           "missing_key")):
        one = Gateway(server, **headers)
        assert one.check(None) == code
        one.close()
    path.write_text("short\n")
    server.stop_portal()
    server.start_portal(wait=False)
    assert server.portal.wait(10) == 2
    assert "LATCHKEY_GATEWAY_SECRET_FILE" in server.raw_log()
    server.portal = None


@pytest.mark.alone
def test_database_away(make_server, own_cluster):
    """Known keys go on for the grace time, unknown ones get 503, nothing is
    open by accident; back, at once."""
    server = make_server(on=own_cluster, settings={"GRACE_S": "6"})
    key = flows.show_key(flows.client_with_key(server)[0])
    server.sql("UPDATE product SET needs_api_user = false, "
               "calls_a_minute = 1000000")
    gateway = Gateway(server)
    # What was told of the last change has come by, too.
    base.wait_until(lambda: all(gateway.check(key) == "allowed"
                                for _ in range(100)), 5, "the key")
    began = time.monotonic()
    own_cluster.kill()
    while (code := gateway.check(key)) == "allowed":
        assert gateway.check("0" * 32) in ("unavailable", "unknown_key")
        assert gateway.check(None) == "missing_key"
        assert time.monotonic() - began < 20
    assert code == "unavailable"
    assert time.monotonic() - began > 5
    assert gateway.check("0" * 32) == "unavailable"
    own_cluster.start()
    base.wait_until(lambda: gateway.check(key) == "allowed", 5, "its return")
    server.sql("UPDATE subscription SET expires_at = now()")
    base.wait_until(lambda: gateway.check(key) == "expired", 5, "the change")
    gateway.close()


def test_a_key_follows_its_client(make_server):
    """Merged into another, the subscription is the other's at once."""
    server = make_server()
    key = flows.show_key(flows.client_with_key(server, "OLDCO", "Old Co")[0])
    server.sql("UPDATE product SET needs_api_user = false, "
               "calls_a_minute = 1000000")
    flows.add_tenant(server, "NEWCO", "New Co")
    gateway = Gateway(server)

    def tenant():
        answer = gateway.ask("/check/envoy/x", headers=[(KEY, key)])
        return answer.headers["x-latchkey-tenant"]
    # What was told before has come by, too.
    base.wait_until(lambda: {tenant() for _ in range(100)} == {"OLDCO"}, 5,
                    "the key")
    admin = flows.staff(server, role="admin")
    csrf = admin.get("/staff/tenants").form("signout").fields["csrf"]
    admin.post("/staff/tenants/OLDCO/merge", {
        "csrf": csrf, "into": "NEWCO", "reason": "One company"}).expect(303)
    base.wait_until(lambda: tenant() == "NEWCO", 5, "the merge")
    gateway.close()


def test_a_herd_asks_once(make_server):
    """A hundred who ask for one key that nobody knows yet."""
    server = make_server(workers=1)
    key = flows.show_key(flows.client_with_key(server)[0])
    server.sql("UPDATE product SET needs_api_user = false, "
               "calls_a_minute = 1000000")
    gateways = [Gateway(server) for _ in range(100)]
    for one in gateways:
        assert one.ask("/livez").status == 200
    codes, lock = [], threading.Lock()

    def ask(one):
        code = one.check(key)
        with lock:
            codes.append(code)
    threads = [threading.Thread(target=ask, args=(one,)) for one in gateways]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes == ["allowed"] * 100
    for one in gateways:
        one.close()


def test_who_hangs_up_while_it_is_read(server, key):
    """The read goes on without him."""
    for number in range(50):
        one = Gateway(server)
        one.http.putrequest("GET", "/check/envoy/x")
        one.http.putheader(KEY, f"{number:032x}")
        one.http.endheaders()
        one.close()
    last = Gateway(server)
    assert last.check(key) == "allowed"
    last.close()
