"""The Debian package: what is in it, what it needs, and that two builds of it
are the same."""

import hashlib
import subprocess

from lib.base import ROOT


def run(*args):
    return subprocess.run(args, check=True, text=True, capture_output=True,
                          cwd=ROOT).stdout


def make(build):
    run("conf/deb/build.sh", build)
    [package] = build.glob("latchkey_*.deb")
    return package


def test_the_package(build, folder):
    package = make(build)
    first = hashlib.sha256(package.read_bytes()).digest()
    lines = [line.split() for line in run("dpkg-deb", "-c",
                                          package).splitlines()]
    assert {line[1] for line in lines} == {"root/root"}
    files = {line[5]: line[0] for line in lines}
    for program in ("latchkey", "latchkeyctl", "latchkey-courier"):
        assert files[f"./usr/bin/{program}"] == "-rwxr-xr-x"
    for path in ("lib/systemd/system/latchkey.service",
                 "lib/systemd/system/latchkey-courier.service",
                 "usr/share/latchkey/templates/home/home.html",
                 "usr/share/latchkey/templates/mail/verify.txt",
                 "usr/share/latchkey/migrations/sqitch.plan",
                 "usr/share/latchkey/migrations/deploy/audit.sql",
                 "usr/share/doc/latchkey/examples/latchkey.env.example"):
        assert files[f"./{path}"] == "-rw-r--r--", path
    assert any(name.startswith("./usr/share/latchkey/assets/app.")
               for name in files)
    depends = run("dpkg-deb", "-f", package, "Depends")
    for library in ("libpq5", "libsodium23", "libcmark0.30.2", "sqitch"):
        assert library in depends
    run("dpkg-deb", "-x", package, folder)
    routes = run(folder / "usr/bin/latchkey", "--routes")
    assert "/staff/products" in routes
    assert hashlib.sha256(make(build).read_bytes()).digest() == first
