"""nginx in front of the portal, with conf/nginx/latchkey.conf: pages, limits,
errors, restarts.  What is smuggled: test_nginx_smuggling.py."""

import base64
import collections
import concurrent.futures
import hashlib
import os
import re
import signal
import socket
import ssl
import threading

import pytest

from lib import base, flows, http
from lib.front import Front
from lib.nginx import CONF, Nginx
from lib.tls import client_context, handshake, make_certificate


@pytest.fixture(scope="module", params=["unix", "tcp"])
def front(request, cluster):
    one = Front(cluster, tcp=request.param == "tcp")
    yield one
    one.close()


@pytest.fixture
def own_front(cluster):
    one = Front(cluster, courier=False, workers=2)
    yield one
    one.close()


def ours(answer, status):
    """A page of ours, made by nginx or by the portal: not nginx's own."""
    assert answer.status == status, (answer.status, answer.text[:300])
    assert "<!doctype html>" in answer.text.lower()
    assert "<center>nginx" not in answer.text
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "max-age" in answer.headers["Strict-Transport-Security"]
    return answer


# -- pages

@pytest.mark.parametrize("option, version", [("--http2", "2"),
                                             ("--http1.1", "1.1")])
def test_pages(front, option, version):
    status, spoken, headers, body = front.curl("/signin", option)
    assert (status, spoken) == (200, version)
    assert b"<!doctype html>" in body.lower()
    # Once each: nginx adds nothing to what the portal says.
    assert headers["strict-transport-security"] == "max-age=31536000"
    assert headers["cache-control"] == "no-store"
    assert "content-encoding" not in headers
    assert headers["server"] == "nginx"
    status, _, headers, body = front.curl("/nowhere", option)
    assert status == 404
    assert b"Go to the home page" in body


def test_pages_are_never_compressed(front):
    """BREACH: a token and a visitor's words stand in them."""
    answer = front.client().get("/signin",
                                headers={"Accept-Encoding": "gzip, br"})
    assert "Content-Encoding" not in answer.headers


def test_files_are_compressed(front, build):
    browser = front.client()
    path = re.search(r"/assets/app\.[^\"]+",
                     browser.get("/signin").text).group()
    plain = browser.get(path).expect(200)
    zipped = browser.get(path, headers={"Accept-Encoding": "gzip, br"})
    assert plain.body == (build / path.strip("/")).read_bytes()
    assert zipped.headers["Content-Encoding"] == "gzip"
    assert len(zipped.body) < len(plain.body) / 2
    assert zipped.headers.get_all("Vary") == ["accept-encoding"]
    again = browser.get(path, headers={"If-None-Match":
                                       plain.headers["ETag"]})
    assert again.status == 304


def test_plain_http_leads_to_https(front):
    with http.Raw("127.0.0.1", front.nginx.plain_port) as raw:
        raw.send("GET /signin?a=b HTTP/1.1\nHost: evil.example\n\n")
        answer = raw.answer()
    assert answer.status == 308
    assert answer.headers["Location"] == "https://localhost/signin?a=b"


def test_old_tls_is_refused(front):
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        handshake(front.nginx.port,
                  client_context(front.cert, version, version))
    context = client_context(None, ssl.TLSVersion.TLSv1_2,
                             ssl.TLSVersion.TLSv1_2,
                             ciphers="ECDHE+SHA256:ECDHE+SHA384:@SECLEVEL=0")
    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        handshake(front.nginx.port, context)


# -- the way of a contact, and who is asking

