"""TLS by the portal itself: LATCHKEY_TLS_CERT and LATCHKEY_TLS_KEY.  One
process, the key manager, has the private key; workers ask it to sign."""

import collections
import os
import shutil
import signal
import socket
import ssl
import subprocess
import time

import pytest

from lib.base import clean_env, wait_until
from lib.http import Raw
from lib.server import Background, Server
from lib.tls import (client_context, handshake, make_certificate, serial_of)

TLS12, TLS13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
GET = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    return {kind: make_certificate(folder, kind)
            for kind in ("rsa2048", "p256", "p384")}


@pytest.fixture(scope="module", params=["rsa2048", "p256", "p384"])
def portal(request, cluster, pairs):
    """A portal for each kind of key; .cert is its certificate."""
    one = Server(cluster, courier=False, tls=pairs[request.param])
    one.cert = pairs[request.param][0]
    yield one
    one.close()


@pytest.fixture
def renewable(make_server, pairs, folder):
    """Two workers whose certificate the test may replace."""
    live = folder / "live certificate.pem", folder / "live key.pem"
    install(pairs["p256"], live)
    server = make_server(workers=2, courier=False, tls=live)
    server.live = live
    return server


def install(pair, live):
    """As renewal tools do it: a new file in the old one's place."""
    for source, target in zip(pair, live):
        shutil.copy(source, f"{target}.new")
        os.rename(f"{target}.new", target)


def raw_tls(server, context):
    return Raw("127.0.0.1", server.port, context=context, name="localhost")


def serials(server, count=20):
    """Those that a number of new connections are shown."""
    return {serial_of(handshake(server.port, client_context())[2])
            for _ in range(count)}


# -- what is offered

@pytest.mark.parametrize("version, name", [(TLS12, "TLSv1.2"),
                                           (TLS13, "TLSv1.3")])
def test_versions(portal, version, name):
    context = client_context(portal.cert, version, version)
    assert handshake(portal.port, context)[0] == name
    # Kept alive over several requests.
    with raw_tls(portal, context) as raw:
        for _ in range(5):
            raw.send(GET)
            answer = raw.answer()
            assert (answer.status, answer.text) == (200, "ok\n")
    assert portal.client(ca=portal.cert).get("/signin").status == 200


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1,
                                     ssl.TLSVersion.TLSv1_1])
def test_old_versions_are_refused(portal, version):
    context = client_context(None, version, version,
                             ciphers="ALL:@SECLEVEL=0")
    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        handshake(portal.port, context)


@pytest.mark.parametrize("offer", [
    "ECDHE+AES+SHA1", "ECDHE+SHA256", "ECDHE+SHA384",   # CBC
    "kRSA", "DHE", "ECDHE+ARIA", "ECDHE+CAMELLIA", "ECDHE+AESCCM",
])
def test_other_ciphers_are_refused(portal, offer):
    good = {c["name"] for c in client_context(
        ciphers="ECDHE+AESGCM:ECDHE+CHACHA20").get_ciphers()}
    names = [c["name"] for c in client_context(
        ciphers=f"{offer}:@SECLEVEL=0").get_ciphers()
        if c["name"] not in good and c["protocol"] != "TLSv1.3"]
    assert names, "this client's OpenSSL can't offer them"
    context = client_context(None, TLS12, TLS12, ciphers=":".join(names))
    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        handshake(portal.port, context)


@pytest.mark.parametrize("cipher", ["AES128-GCM-SHA256", "AES256-GCM-SHA384",
                                    "CHACHA20-POLY1305"])
def test_good_ciphers(portal, cipher):
    kind = "RSA" if "rsa" in portal.cert.name else "ECDSA"
    wanted = f"ECDHE-{kind}-{cipher}"
    context = client_context(portal.cert, TLS12, TLS12, ciphers=wanted)
    assert handshake(portal.port, context)[1] == wanted


