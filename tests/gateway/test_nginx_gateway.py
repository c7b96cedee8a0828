"""Debian's nginx with conf/gateway/nginx.conf itself, in front of a small API:
only addresses, names and TLS are replaced."""

import http.client
import http.server
import json
import os
import shutil
import socket
import subprocess
import threading

import pytest

from lib import base, flows

KEY = "Ocp-Apim-Subscription-Key"
FRAME = """daemon off;
{user}
worker_processes 1;
pid {dir}/nginx.pid;
error_log {dir}/error.log;
events {{ worker_connections 256; }}
http {{
	access_log off;
	client_max_body_size 4m;
	client_body_temp_path {dir}/body;
	proxy_temp_path {dir}/proxy;
	fastcgi_temp_path {dir}/fastcgi;
	uwsgi_temp_path {dir}/uwsgi;
	scgi_temp_path {dir}/scgi;
	include {dir}/gateway.conf;
}}
"""


class Api(http.server.BaseHTTPRequestHandler):
    """Says what came to it."""

    protocol_version = "HTTP/1.1"

    def answer(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        text = json.dumps({
            "method": self.command, "path": self.path, "bytes": len(body),
            "headers": {k.lower(): v for k, v in self.headers.items()},
        }).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = answer

    def log_message(self, *_):
        pass


class Front:
    def __init__(self, server, folder):
        self.api = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Api)
        threading.Thread(target=self.api.serve_forever, daemon=True).start()
        self.port = base.free_port()
        text = (base.ROOT / "conf/gateway/nginx.conf").read_text()
        for old, new in (
                ("server 127.0.0.1:8081;",
                 f"server 127.0.0.1:{server.gateway_port};"),
                ("server 127.0.0.1:9000;",
                 f"server 127.0.0.1:{self.api.server_address[1]};"),
                ("listen 443 ssl http2;", f"listen 127.0.0.1:{self.port};"),
                ("\tssl_certificate /etc/ssl/latchkey/api.crt;\n", ""),
                ("\tssl_certificate_key /etc/ssl/latchkey/api.key;\n", "")):
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        (folder / "gateway.conf").write_text(text)
        (folder / "nginx.conf").write_text(FRAME.format(
            dir=folder, user="user www-data;" if os.getuid() == 0 else ""))
        command = ["/usr/sbin/nginx", "-p", str(folder), "-c",
                   str(folder / "nginx.conf"), "-e", str(folder / "start.log")]
        subprocess.run([*command, "-t"], check=True, capture_output=True,
                       env=base.clean_env())
        self.process = base.spawn(command, env=base.clean_env())
        base.wait_until(self.listens, 10, "nginx")

    def listens(self):
        assert self.process.poll() is None
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except ConnectionRefusedError:
            return False
        return True

    def call(self, path="/contacts", method="GET", body=None, **headers):
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        link.request(method, path, body, {
            name.replace("_", "-"): value for name, value in headers.items()})
        answer = link.getresponse()
        answer.text = answer.read().decode()
        link.close()
        return answer

    def close(self):
        base.end(self.process)
        self.api.shutdown()
        self.api.server_close()


@pytest.fixture(scope="module")
def key(server):
    owner = flows.client_with_key(server)[0]
    server.sql("UPDATE product SET needs_api_user = false")
    return flows.show_key(owner)


@pytest.fixture(scope="module")
def front(server):
    folder = base.temp_dir("gateway")
    shutil.chown(folder, "www-data") if os.getuid() == 0 else None
    one = Front(server, folder)
    yield one
    one.close()
    base.remove(folder)


def problem(answer, status, code):
    assert answer.status == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    said = json.loads(answer.text)
    assert (said["status"], said["code"]) == (status, code)


def test_allowed(front, key):
    answer = front.call("/contacts?a=b", Ocp_Apim_Subscription_Key=key)
    assert answer.status == 200
    came = json.loads(answer.text)
    assert came["path"] == "/contacts?a=b"
    assert came["headers"]["x-latchkey-tenant"] == "ALTWORX"
    assert came["headers"]["x-latchkey-product"] == "revio-api"
    assert came["headers"]["x-latchkey-accounts"] == "all"
    # The API is not shown the key.
    assert key not in answer.text
    # In the query it is, since the query is passed on as it came.
    assert front.call(f"/c?subscription-key={key}").status == 200


def test_what_comes_from_outside_is_dropped(front, key):
    answer = front.call(
        Ocp_Apim_Subscription_Key=key, X_Latchkey_Tenant="OTHER",
        X_Latchkey_Api_User="ROOT@OTHER", X_Original_Method="DELETE",
        X_Original_URI="/admin", X_Forwarded_Method="DELETE",
        X_Forwarded_Uri="/admin", X_Latchkey_Secret="guess")
    assert answer.status == 200
    came = json.loads(answer.text)["headers"]
    assert came["x-latchkey-tenant"] == "ALTWORX"
    assert not {"x-latchkey-api-user", "x-latchkey-secret", "x-original-uri",
                "x-original-method", "x-forwarded-method",
                "x-forwarded-uri"} & set(came)


def test_denied(server, front, key):
    answer = front.call()
    problem(answer, 401, "missing_key")
    assert answer.headers["www-authenticate"].startswith("Basic ")
    problem(front.call(Ocp_Apim_Subscription_Key="0" * 32), 401,
            "unknown_key")
    problem(front.call(f"/?subscription-key={key}",
                       Ocp_Apim_Subscription_Key=key), 403, "not_permitted")
    server.sql("UPDATE subscription SET expires_at = now()")
    base.wait_until(lambda: front.call(
        Ocp_Apim_Subscription_Key=key).status == 403, 5, "the change")
    problem(front.call(Ocp_Apim_Subscription_Key=key), 403, "expired")
    server.sql("UPDATE subscription SET expires_at = NULL")
    base.wait_until(lambda: front.call(
        Ocp_Apim_Subscription_Key=key).status == 200, 5, "the change")


def test_bodies_and_methods(front, key):
    answer = front.call(method="HEAD", Ocp_Apim_Subscription_Key=key)
    assert (answer.status, answer.text) == (200, "")
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        answer = front.call(method=method, body=b"x" * 1000000,
                            Ocp_Apim_Subscription_Key=key)
        assert answer.status == 200
        came = json.loads(answer.text)
        assert (came["method"], came["bytes"]) == (method, 1000000)


def test_portal_away(make_server, folder):
    server = make_server(courier=False)
    if os.getuid() == 0:
        shutil.chown(folder, "www-data")
    front = Front(server, folder)
    try:
        problem(front.call(), 401, "missing_key")
        server.stop_portal()
        answer = front.call(Ocp_Apim_Subscription_Key="0" * 32)
        problem(answer, 503, "unavailable")
        assert answer.headers["retry-after"] == "2"
        server.start_portal()
        base.wait_until(lambda: front.call().status == 401, 12, "its return")
    finally:
        front.close()