def test_sign_up_and_the_address(front):
    """With cookies that are Secure and an Origin that is https; the session
    remembers where from, whatever the client says."""
    lie = {"X-Forwarded-For": "203.0.113.9", "Forwarded": "for=203.0.113.9",
           "X-Real-IP": "203.0.113.9"}
    email = flows.address()
    browser = front.client("127.0.0.9")
    browser.headers = lie
    flows.sign_up(front.server, email, browser=browser)
    flows.verify(front.server, email, browser)
    assert browser.get("/account").status == 200
    for line in browser.cookie_lines:
        assert line.startswith("__Host-latchkey")
        assert "Secure" in line and "HttpOnly" in line
    rows = front.server.sql("SELECT host(address) FROM session s "
                            "JOIN person p USING (account_id) "
                            "WHERE p.email = %s", [email])
    assert rows == [("127.0.0.9",)]
    # From elsewhere with the same cookies nothing is posted.
    page = browser.get("/account")
    out = browser.submit(page, action="/signout",
                         headers={"Origin": "https://evil.example"})
    assert out.status == 403
    assert browser.submit(page, action="/signout").status == 303


def test_an_address_is_believed_from_proxies_only(make_server):
    """The same portal asked directly, with nobody trusted."""
    server = make_server(settings={"TRUSTED_PROXIES": None})
    email = flows.address()
    browser = server.client(headers={"X-Forwarded-For": "203.0.113.9"})
    flows.sign_up(server, email, browser=browser)
    flows.verify(server, email, browser)
    assert server.sql("SELECT DISTINCT host(address) FROM session") == [
        ("127.0.0.1",)]


def test_large_cookies_and_many_headers(front):
    browser = flows.contact(front.server)
    browser.cookies = {"other": "x" * 7500, **browser.cookies}
    many = {f"X-Header-{i}": "y" * 40 for i in range(60)}
    answer = browser.get("/account", headers=many)
    assert answer.status == 200


# -- limits

@pytest.mark.parametrize("status, request_text", [
    (400, "GET /livez HTTP/1.1\n\n"),
    (400, "GET /livez HTTP/1.1\nHost: a b\n\n"),
    (400, "GARBAGE\n\n"),
    (405, "TRACE /livez HTTP/1.1\nHost: localhost\n\n"),
    (413, "POST /signin HTTP/1.1\nHost: localhost\n"
          "Content-Length: 70000\n\n"),
    (414, f"GET /{'a' * 9000} HTTP/1.1\nHost: localhost\n\n"),
    (421, "GET /livez HTTP/1.1\nHost: other.example\n\n"),
    (421, "GET http://other.example/livez HTTP/1.1\nHost: localhost\n\n"),
    (431, f"GET /livez HTTP/1.1\nHost: localhost\nX: {'a' * 9000}\n\n"),
    (501, "POST /signin HTTP/1.1\nHost: localhost\n"
          "Transfer-Encoding: gzip\n\n"),
], ids=lambda value: str(value)[:40])
def test_what_nginx_refuses(front, status, request_text):
    before = len(front.requests())
    with front.raw() as raw:
        raw.send(request_text)
        ours(raw.answer(), status)
    assert len(front.requests()) == before


def test_headers_over_the_portals_limit(front):
    """Each is short enough for nginx, together they are too much."""
    with front.raw() as raw:
        raw.send("GET /livez HTTP/1.1\nHost: localhost\n" + "".join(
            f"X-{i}: {'a' * 7000}\n" for i in range(3)) + "\n")
        ours(raw.answer(), 431)


def test_plain_http_on_the_tls_port(front):
    with http.Raw("127.0.0.1", front.nginx.port) as raw:
        raw.send("GET /livez HTTP/1.1\nHost: localhost\n\n")
        ours(raw.answer(), 400)


def test_nginxs_own_files_are_nobodys(front):
    assert ours(front.client().get("/latchkey-error/503.html"),
                404).headers["Content-Type"].startswith("text/html")


def test_error_pages_fit_their_policy():
    """Their one style is allowed by its hash, and nothing else is in them."""
    conf = (CONF / "latchkey.conf").read_text()
    pages = sorted((CONF / "errors").glob("*.html"))
    assert {p.stem for p in pages} == set(
        re.findall(r"/latchkey-error/(\d+)\.html", conf))
    for page in pages:
        text = page.read_text()
        style, = re.findall(r"<style>(.*?)</style>", text, re.S)
        digest = hashlib.sha256(style.encode()).digest()
        assert f"'sha256-{base64.b64encode(digest).decode()}'" in conf
        assert not re.search(r"<script|<link|<img|style=|\son\w+=", text)