def test_headers_and_cookie(portal):
    browser = portal.client(ca=portal.cert)
    page = browser.get("/signin").expect(200)
    assert "max-age=31536000" in page.headers["Strict-Transport-Security"]
    assert page.headers["Cache-Control"] == "no-store"
    line, = browser.cookie_lines
    name, *attributes = [p.strip() for p in line.split(";")]
    assert name.startswith("__Host-latchkey")
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(attributes)
    assert not any(a.startswith("Domain") for a in attributes)
    # The cookie and an Origin with https are taken back.
    wrong = browser.submit(page, {"email": "a@b.example", "password": "x"},
                           "/signin")
    assert wrong.status == 422
    assert portal.client(ca=portal.cert).get(
        "/nowhere").headers["Strict-Transport-Security"]


def test_more_than_one_record_each_way(portal, build):
    browser = portal.client(ca=portal.cert)
    page = browser.get("/signin").text
    start = page.index("/assets/app.")
    path = page[start:page.index('"', start)]
    css = browser.get(path).expect(200)
    assert css.body == (build / path.strip("/")).read_bytes()
    assert len(css.body) > 16384        # a record of TLS holds as much
    long = browser.post("/signin", {"email": "x" * 60000})
    assert long.status == 403           # no csrf: it was read whole


def test_another_name_than_in_the_handshake(portal):
    with raw_tls(portal, client_context(portal.cert)) as raw:
        raw.send(b"GET /livez HTTP/1.1\r\nHost: other.example\r\n\r\n")
        assert raw.answer().status == 421


def test_plain_http_gets_nothing(portal):
    with portal.raw() as raw:
        raw.send(GET)
        try:
            answer = raw.socket.recv(4096)
        except ConnectionResetError:
            answer = b""
        assert b"HTTP" not in answer
        assert raw.is_closed()


def test_a_client_that_stops_in_the_handshake(make_server, pairs):
    """Holds up nobody, and is gone after a while."""
    server = make_server(courier=False, tls=pairs["p256"])
    with socket.create_connection(("127.0.0.1", server.port), 20) as stuck:
        stuck.sendall(b"\x16\x03\x01\x02\x00\x01\x00")
        started = time.monotonic()
        for _ in range(5):
            handshake(server.port, client_context())
        assert time.monotonic() - started < 3
        stuck.settimeout(30)
        try:
            assert stuck.recv(1) == b""
        except ConnectionResetError:
            pass


# -- who has the key

def private_number(key):
    """The secret number as it lies in memory: least byte first."""
    text = subprocess.run(["openssl", "ec", "-in", str(key), "-noout",
                           "-text"], capture_output=True, check=True,
                          text=True).stdout
    digits = text.split("priv:")[1].split("pub:")[0]
    return bytes.fromhex("".join(digits.replace(":", " ").split()))[-32:]


# The shadow of AddressSanitizer's is terabytes of zeros; nothing of ours is.
MAP_MAX = 1 << 30


def memory_holds(pid, *needles):
    with open(f"/proc/{pid}/maps", encoding="ascii") as maps, \
            open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in maps:
            if line.split()[1][0] != "r" or "[v" in line:
                continue
            first, last = [int(x, 16) for x in line.split()[0].split("-")]
            if last - first > MAP_MAX:
                continue
            try:
                memory.seek(first)
                data = memory.read(last - first)
            except OSError:
                continue
            if any(needle in data for needle in needles):
                return True
    return False


def test_only_the_key_manager_has_the_key(renewable):
    server = renewable
    number = private_number(server.live[1])
    pem = server.live[1].read_bytes().splitlines()[1]
    needles = number, number[::-1], pem[:40]
    assert len(set(needles)) == 3

    def holders():
        return [pid for pid in [server.portal.pid, *server.workers()]
                if memory_holds(pid, *needles)]
    assert len(server.workers()) == 3
    for _ in range(10):
        handshake(server.port, client_context())
    keeper, = holders()
    assert keeper != server.portal.pid
    # A worker that comes later is forked from the same clean parent.
    serving = [pid for pid in server.workers() if pid != keeper]
    os.kill(serving[0], signal.SIGKILL)
    wait_until(lambda: len(server.workers()) == 3
               and serving[0] not in server.workers())
    for _ in range(10):
        handshake(server.port, client_context())
    assert holders() == [keeper]


