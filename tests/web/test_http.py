"""HTTP as it should be spoken, with raw sockets: a test for each row of what
Kore 4.1.0 does and what this portal must do (app/kore/README.md)."""

import concurrent.futures

import pytest

from lib import flows, http
from lib.base import wait_until


def head(method="GET", path="/livez", *lines, host="localhost"):
    return "\r\n".join([f"{method} {path} HTTP/1.1", f"Host: {host}", *lines,
                        "", ""]).encode()


def ask(server, data):
    with server.raw() as raw:
        raw.send(data)
        answer = raw.answer(head=data.startswith(b"HEAD"))
        return answer, raw.is_closed(0.3)


def refused(server, data, status=400):
    """Answered with our error page, and the connection closed."""
    with server.raw() as raw:
        raw.send(data)
        answer = raw.answer()
        assert answer.status == status, answer.text[:300]
        assert "<!doctype html>" in answer.text
        assert raw.is_closed()
        return answer


# -- the request line and the header block

def test_plain_answer_and_keep_alive(server):
    with server.raw() as raw:
        for _ in range(3):
            raw.send(head())
            answer = raw.answer()
            assert answer.status == 200
            assert answer.text == "ok\n"
            assert answer.headers["Server"] == "latchkey"


def test_header_block_up_to_16_kb(server):
    answer, _ = ask(server, head("GET", "/livez", "X-Long: " + "a" * 15000))
    assert answer.status == 200
    refused(server, head("GET", "/livez", "X-Long: " + "a" * 20000), 431)


def test_98_headers_are_kept_and_more_refused(server):
    many = [f"X-{i}: {i}" for i in range(60)]
    # The cookie stands behind them all: behind nginx Kore lost it.
    answer, _ = ask(server, head("GET", "/livez", *many, "Cookie: a=b"))
    assert answer.status == 200
    refused(server, head("GET", "/livez",
                         *[f"X-{i}: {i}" for i in range(120)]), 431)


@pytest.mark.parametrize("block", [
    b"GET /livez HTTP/1.1\nHost: localhost\n\n\r\n\r\n",
    b"GET /livez HTTP/1.1\r\nHost: localhost\nX: y\r\n\r\n",
    b"GET /livez HTTP/1.1\r\nHost: localhost\rX: y\r\n\r\n",
    b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX: a\x00b\r\n\r\n",
    b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX : y\r\n\r\n",
    b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX: y\r\n folded\r\n\r\n",
    b"GET /livez HTTP/1.1\r\nHost: localhost\r\nno colon\r\n\r\n",
    b"GET /livez\r\nHost: localhost\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
])
def test_broken_header_blocks(server, block):
    refused(server, block)


def test_http_versions(server):
    answer, closed = ask(server,
                         b"GET /livez HTTP/1.0\r\nHost: localhost\r\n\r\n")
    assert (answer.status, closed) == (200, True)
    refused(server, b"GET /livez HTTP/2.0\r\nHost: localhost\r\n\r\n", 505)


# -- Host

@pytest.mark.parametrize("lines", [
    [], ["Host:"], ["Hostile: localhost"],
    ["Host: localhost", "Host: localhost"],
    ["Host: localhost", "host: other.example"],
    ["Host: a/b"], ["Host: a b"], ["Host: a@b"], ["Host: a\"b"],
])
def test_bad_hosts(server, lines):
    refused(server, "\r\n".join(
        ["GET /livez HTTP/1.1", *lines, "", ""]).encode())


def test_a_header_that_begins_with_host_is_not_it(server):
    with server.raw() as raw:
        raw.send(b"GET /livez HTTP/1.1\r\nHostile: evil.example\r\n"
                 b"Host: localhost\r\n\r\n")
        assert raw.answer().status == 200


# -- bodies and their length

def test_body_over_the_limit(server):
    refused(server, head("POST", "/signin", "Content-Length: 65537"), 413)


def test_body_longer_than_its_length(server):
    refused(server, head("POST", "/signin", "Content-Length: 3") + b"a=bcdef")


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "OPTIONS",
                                    "BREW"])
