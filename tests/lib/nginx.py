"""Debian's nginx with conf/nginx/latchkey.conf itself: only addresses, names,
ports and paths are replaced, and each replacement must find its place."""

import os
import shutil
import signal
import subprocess

from lib.base import ROOT, clean_env, end, free_port, spawn, tail, wait_until

CONF = ROOT / "conf/nginx"
FRAME = """daemon off;
{user}
worker_processes 1;
pid {dir}/nginx.pid;
events {{ worker_connections 512; }}
http {{
	include /etc/nginx/mime.types;
	default_type application/octet-stream;
	gzip on;	# as in Debian's nginx.conf
	client_body_temp_path {dir}/body;
	proxy_temp_path {dir}/proxy;
	fastcgi_temp_path {dir}/fastcgi;
	uwsgi_temp_path {dir}/uwsgi;
	scgi_temp_path {dir}/scgi;
	include {dir}/latchkey.conf;
}}
"""


class Nginx:
    """In front of `upstream`, "unix:/path" or "host:port"."""

    def __init__(self, folder, upstream, cert, key):
        self.dir = folder
        self.port, self.plain_port = free_port(), free_port()
        self.url = f"https://localhost:{self.port}"
        self.cert = cert
        shutil.copytree(CONF / "errors", folder / "errors")
        (folder / "latchkey.conf").write_text(self.derive(upstream, cert, key))
        root = os.getuid() == 0
        # As Debian has it: the socket must let another user in.
        (folder / "nginx.conf").write_text(FRAME.format(
            dir=folder, user="user www-data;" if root else ""))
        self.process = None
        self.start()

    def derive(self, upstream, cert, key):
        text = (CONF / "latchkey.conf").read_text()
        for old, new, count in [
                ("server unix:/run/latchkey/portal.sock;",
                 f"server {upstream};", 1),
                ("listen 80;", f"listen 127.0.0.1:{self.plain_port};", 1),
                ("listen 443 ssl http2;",
                 f"listen 127.0.0.1:{self.port} ssl http2;", 1),
                ("\tlisten [::]:80;\n", "", 1),
                ("\tlisten [::]:443 ssl http2;\n", "", 1),
                ("portal.example.com", "localhost", 2),
                ("/etc/ssl/latchkey/portal.crt", str(cert), 1),
                ("/etc/ssl/latchkey/portal.key", str(key), 1),
                ("/var/log/nginx/latchkey.log", f"{self.dir}/access.log", 1),
                ("/var/log/nginx/latchkey-error.log",
                 f"{self.dir}/error.log", 1),
                ("/usr/share/latchkey/errors/", f"{self.dir}/errors/", 1)]:
            assert text.count(old) == count, f"{old}: {text.count(old)}"
            text = text.replace(old, new)
        return text

    def start(self):
        command = ["/usr/sbin/nginx", "-p", self.dir, "-c",
                   self.dir / "nginx.conf", "-e", self.dir / "start.log"]
        checked = subprocess.run([*map(str, command), "-t"], text=True,
                                 capture_output=True, env=clean_env())
        assert checked.returncode == 0, checked.stderr
        assert "[warn]" not in checked.stderr, checked.stderr
        with open(self.dir / "start.log", "ab") as log:
            self.process = spawn(command, stdout=log, stderr=log,
                                 env=clean_env())
        wait_until((self.dir / "nginx.pid").exists, 10,
                   f"nginx: {tail(self.dir / 'start.log')}")

    def access_log(self):
        return (self.dir / "access.log").read_text()

    def error_log(self):
        return (self.dir / "error.log").read_text()

    def close(self):
        if self.process:
            end(self.process, signal.SIGTERM)