# -- renewal

def test_renewal_without_a_restart(renewable, folder):
    server, pids = renewable, set(renewable.workers())
    assert serials(server) == {1}
    with raw_tls(server, client_context()) as old:
        old.send(GET)
        assert old.answer().status == 200
        install(make_certificate(folder, "rsa2048", 77), server.live)
        assert serials(server, 5) == {1}        # not before it is asked for
        server.portal.send_signal(signal.SIGUSR1)
        wait_until(lambda: serials(server, 8) == {77})
        assert serials(server) == {77}
        old.send(GET)
        assert old.answer().status == 200
    assert set(server.workers()) == pids
    # A second time, back to an EC key.
    install(make_certificate(folder, "p384", 78), server.live)
    server.portal.send_signal(signal.SIGUSR1)
    wait_until(lambda: serials(server, 8) == {78})


def test_a_bad_renewal_changes_nothing(renewable, folder):
    """What is broken, missing or does not fit is told in the log; the old
    pair stays, for workers that start later too."""
    server, live = renewable, renewable.live
    other = make_certificate(folder, "p256", 5)

    def complaints():
        return [line["text"] for line in server.log()
                if "stays in use" in line.get("text", "")]
    for number, spoil in enumerate([
            lambda: shutil.copy(other[0], live[0]),
            lambda: live[0].write_text("-----BEGIN CERT"),
            lambda: (shutil.copy(other[0], live[0]),
                     live[1].write_text("")),
            lambda: live[0].unlink(),
            live[1].unlink], 1):
        spoil()
        server.portal.send_signal(signal.SIGUSR1)
        wait_until(lambda: len(complaints()) == number,
                   what="a line in the log")
        assert serials(server, 6) == {1}
    for pid in server.workers():
        if os.path.exists(f"/proc/{pid}") and not is_key_manager(pid):
            os.kill(pid, signal.SIGKILL)
    wait_until(server.is_ready)
    assert serials(server) == {1}
    install(other, live)
    server.portal.send_signal(signal.SIGUSR1)
    wait_until(lambda: serials(server, 8) == {5})


def is_key_manager(pid):
    with open(f"/proc/{pid}/cmdline", "rb") as line:
        return b"keymgr" in line.read()


def test_renewal_under_load(renewable, folder):
    """No handshake notices, whatever kinds of key follow each other."""
    server = renewable
    seen = collections.Counter()

    def shake(number, stop):
        version = TLS12 if number % 2 else TLS13
        context = client_context(None, version, version)
        while not stop.is_set():
            der = handshake(server.port, context)[2]
            seen[hash(der)] += 1
    load = Background(shake, 4)
    try:
        for number, kind in enumerate(("rsa2048", "p256", "p256", "p384",
                                       "rsa2048", "rsa2048"), 30):
            install(make_certificate(folder, kind, number), server.live)
            server.portal.send_signal(signal.SIGUSR1)
            known = len(seen)
            wait_until(lambda: len(seen) > known or load.errors, 20)
    finally:
        load.join()


# -- crashes

