"""Debian's nginx, Caddy and HAProxy with the examples of conf/gateway
themselves, in front of a small API: only addresses, names and TLS are
replaced, and each replacement must find its place."""

import http.client
import http.server
import json
import os
import shutil
import socket
import subprocess
import threading

from lib import base

CONF = base.ROOT / "conf/gateway"

NGINX = """daemon off;
{user}
worker_processes 1;
pid {dir}/nginx.pid;
error_log {dir}/error.log;
events {{ worker_connections 4096; }}
worker_rlimit_nofile 8192;
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


class Handler(http.server.BaseHTTPRequestHandler):
    """Says what came to it."""

    protocol_version = "HTTP/1.1"

    def answer(self):
        left = int(self.headers.get("content-length", 0))
        bytes_in = left
        if "chunked" in self.headers.get("transfer-encoding", ""):
            while size := int(self.rfile.readline(), 16):
                self.rfile.read(size + 2)
                bytes_in += size
            self.rfile.readline()
        self.rfile.read(left)
        text = json.dumps({
            "method": self.command, "path": self.path, "bytes": bytes_in,
            "headers": {k.lower(): v for k, v in self.headers.items()},
        }).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)

    def __getattr__(self, name):
        if name.startswith("do_"):
            return self.answer
        raise AttributeError(name)

    def log_message(self, *_):
        pass


class Threads(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024

    def handle_error(self, request, client_address):
        """A gateway may hang up on a connection that it kept."""


def serve(handler):
    """A server on a port of its own, in a thread."""
    one = Threads(("127.0.0.1", 0), handler)
    threading.Thread(target=one.serve_forever, daemon=True).start()
    return one


class Gateway:
    """One of them, in front of `api`, asking on the port `check`."""

    name = None

    def __init__(self, folder, check, api):
        self.dir, self.check, self.api = folder, check, api
        self.port = base.free_port()
        if os.getuid() == 0:
            shutil.chown(folder, "www-data")
        command, env = self.configure()
        log = open(folder / "gateway.log", "ab")
        self.process = base.spawn(command, env=base.clean_env(**env),
                                  stdout=log, stderr=log)
        log.close()
        base.wait_until(self.listens, 15, self.name)

    def example(self, name, *changes):
        text = (CONF / name).read_text()
        for old, new in changes:
            assert text.count(old) == 1, f"{old}: {text.count(old)}"
            text = text.replace(old, new)
        return text

    def listens(self):
        assert self.process.poll() is None, base.tail(self.dir / "gateway.log")
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except ConnectionRefusedError:
            return False
        return True

    def link(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)

    def call(self, path="/contacts", method="GET", body=None, headers=(),
             link=None):
        """`headers` are pairs, so that one may be there twice."""
        one = link or self.link()
        one.putrequest(method, path, skip_accept_encoding=True,
                       skip_host=any(n == "Host" for n, _ in headers))
        for name, value in headers:
            one.putheader(name, value)
        if body is not None:
            one.putheader("Content-Length", str(len(body)))
        one.endheaders(body)
        answer = one.getresponse()
        answer.text = answer.read().decode()
        if link is None:
            one.close()
        return answer

    def close(self):
        base.end(self.process)


class Nginx(Gateway):
    name = "nginx"

    def configure(self):
        (self.dir / "gateway.conf").write_text(self.example(
            "nginx.conf",
            ("server 127.0.0.1:8081;", f"server 127.0.0.1:{self.check};"),
            ("server 127.0.0.1:9000;", f"server 127.0.0.1:{self.api};"),
            ("listen 443 ssl http2;", f"listen 127.0.0.1:{self.port};"),
            ("\tssl_certificate /etc/ssl/latchkey/api.crt;\n", ""),
            ("\tssl_certificate_key /etc/ssl/latchkey/api.key;\n", "")))
        (self.dir / "nginx.conf").write_text(NGINX.format(
            dir=self.dir, user="user www-data;" if os.getuid() == 0 else ""))
        command = ["/usr/sbin/nginx", "-p", str(self.dir), "-c",
                   str(self.dir / "nginx.conf"), "-e",
                   str(self.dir / "start.log")]
        tested = subprocess.run([*command, "-t"], text=True, env=base.clean_env(),
                                capture_output=True)
        assert tested.returncode == 0, tested.stderr
        assert "[warn]" not in tested.stderr, tested.stderr
        return command, {}


class Caddy(Gateway):
    name = "caddy"

    def configure(self):
        path = self.dir / "Caddyfile"
        path.write_text("{\n\tadmin off\n\tauto_https off\n}\n" + self.example(
            "Caddyfile",
            ("api.example.com {",
             f"http://127.0.0.1:{self.port}, http://api.example.com:"
             f"{self.port} {{\n\tbind 127.0.0.1"),
            ("reverse_proxy 127.0.0.1:8081",
             f"reverse_proxy 127.0.0.1:{self.check}"),
            ("forward_auth 127.0.0.1:8081",
             f"forward_auth 127.0.0.1:{self.check}"),
            ("127.0.0.1:9000", f"127.0.0.1:{self.api}")))
        return (["/usr/bin/caddy", "run", "--adapter", "caddyfile", "--config",
                 str(path)], {"HOME": str(self.dir),
                              "XDG_DATA_HOME": str(self.dir),
                              "XDG_CONFIG_HOME": str(self.dir)})


class Haproxy(Gateway):
    name = "haproxy"

    def configure(self):
        asks = base.free_port()
        (self.dir / "latchkey.lua").write_text(self.example(
            "latchkey.lua", ("127.0.0.1:8082", f"127.0.0.1:{asks}")))
        path = self.dir / "haproxy.cfg"
        path.write_text(self.example(
            "haproxy.cfg",
            ("/etc/haproxy/latchkey.lua", str(self.dir / "latchkey.lua")),
            ("bind :443 ssl crt /etc/haproxy/api.pem alpn h2,http/1.1",
             f"bind 127.0.0.1:{self.port}"),
            ("127.0.0.1:8082", f"127.0.0.1:{asks}"),
            ("server latchkey 127.0.0.1:8081",
             f"server latchkey 127.0.0.1:{self.check}"),
            ("127.0.0.1:9000", f"127.0.0.1:{self.api}")))
        command = ["/usr/sbin/haproxy", "-f", str(path)]
        tested = subprocess.run([*command, "-c"], text=True, capture_output=True,
                                env=base.clean_env())
        assert tested.returncode == 0, tested.stderr
        assert "WARNING" not in tested.stderr, tested.stderr
        return [*command, "-db"], {}


ALL = {one.name: one for one in (Nginx, Caddy, Haproxy)}