@pytest.mark.parametrize("how", ["Content-Length: 40",
                                 "Transfer-Encoding: chunked"])
def test_no_body_where_none_belongs(server, method, how):
    """Its bytes would be run as the next request."""
    inner = head("GET", "/signin")
    before = len(server.requests())
    with server.raw() as raw:
        raw.send(head(method, "/livez", how) + inner)
        # Answered before the method is known, so with a body for HEAD too.
        assert raw.answer().status == 400
        assert raw.is_closed()
    assert "/signin" not in [
        line["route"] for line in server.requests()[before:]]


@pytest.mark.parametrize("lines", [
    ["Content-Length: 3", "Content-Length: 3"],
    ["Content-Length: 3", "Content-Length: 4"],
    ["Content-Length: +3"],
    ["Content-Length: 3", "Transfer-Encoding: chunked"],
    ["Content-Length: 3", "Transfer-Encoding: identity"],
])
def test_ambiguous_lengths(server, lines):
    refused(server, head("POST", "/signin", *lines) + b"a=b")


@pytest.mark.parametrize("line", ["Content-Length: 0x3", "Content-Length: -1",
                                  "Content-Length: 3 3", "Content-Length: x",
                                  "Content-Length:",
                                  "Transfer-Encoding: chunked"])
def test_no_usable_length(server, line):
    refused(server, head("POST", "/signin", line), 411)


def test_no_length_is_no_body(server):
    """RFC 9112 section 6.3; what follows all the same is never run."""
    for method in ("POST", "PUT", "PATCH"):
        answer, closed = ask(server, head(method, "/livez"))
        assert (answer.status, closed) == (405, False)
    answer, _ = ask(server, head("POST", "/signin"))
    assert answer.status == 403
    before = len(server.requests())
    with server.raw() as raw:
        raw.send(head("POST", "/livez") + head("GET", "/signin"))
        assert raw.answer().status == 405
        assert raw.is_closed()
    routes = [line["route"] for line in server.requests()[before:]]
    assert len(routes) == 1 and "/signin" not in routes


def test_a_header_may_be_empty(server):
    """RFC 9110 section 5.5; a name may not, nor may Host."""
    answer, _ = ask(server, head("GET", "/livez", "X-Empty:", "Cookie: ",
                                 "Referer:", "User-Agent:", "Origin:",
                                 "X-Forwarded-For:", "If-None-Match:"))
    assert answer.status == 200
    for line in (":", ": x", "Content-Length:", "Transfer-Encoding:"):
        refused(server, head("GET", "/livez", line))
    refused(server, head(host=""))


def test_pipelined_request_is_not_lost_silently(server):
    """The second is not answered; the closed connection says: send again."""
    with server.raw() as raw:
        raw.send(head() + head())
        answer = raw.answer()
        assert answer.status == 200
        assert answer.headers["Connection"] == "close"
        assert raw.is_closed()


def test_split_body(server):
    with server.raw() as raw:
        raw.send(head("POST", "/signin", "Content-Length: 5",
                      "Content-Type: application/x-www-form-urlencoded"))
        raw.send(b"a=")
        raw.send(b"bcd")
        assert raw.answer().status == 403       # no csrf: it was read


def test_form_fields_survive(server):
    """Values with = and line breaks, empty ones, and a hundred of them."""
    browser = server.client()
    page = browser.get("/signup").expect(200)
    answer = browser.submit(page, {
        "name": "A=B=C", "client": "", "email": "x",
        **{f"field{i}": "1" for i in range(100)}}, "/signup")
    assert answer.status == 422
    assert 'value="A=B=C"' in answer.text
    too_many = {f"f{i}": "1" for i in range(1100)}
    assert browser.submit(page, too_many, "/signup").status == 413


@pytest.mark.parametrize("kind", ["text/plain", "multipart/form-data",
                                  "application/json", None,
                                  "application/x-www-form-urlencodedx"])
def test_other_content_types(server, kind):
    browser = server.client()
    answer = browser.post("/signin", {"a": "b"},
                          headers={"Content-Type": kind})
    assert answer.status == 400


