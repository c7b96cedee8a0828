"""Requests that nginx and the portal could understand differently: none ever
becomes a second request in a kept connection between them, or leaves an
answer there for the next visitor."""

import socket

import pytest

from lib import h2
from lib.front import Front
from lib.tls import client_context

# What the smuggled request asks for; no page here is asked for otherwise.
INNER = "GET /how-it-works HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture(scope="module", params=["unix", "tcp"])
def front(request, cluster):
    one = Front(cluster, tcp=request.param == "tcp")
    yield one
    one.close()


def post(body, *lines, path="/signin"):
    return "\r\n".join([f"POST {path} HTTP/1.1", "Host: localhost",
                        "Content-Type: application/x-www-form-urlencoded",
                        *lines, "", ""]) + body


def get(body, *lines):
    return "\r\n".join(["GET /livez HTTP/1.1", "Host: localhost", *lines,
                        "", ""]) + body


CHUNKED = f"{len(INNER):x}\r\n{INNER}\r\n0\r\n\r\n"
TRICKS = {
    "CL.TE": post("0\r\n\r\n" + INNER, f"Content-Length: {5 + len(INNER)}",
                  "Transfer-Encoding: chunked"),
    "TE.CL": post(CHUNKED, "Transfer-Encoding: chunked", "Content-Length: 4"),
    "TE.TE": post("0\r\n\r\n" + INNER, f"Content-Length: {5 + len(INNER)}",
                  "Transfer-Encoding: chunked", "Transfer-Encoding: x"),
    "TE twice": post(CHUNKED, "Transfer-Encoding: chunked",
                     "Transfer-Encoding: chunked"),
    "TE tab": post(CHUNKED, "Transfer-Encoding:\tchunked",
                   "Content-Length: 4"),
    "TE space": post(CHUNKED, "Transfer-Encoding : chunked",
                     "Content-Length: 4"),
    "TE list": post(CHUNKED, "Transfer-Encoding: gzip, chunked"),
    "TE in 1.0": post(CHUNKED, "Transfer-Encoding: chunked").replace(
        "HTTP/1.1", "HTTP/1.0", 1),
    "TE underscore": post("0\r\n\r\n" + INNER, "Transfer_Encoding: chunked",
                          f"Content-Length: {5 + len(INNER)}"),
    "chunked": post(CHUNKED, "Transfer-Encoding: chunked"),
    "chunk size": post(f"-1\r\n{INNER}\r\n0\r\n\r\n",
                       "Transfer-Encoding: chunked"),
    "chunk huge": post(f"ffffffffffffffff1\r\n{INNER}\r\n0\r\n\r\n",
                       "Transfer-Encoding: chunked"),
    "chunk extension": post(f"{len(INNER):x};a=\nb\r\n{INNER}\r\n0\r\n\r\n",
                            "Transfer-Encoding: chunked"),
    "trailer": post(f"0\r\nX: y\r\n{INNER}", "Transfer-Encoding: chunked"),
    "CL twice": post(INNER, "Content-Length: 0",
                     f"Content-Length: {len(INNER)}"),
    "CL same twice": post(INNER, f"Content-Length: {len(INNER)}",
                          f"Content-Length: {len(INNER)}"),
    "CL list": post(INNER, f"Content-Length: 0, {len(INNER)}"),
    "CL plus": post(INNER, f"Content-Length: +{len(INNER)}"),
    "CL minus": post(INNER, "Content-Length: -1"),
    "CL hex": post(INNER, f"Content-Length: {len(INNER):#x}"),
    "CL space": post(INNER, f"Content-Length : {len(INNER)}"),
    "CL empty": post(INNER, "Content-Length:"),
    "CL folded": post(INNER, "X: y", f" Content-Length: {len(INNER)}"),
    "GET body": get(INNER, f"Content-Length: {len(INNER)}"),
    "GET chunked": get(CHUNKED, "Transfer-Encoding: chunked"),
    "HEAD body": get(INNER, f"Content-Length: {len(INNER)}").replace(
        "GET", "HEAD", 1),
    "OPTIONS body": get(INNER, f"Content-Length: {len(INNER)}").replace(
        "GET", "OPTIONS", 1),
    "form body": post(INNER, f"Content-Length: {len(INNER)}"),
    "bare CR": get("", "X: a\rContent-Length: 40"),
    "bare CR ends": get("", f"X: a\r\r{INNER[:-4]}"),
    "bare LF": get("", f"X: a\nContent-Length: {len(INNER)}\nY: b") + INNER,
    "NUL": get("", "X: a\0b"),
    "CR LF in the path": get("").replace(
        "/livez", "/livez%0d%0aHost:%20x%0d%0a%0d%0aGET%20/how-it-works", 1),
    "CR LF in the query": get("").replace(
        "/livez", "/livez?a=%0d%0a%0d%0aGET%20/how-it-works", 1),
    "Connection names": get("", "Connection: Host, Content-Length, "
                                "X-Forwarded-For", "Content-Length: 0"),
    "Upgrade": get(INNER, "Connection: Upgrade, HTTP2-Settings",
                   "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"),
    "Expect": post(INNER, f"Content-Length: {len(INNER)}",
                   "Expect: 100-continue"),
}
# Here INNER stands behind a whole request, so it is a request of its own, in
# the eyes of both.
OPEN = {"TE in 1.0", "TE underscore", "Upgrade", "CL empty"}