def test_too_many_requests(front):
    """A page of ours with Retry-After; files and other addresses are free."""
    browser = front.client("127.0.0.66")
    asset = re.search(r"/assets/app\.[^\"]+",
                      browser.get("/signin").text).group()
    answers = [browser.get("/livez") for _ in range(120)]
    seen = collections.Counter(a.status for a in answers)
    assert set(seen) == {200, 429} and seen[200] >= 40
    refused = ours(next(a for a in answers if a.status == 429), 429)
    assert int(refused.headers["Retry-After"]) > 0
    assert "Wait a moment" in refused.words
    assert all(browser.get(asset).status == 200 for _ in range(60))
    assert front.client("127.0.0.67").get("/livez").status == 200


def test_tokens_are_not_logged(front):
    token = "A" * 43
    front.client().get(f"/verify/{token}?secret=query")
    base.wait_until(lambda: "/verify/ " in front.nginx.access_log())
    assert token not in front.nginx.access_log()
    assert "secret" not in front.nginx.access_log()
    assert token not in front.nginx.error_log()


# -- the portal goes and comes

def test_portal_down(own_front):
    front = own_front
    assert front.client().get("/signin").status == 200
    assert front.server.stop_portal() == 0
    for path in ("/signin", "/assets/app.css", f"/verify/{'B' * 43}"):
        answer = ours(front.client().get(path), 503)
        assert answer.headers["Retry-After"] == "5"
        assert "back in a moment" in answer.words
    assert "BBB" not in front.nginx.error_log()
    front.server.start_portal()
    assert front.client().get("/signin").status == 200


def test_killed_workers_are_hardly_seen(own_front):
    """A GET on a connection that broke is asked again on another."""
    front = own_front
    browser = front.client()
    for _ in range(3):
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            assert list(pool.map(lambda _: front.client().get(
                "/livez").status, range(8))) == [200] * 8
        victim = front.server.workers()[0]
        os.kill(victim, signal.SIGKILL)
        assert browser.get("/livez").status == 200
        base.wait_until(lambda: len(front.server.workers()) == 2)


class Dropper:
    """An upstream that answers the first request of each connection and
    hangs up on the second, having read it."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.seen = []
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,),
                             daemon=True).start()

    def serve(self, connection):
        with connection:
            self.read(connection)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"
                               b"Connection: keep-alive\r\n\r\nok")
            self.read(connection)

    def read(self, connection):
        data = b""
        while b"\r\n\r\n" not in data:
            more = connection.recv(4096)
            if not more:
                return
            data += more
        self.seen.append(data.split(b" ")[0].decode())

    def close(self):
        self.listener.close()


def test_a_lost_write_is_not_sent_again(folder):
    """Neither of them was answered; only the GET may be asked twice."""
    upstream = Dropper()
    cert, key = make_certificate(folder)
    nginx = Nginx(folder, f"127.0.0.1:{upstream.port}", cert, key)
    try:
        browser = http.Client(nginx.url)
        assert browser.get("/a").status == 200
        lost = ours(browser.post("/b", {"a": "1"}), 503)
        assert "look first whether it arrived" in lost.words
        assert upstream.seen == ["GET", "POST"]
        assert browser.get("/c").status == 200
        assert browser.get("/d").status == 200
        assert upstream.seen == ["GET", "POST", "GET", "GET", "GET"]
    finally:
        nginx.close()
        upstream.close()


def test_nginx_closes_before_the_portal():
    def seconds(name, path):
        text = (base.ROOT / path).read_text()
        return int(re.search(rf"^\s*{name}\s+(\d+)s?;?\s*$", text,
                             re.M).group(1))
    upstream = seconds("keepalive_timeout", "conf/nginx/latchkey.conf")
    assert upstream + 5 <= min(
        seconds("http_keepalive_time", "app/kore/kore.conf"),
        seconds("http_header_timeout", "app/kore/kore.conf"))