@pytest.mark.parametrize("body", [b"a=%", b"a=%zz", b"a=%00", b"a=%ff",
                                  b"\xff=\xfe", b"a\x00b=c"])
def test_forms_that_are_no_text(server, body):
    refused(server, head("POST", "/signin", f"Content-Length: {len(body)}",
                         "Content-Type: application/x-www-form-urlencoded")
            + body)


# -- paths, methods, cookies

@pytest.mark.parametrize("path", [
    "/assets/../livez", "/assets/..%2flivez", "/%2e%2e/livez", "//livez",
    "/./livez", "/livez%00", "/livez%0d%0aX:y", "/a\\b", "/%ff", "/%",
    "/livez?a=%zz", "http://localhost/livez", "livez", "*",
    "/static/../static_private/x",
])
def test_paths_that_are_refused(server, path):
    answer, _ = ask(server, head("GET", path))
    assert answer.status in (400, 404)
    assert "<!doctype html>" in answer.text


def test_a_long_address(server):
    refused(server, head("GET", "/" + "a" * 9000), 414)
    answer, _ = ask(server, head("GET", "/" + "a" * 1500))
    assert answer.status == 400


def test_encoded_paths_are_decoded(server):
    answer, _ = ask(server, head("GET", "/li%76ez"))
    assert answer.status == 200


@pytest.mark.parametrize("method, path, status, allow", [
    ("OPTIONS", "/livez", 204, "GET, HEAD, OPTIONS"),
    ("DELETE", "/livez", 405, "GET, HEAD, OPTIONS"),
    ("BREW", "/livez", 405, "GET, HEAD, OPTIONS"),
    ("OPTIONS", "/signin", 204, "GET, HEAD, POST, OPTIONS"),
    ("BREW", "/nowhere", 404, None),
    ("DELETE", "/signout", 405, "POST, OPTIONS"),
])
def test_methods(server, method, path, status, allow):
    answer, _ = ask(server, head(method, path))
    assert answer.status == status
    assert answer.headers.get("Allow") == allow


def test_head_is_get_without_a_body(server):
    get, _ = ask(server, head("GET", "/signin"))
    answer, _ = ask(server, head("HEAD", "/signin"))
    assert answer.status == 200
    assert answer.headers["Content-Length"] == get.headers["Content-Length"]
    assert not answer.text


def test_cookies_beyond_kores_nine_and_with_equals(server):
    browser = flows.contact(server)
    name, value = next(iter(browser.cookies.items()))
    others = "; ".join(f"c{i}=v=={i}=" for i in range(25))
    answer = server.client().get(
        "/profile", headers={"Cookie": f"{others}; {name}={value}"})
    assert answer.status == 200


def test_headers_may_hold_other_bytes(server):
    """A neighbour's cookie on this host, a browser's odd name (obs-text)."""
    for line in ("Cookie: lang=\u65e5\u672c; x=\u00e9",
                 "User-Agent: Br\u00f6wser", "Referer: http://\u00e9/"):
        for raw in (line.encode(), line.encode("utf-16-le").replace(b"\0", b"")):
            answer, _ = ask(server, b"GET /signin HTTP/1.1\r\nHost: localhost"
                            b"\r\n" + raw + b"\r\n\r\n")
            assert answer.status == 200, raw
    browser = server.client(headers={"User-Agent": b"Br\xf6wser \xff"})
    email = flows.contact(server).email
    page = browser.get("/signin").expect(200)
    browser.submit(page, {"email": email, "password": flows.PASSWORD},
                   "/signin").expect(303)
    refused(server, head("GET", "/livez", host="b\u00fccher.example"))


# -- answers

def test_security_headers_everywhere(server):
    for path in ("/livez", "/signin", "/nowhere", "/products"):
        answer, _ = ask(server, head("GET", path))
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none';")
        for part in ("form-action 'self'", "base-uri 'none'",
                     "frame-ancestors 'none'"):
            assert part in policy
        assert "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert "camera=()" in answer.headers["Permissions-Policy"]
        assert answer.headers["Cache-Control"] == "no-store"
        # Plain HTTP on loopback: no HSTS, which would lock browsers out.
        assert "Strict-Transport-Security" not in answer.headers
    # Also where Kore answers itself.
    answer = refused(server, b"GET /livez\r\nHost: x\r\n\r\n")
    assert "Content-Security-Policy" in answer.headers