def no_second_request(front, attack, allowed=1):
    """After an attack the portal has seen one request at most, and none of
    its connections is left with an answer that belongs to nobody: the next
    visitors get what they asked for."""
    before = len(front.requests())
    attack()
    for path, words in (("/terms", "Terms"), ("/products", "Products"),
                        ("/signin", "Sign in")):
        answer = front.visitor().get(path).expect(200)
        assert words in answer.title, (path, answer.title)
    routes = [line["route"] for line in front.requests()[before:]]
    assert "/signin" in routes, routes
    assert "/how-it-works" not in routes, routes
    assert len(routes) <= allowed + 3, routes


@pytest.mark.parametrize("trick", [t for t in TRICKS if t not in OPEN])
def test_smuggling(front, trick):
    data = TRICKS[trick].encode()

    def attack():
        for _ in range(2):
            with front.raw(2) as raw:
                raw.send(data)
                try:
                    raw.answer(head=trick == "HEAD body")
                except (TimeoutError, OSError, AssertionError):
                    pass
    no_second_request(front, attack, allowed=2)


@pytest.mark.parametrize("trick", sorted(OPEN))
def test_both_see_the_same_requests(front, trick):
    """nginx takes what follows for a request by its own rules and may pass
    it on; then it is answered to the one who sent it, and to nobody else."""
    with front.raw(2) as raw:
        raw.send(TRICKS[trick].encode())
        try:
            while raw.answer() is not None:
                pass
        except (TimeoutError, OSError):
            pass
    no_second_request(front, lambda: None, allowed=1)


H2 = [(b":method", b"POST"), (b":scheme", b"https"), (b":path", b"/signin"),
      (b":authority", b"localhost"),
      (b"content-type", b"application/x-www-form-urlencoded")]
BODY = INNER.encode()
H2_TRICKS = {
    "content-length 0": ([(b"content-length", b"0")], BODY),
    "content-length short": ([(b"content-length", b"4")], BODY),
    "content-length plus": ([(b"content-length",
                              b"+%d" % len(BODY))], BODY),
    "content-length twice": ([(b"content-length", b"0"),
                              (b"content-length", b"%d" % len(BODY))], BODY),
    "transfer-encoding": ([(b"transfer-encoding", b"chunked")],
                          b"0\r\n\r\n" + BODY),
    "connection": ([(b"connection", b"keep-alive, transfer-encoding"),
                    (b"transfer-encoding", b"chunked")],
                   b"0\r\n\r\n" + BODY),
    "line break in a value": ([(b"x", b"y\r\ntransfer-encoding: chunked")],
                              b"0\r\n\r\n" + BODY),
    "line feed in a value": ([(b"x", b"y\ntransfer-encoding: chunked")],
                             b"0\r\n\r\n" + BODY),
    "line break in a name": ([(b"x: y\r\ntransfer-encoding", b"chunked")],
                             b"0\r\n\r\n" + BODY),
    "NUL in a value": ([(b"x", b"a\0b")], b""),
    "whole request in a value": ([(b"x", b"y\r\n\r\n" + BODY)], b""),
    "no length": ([], BODY),
}


@pytest.mark.parametrize("trick", H2_TRICKS)
def test_smuggling_from_http_2(front, trick):
    headers, body = H2_TRICKS[trick]
    context = client_context(front.cert)
    context.set_alpn_protocols(["h2"])

    def attack():
        with socket.create_connection(("127.0.0.1", front.nginx.port),
                                      10) as tcp:
            with context.wrap_socket(tcp, server_hostname="localhost") as tls:
                assert tls.selected_alpn_protocol() == "h2"
                assert h2.ask(tls, H2 + headers, body) in (
                    400, 403, 501, "RST_STREAM", "GOAWAY", "closed")
    no_second_request(front, attack)


@pytest.mark.parametrize("pseudo, value", [
    (b":path", b"/livez HTTP/1.1\r\nHost: localhost\r\n\r\n"
               b"GET /how-it-works"),
    (b":path", b"/livez\nGET /how-it-works"),
    (b":path", b"/livez HTTP/1.1"),
    (b":method", b"GET /how-it-works HTTP/1.1\r\nX:"),
    (b":authority", b"localhost\r\nX: y"),
    (b":scheme", b"https\r\nX: y"),
])
def test_line_breaks_in_pseudo_headers(front, pseudo, value):
    headers = [(name, value if name == pseudo else
                b"GET" if name == b":method" else old)
               for name, old in H2[:4]]
    context = client_context(front.cert)
    context.set_alpn_protocols(["h2"])

    def attack():
        with socket.create_connection(("127.0.0.1", front.nginx.port),
                                      10) as tcp:
            with context.wrap_socket(tcp, server_hostname="localhost") as tls:
                assert h2.ask(tls, headers) in (
                    400, 404, 421, "RST_STREAM", "GOAWAY", "closed")
    no_second_request(front, attack)


def test_a_good_request_over_raw_http_2(front):
    """So that the refusals above are not those of a client that can't."""
    context = client_context(front.cert)
    context.set_alpn_protocols(["h2"])
    for extra, body in (([], b"a=b"), ([(b"content-length", b"3")], b"a=b")):
        with socket.create_connection(("127.0.0.1", front.nginx.port),
                                      10) as tcp:
            with context.wrap_socket(tcp, server_hostname="localhost") as tls:
                assert h2.ask(tls, H2 + extra, body) == 403     # no csrf