def test_handshakes_while_workers_are_killed(renewable):
    """A connection of the killed worker breaks; no signature is ever wrong,
    neither then nor later, and nobody meets a worker without certificate."""
    server = renewable
    seen = collections.Counter()

    def shake(number, stop):
        # TLS 1.2 and 1.3 sign in different places.
        version = TLS12 if number % 2 else TLS13
        context = client_context(None, version, version)
        while not stop.is_set():
            try:
                handshake(server.port, context)
                seen["good"] += 1
            except (ConnectionError, ssl.SSLEOFError,
                    ssl.SSLZeroReturnError):     # as Python tells of an EOF
                seen["broken"] += 1
            # Anything else, a wrong signature first of all, ends the test.

    load = Background(shake, 6)
    for _ in range(4):
        before = seen["good"]
        wait_until(lambda: seen["good"] > before + 20, 20, "handshakes")
        victim = next(pid for pid in server.workers()
                      if not is_key_manager(pid))
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: len(server.workers()) == 3
                   and victim not in server.workers(), 10, "a new worker")
    wait_until(lambda: seen["good"] > 200, 30, "handshakes")
    load.join()
    # At most what six clients had open at each of the four kills.
    assert seen["broken"] <= 24, seen
    for _ in range(60):
        handshake(server.port, client_context())


# -- the start

def start(server_settings, build):
    done = subprocess.run([build / "latchkey"], text=True, timeout=20,
                          capture_output=True, stdin=subprocess.DEVNULL,
                          env=clean_env(**server_settings))
    return done.returncode, (done.stdout + done.stderr).splitlines()


def test_what_does_not_start(cluster, build, pairs, folder):
    cluster.template("demo")        # makes the master key
    good = pairs["p256"]
    garbage = folder / "garbage.pem"
    garbage.write_text("no certificate\n")
    empty = folder / "empty.pem"
    empty.write_text("")
    cut = folder / "cut.pem"
    cut.write_bytes(good[0].read_bytes()[:300])
    chain = folder / "chain.pem"
    chain.write_bytes(good[0].read_bytes() + cut.read_bytes())
    locked = make_certificate(folder, "p256", 9, passphrase="secret words")
    weak = make_certificate(folder, "rsa1024", 10)
    odd = make_certificate(folder, "ed25519", 11)
    for cert, key, name, words in [
            (folder / "none.pem", good[1], "TLS_CERT", "can read"),
            (good[0], folder / "none.pem", "TLS_KEY", "can read"),
            (garbage, good[1], "TLS_CERT", "no certificate in PEM"),
            (empty, good[1], "TLS_CERT", "1 byte"),
            (folder, good[1], "TLS_CERT", "must be a file"),
            (cut, good[1], "TLS_CERT", "no certificate in PEM"),
            (chain, good[1], "TLS_CERT", "broken certificate"),
            (good[0], garbage, "TLS_KEY", "no private key"),
            (good[0], pairs["rsa2048"][1], "TLS_KEY", "doesn't belong"),
            (good[0], make_certificate(folder, "p256", 12)[1], "TLS_KEY",
             "doesn't belong"),
            (*locked, "TLS_KEY", "passphrase"),
            (*weak, "TLS_CERT", "weak"),
            (*odd, "TLS_CERT", "RSA or EC"),
            (good[0], None, "TLS_KEY", "together"),
            (None, good[1], "TLS_CERT", "together")]:
        settings = cluster.settings("t1")
        settings["LATCHKEY_PUBLIC_URL"] = "https://localhost:1"
        for setting, value in (("TLS_CERT", cert), ("TLS_KEY", key)):
            if value:
                settings[f"LATCHKEY_{setting}"] = str(value)
        status, lines = start(settings, build)
        assert status == 2, (name, words, lines)
        assert len(lines) == 1, lines
        assert f"LATCHKEY_{name}" in lines[0] and words in lines[0], lines
        assert "secret words" not in lines[0]


def test_a_whole_chain_is_sent(make_server, pairs, folder):
    """Leaf first, then what stands behind it in the file."""
    chain = folder / "chain.pem"
    chain.write_bytes(pairs["p256"][0].read_bytes()
                      + pairs["rsa2048"][0].read_bytes())
    server = make_server(courier=False, tls=(chain, pairs["p256"][1]))
    shown = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}",
         "-showcerts"], stdin=subprocess.DEVNULL, capture_output=True,
        text=True, timeout=20).stdout
    assert shown.count("-----BEGIN CERTIFICATE-----") == 2