def test_no_header_can_be_injected(server):
    """What is typed never reaches a header with its line breaks."""
    for path in ("/signin?next=%0d%0aSet-Cookie:%20a=b",
                 "/products/%0d%0aSet-Cookie:%20a=b"):
        answer, _ = ask(server, head("GET", path))
        assert "a=b" not in str(answer.headers)


def test_static_files(server):
    browser = server.client()
    page = browser.get("/signin").text
    start = page.index("/assets/app.")
    path = page[start:page.index('"', start)]
    plain = browser.get(path).expect(200)
    assert plain.headers["Cache-Control"] == (
        "public, max-age=31536000, immutable")
    assert plain.headers["Content-Type"].startswith("text/css")
    assert "Content-Encoding" not in plain.headers
    etag = plain.headers["ETag"]
    zipped = browser.get(path, headers={"Accept-Encoding": "br, gzip"})
    assert zipped.headers["Content-Encoding"] == "gzip"
    assert zipped.headers["Vary"].lower() == "accept-encoding"
    assert len(zipped.body) < len(plain.body) / 3
    assert "Content-Encoding" not in browser.get(
        path, headers={"Accept-Encoding": "gzip;q=0"}).headers
    known = browser.get(path, headers={"If-None-Match": etag})
    assert (known.status, known.body) == (304, b"")
    assert browser.get("/assets/app.css").status == 404
    assert browser.get("/assets/manifest.txt").status == 404


# -- time

def test_idle_connection_closes_without_a_word(make_server):
    server = make_server(courier=False)
    with server.raw(timeout_s=40) as raw:
        raw.send(head())
        assert raw.answer().status == 200
        assert raw.is_closed(35)
        assert raw.buffer == b""


def test_half_a_request_times_out(make_server):
    server = make_server(courier=False)
    with (server.raw(timeout_s=40) as raw,
          http.Raw("127.0.0.1", server.gateway_port, 40) as check):
        raw.send(b"GET /livez HTTP/1.1\r\nHost: loc")
        check.send(b"GET /check HTTP/1.1\r\nHost: loc")
        assert raw.answer().status == 408
        assert raw.is_closed()
        assert check.answer().headers["x-latchkey-code"] == "too_slow"
        assert check.is_closed()


def test_a_thousand_connections_and_both_workers(make_server):
    """A burst may go to whose turn it is; the next ones are the other's."""
    server = make_server(workers=2, courier=False)
    raws = [server.raw() for _ in range(1000)]
    try:
        for raw in raws:
            raw.send(head())
        assert all(raw.answer().status == 200 for raw in raws)

        def workers_that_answered():
            with server.raw() as one:
                one.send(head())
                assert one.answer().status == 200
            return {line["pid"] for line in server.log()
                    if line.get("event") == "request"
                    and line.get("route") == "/livez"}
        wait_until(lambda: len(workers_that_answered()) == 2, 10,
                   "answers of both workers")
    finally:
        for raw in raws:
            raw.close()


def test_sigterm_lets_a_running_request_finish(make_server):
    """A sign-in is being hashed when the portal is told to stop."""
    server = make_server()
    email = flows.contact(server).email
    browser = server.client()
    page = browser.get("/signin").expect(200)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        asked = [pool.submit(browser_sign_in, server, page, browser, email)
                 for _ in range(4)]
        assert server.stop_portal() == 0
        statuses = [a.result() for a in asked]
    # Answered, or refused before it was read; nobody got half an answer.
    assert set(statuses) <= {303, 503, "refused"}


def browser_sign_in(server, page, browser, email):
    client = server.client()
    client.cookies = dict(browser.cookies)
    try:
        return client.submit(page, {"email": email,
                                    "password": flows.PASSWORD},
                             "/signin").status
    except ConnectionRefusedError:
        return "refused"
