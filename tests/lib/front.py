"""A portal that only nginx reaches, and visitors who come through nginx."""

import itertools
import subprocess

from lib import base, http
from lib.nginx import Nginx
from lib.server import Server
from lib.tls import client_context, make_certificate


class Front:
    """A portal that only nginx reaches; clients of .server go through it."""

    def __init__(self, cluster, tcp=False, courier=True, workers=1):
        self.dir = base.temp_dir("nginx")
        self.cert, key = make_certificate(self.dir)
        port = base.free_port()
        listen = (f"127.0.0.1:{port}" if tcp
                  else f"unix:{self.dir}/portal.sock")
        self.visitors = itertools.count()
        self.nginx = Nginx(self.dir, listen,
                           self.cert, key)
        self.server = Server(
            cluster, courier=courier, workers=workers, wait=False,
            settings={"LISTEN": listen, "PUBLIC_URL": self.nginx.url,
                      "TRUSTED_PROXIES": "127.0.0.1"})
        self.server.url, self.server.port = self.nginx.url, self.nginx.port
        self.server.wait_ready()

    def raw(self, timeout_s=20):
        return http.Raw("127.0.0.1", self.nginx.port, timeout_s,
                        client_context(self.cert), "localhost")

    def client(self, source=None):
        return From(self.nginx.url, source, ca=self.cert)

    def curl(self, path, *options):
        """Status, HTTP version, headers in lower case, and body."""
        done = subprocess.run(
            ["curl", "-sS", "--cacert", self.cert, "-D", "-", "-o",
             self.dir / "body.out", "-w", "%{http_code} %{http_version}",
             *options, self.nginx.url + path],
            text=True, capture_output=True, timeout=30)
        assert done.returncode == 0, done.stderr
        *lines, last = done.stdout.splitlines()
        headers = dict(line.lower().split(": ", 1) for line in lines
                       if ": " in line)
        status, version = last.split()
        return int(status), version, headers, (
            self.dir / "body.out").read_bytes()

    def requests(self):
        """The lines of what the portal has answered until now."""
        return self.server.requests(self.visitor)

    def visitor(self):
        """Somebody with an address that nobody had before."""
        n = next(self.visitors)
        return self.client(f"127.1.{n // 250}.{n % 250 + 1}")

    def close(self):
        try:
            self.server.close()
        finally:
            self.nginx.close()
            base.remove(self.dir)


class From(http.Client):
    """A client with an address of its own: all of 127/8 is this machine."""

    def __init__(self, url, source, **kwargs):
        super().__init__(url, **kwargs)
        self.source = source

    def _connect(self):
        connection = super()._connect()
        if self.source:
            connection.source_address = (self.source, 0)
        return connection
