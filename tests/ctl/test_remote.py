"""latchkeyctl through the API of a portal: what it prints is what it prints on
the machine itself, and each refusal is one line without the token."""

import contextlib
import json
import os
import socket
import subprocess
import threading
from pathlib import Path

import pytest
from api.world import STAFF, Api, World, token_of
from lib import flows
from lib.base import clean_env, free_port, wait_until
from lib.tls import make_certificate

HERE = "this command needs the machine itself: run it there without --url"
SHAPED = "lk_" + "0" * 36       # not its checksum


class Remote:
    """The tool without settings, database and master key."""

    def __init__(self, server, token, url=None, by="file"):
        self.build, self.token = server.build, token
        self.url, self.by = server.url if url is None else url, by
        self.file = Path(server.dir) / "token"

    def argv(self, *args):
        given = {"file": ["--token-file", str(self.file)],
                 "argument": ["--token", self.token],
                 "joined": [f"--token={self.token}"], "env": []}[self.by]
        return [self.build / "latchkeyctl", "--url", self.url, *given, *args]

    def env(self):
        self.file.write_text(self.token + "\n")
        return clean_env(**({"LATCHKEY_TOKEN": self.token}
                            if self.by == "env" else {}))

    def __call__(self, *args, stdin=""):
        done = subprocess.run(self.argv(*args), env=self.env(), text=True,
                              input=stdin, capture_output=True, timeout=60)
        assert self.token not in done.stdout + done.stderr
        return done

    def done(self, *args, stdin=""):
        result = self(*args, stdin=stdin)
        assert (result.returncode, result.stderr) == (0, ""), result
        return result.stdout

    def refused(self, *args, status=1, stdin=""):
        result = self(*args, stdin=stdin)
        assert (result.returncode, result.stdout) == (status, ""), result
        assert result.stderr.startswith("latchkeyctl: "), result.stderr
        assert result.stderr.count("\n") == 1, result.stderr
        return result.stderr


@pytest.fixture(scope="module")
def world(server):
    one = World(server)
    server.sql("INSERT INTO tenant_domain (tenant_id, domain) SELECT id, d "
               "FROM tenant, unnest(ARRAY['z.example', 'b.example']) d "
               "WHERE code = 'ALTWORX'")
    for n in range(60):         # more than a page of the API
        flows.add_tenant(server, f"MANY{n:02}")
    return one


@pytest.fixture(scope="module")
def far(server, world):
    return Remote(server, world.api["staff"].token)


def live(world):
    return world.key_id(), world.one(
        "SELECT last4 FROM subscription_key WHERE id = %s", world.key_id())


def test_lists_are_the_same_as_there(server, far):
    there = json.loads(server.ctl("tenant", "list", "--json").stdout)
    for row in there:
        del row["live_subscriptions"]   # the API doesn't tell
    assert len(there) > 60
    assert json.loads(far.done("tenant", "list", "--json")) == there
    table = far.done("tenant", "list").splitlines()
    assert table[0].split() == ["Code", "Name", "State", "Mail", "domains",
                                "People"]
    assert len(table) == len(there) + 1
    there = json.loads(server.ctl("subscription", "list", "--json").stdout)
    for row in there:
        assert row["product"] == "revio-api"
        row["product"] = "Rev.io API"   # its name is what the API tells
    assert len(there) == 2
    assert json.loads(far.done("subscription", "list", "--json")) == there
    assert [line.split()[:2] for line in
            far.done("subscription", "list").splitlines()] == [
        line.split()[:2] for line in
        server.ctl("subscription", "list").stdout.splitlines()]


def test_find_and_revoke(server, world, far):
    key, last4 = live(world)
    for args in (("--last4", last4), ("--last4", last4, "--json"),
                 ("--last4=----",), ("--first8", "00000000")):
        there = server.ctl("key", "find", *args, check=False)
        here = far("key", "find", *args)
        assert (here.returncode, here.stdout, here.stderr) == (
            there.returncode, there.stdout, there.stderr)
    whole = world.api["owner"].post(
        world.path + "/keys/primary/show").json["key"]
    found = far.done("key", "find", "--stdin", "--json", stdin=whole + "\n")
    assert [one["id"] for one in json.loads(found)] == [key]
    assert whole not in found
    said = far.done("key", "revoke", key, "--overlap", "3600", "--reason",
                    'In a "public" repository')
    assert said == "revoked; the client and the staff are told\n"
    assert world.one("SELECT state FROM subscription_key WHERE id = %s",
                     key) == "old"
    assert world.one("SELECT reason FROM subscription_change WHERE "
                     "subscription_id = %s AND what = 'key_revoked'",
                     world.id) == 'In a "public" repository'
    # As the person whose token it is, not as an operator.
    assert world.one("SELECT count(*) FROM audit JOIN person ON account_id = "
                     "actor_id WHERE action = 'key.revoked' AND email = %s",
                     world.keeper.email) == 1
    far.done("key", "revoke", key)
    assert "no such value" in far.refused("key", "revoke", key)
    assert "is no id" in far.refused("key", "revoke", "x", status=2)


@pytest.mark.parametrize("words", [
    ("doctor",), ("init",), ("audit", "verify"), ("staff", "link-first-admin"),
    ("tenant", "import", "x.csv"), ("data-key", "rotate"),
    ("session", "end", "--all")])
def test_what_needs_the_machine(far, words):
    assert far.refused(*words, status=2) == f"latchkeyctl: {HERE}\n"


@pytest.mark.parametrize("by", ["argument", "joined", "env"])
def test_other_ways_to_give_the_token(server, world, by):
    one = Remote(server, world.api["staff"].token, by=by)
    assert "Altaworx-KEY" in one.done("subscription", "list")


def test_tokens_that_are_not_taken(server, world, far):
    assert "mistyped" in Remote(server, SHAPED).refused("tenant", "list")
    gone = token_of(server, world.keeper, STAFF)
    made = Api(server, gone).get("/me").json["token"]["id"]
    page = world.keeper.get("/account/tokens").expect(200)
    world.keeper.submit(page, {}, f"{made}/revoke$").expect(303)
    line = Remote(server, gone).refused("tenant", "list")
    assert "revoked" in line and "Make another token" in line
    narrow = Remote(server, token_of(server, world.keeper, ["keys:find"]))
    line = narrow.refused("tenant", "list")
    assert "lacks the scope tenants:read" in line
    assert "Make another token" in line
    assert "keys:revoke" in narrow.refused("key", "revoke", live(world)[0])
    assert narrow.done("key", "find", "--last4", "7777") == "no key of ours\n"
    contact = Remote(server, world.api["owner"].token)
    assert "member of staff" in contact.refused("tenant", "list")
    assert "member of staff" in contact.refused("key", "revoke",
                                                live(world)[0])


@pytest.mark.parametrize("url, says", [
    ("http://portal.example", "must be https://"),
    ("http://127.0.0.1.portal.example", "must be https://"),
    ("http://localhost.portal.example:8080", "must be https://"),
    ("http://128.0.0.1", "must be https://"),
    ("ftp://localhost", "must be https://"),
    ("https://me@portal.example", "a host and perhaps a port"),
    ("https://portal.example/?x", "a host and perhaps a port"),
    ("https://portal.example/portal", "a host and perhaps a port"),
    ("portal", "a host and perhaps a port"), ("", "a host and perhaps")])
def test_addresses(server, far, url, says):
    assert says in Remote(server, far.token, url).refused(
        "tenant", "list", status=2)


def test_usage_tells_no_token(server, far):
    token = far.token
    for words in (("--tokn", token, "tenant", "list"),
                  (f"--tokn={token}", "tenant", "list"),
                  ("tenant", "list", f"--tokn={token}"),
                  ("tenant", f"--tokn={token}"),
                  (f"--token={token}", f"--token={token}", "tenant", "list"),
                  ("--token", token, "tenant", "list")):
        done = subprocess.run([server.build / "latchkeyctl", *words],
                              env=clean_env(**server.settings), text=True,
                              capture_output=True, timeout=60)
        assert done.returncode == 2 and token not in done.stdout + done.stderr
    done = subprocess.run(
        [server.build / "latchkeyctl", "--url", server.url, "tenant", "list"],
        env=clean_env(), text=True, capture_output=True, timeout=60)
    assert done.returncode == 2 and "LATCHKEY_TOKEN" in done.stderr
    (far.file.parent / "much").write_text(token * 9)
    for name, why in (("much", "more than a token"), ("none", "No such")):
        done = subprocess.run(
            [server.build / "latchkeyctl", "--url", server.url,
             "--token-file", far.file.parent / name, "tenant", "list"],
            env=clean_env(), text=True, capture_output=True, timeout=60)
        assert done.returncode == 1 and why in done.stderr
        assert token not in done.stderr


def test_help_says_where_arguments_stand(server):
    said = subprocess.run([server.build / "latchkeyctl", "--help"], text=True,
                          capture_output=True, check=True).stdout
    assert "lists of processes show" in said and "* tenant list" in said
    assert "* doctor" not in said and "  doctor" in said


# ---- portals that are away, and what is none


def test_away(server, far):
    url = f"http://localhost:{free_port()}"
    assert "can't be reached" in Remote(server, far.token, url).refused(
        "tenant", "list")


def test_database_away(make_server, own_cluster, far):
    portal = make_server(on=own_cluster, courier=False)
    own_cluster.stop()
    wait_until(lambda: portal.client().get("/readyz").status == 503, 20)
    line = Remote(portal, far.token).refused("tenant", "list")
    assert "503" in line and "try again" in line
    own_cluster.start()


def test_certificates(make_server, world, far, folder):
    """A portal of its own certificate: refused, unless it is vouched for."""
    cert, key = make_certificate(folder)
    portal = make_server(tls=(cert, key), courier=False)
    line = Remote(portal, far.token).refused("tenant", "list")
    assert "can't be reached" in line and "certificate" in line
    line = Remote(portal, far.token).refused("--ca-file", str(cert), "tenant",
                                             "list")
    assert "Make another token" in line     # it got there; this isn't its own


@contextlib.contextmanager
def answers(*raws):
    """A server of a call for each answer: (address, what came, an event that
    lets it answer)."""
    came, go = [], threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        def serve():
            for raw in raws:
                connection, _ = listener.accept()
                with connection:
                    text = b""
                    while b"\r\n\r\n" not in text:
                        text += connection.recv(4096)
                    came.append(text.decode())
                    go.wait(30)
                    with contextlib.suppress(OSError):
                        connection.sendall(raw)
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", came, go
        go.set()
        thread.join(30)


def http(status, body, more=""):
    return (f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{more}"
            f"Connection: close\r\n\r\n{body}").encode()


@pytest.mark.parametrize("raw, says", [
    (http("302 Found", "", "Location: https://elsewhere.example/\r\n"),
     "own address"),
    (http("200 OK", "<html>"), "no Latchkey"),
    (http("200 OK", "[]"), "no Latchkey"),
    (http("200 OK", '{"items": [{"code": "A\\nB"}], "next": null}'),
     "no Latchkey"),
    (http("200 OK", '{"items": [], "next": "x"}'), "no Latchkey"),
    (http("502 Bad Gateway", "<html>"), "answered 502"),
    (http("409 Conflict", '{"code": "x", "title": "T", "detail": "a\\nb"}'),
     "latchkeyctl: T\n"),
    (http("200 OK", " " * (1024 * 1024 + 1)), "more than 1 MiB"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", "was lost")])
def test_what_is_no_portal(server, far, raw, says):
    with answers(raw) as (url, came, go):
        go.set()
        assert says in Remote(server, far.token, url).refused("tenant",
                                                              "list")
        assert f"Authorization: Bearer {far.token}\r\n" in came[0]


def test_too_many_calls(server, far):
    """A long list waits for the next call that is let through, if it is
    soon."""
    def limited(wait):
        return http("429 Too Many Requests", '{"code": "rate_limited", '
                    '"detail": "Too many."}', f"Retry-After: {wait}\r\n")

    with answers(limited(1), http("200 OK", '{"items": [], "next": null}')) \
            as (url, came, go):
        go.set()
        assert Remote(server, far.token, url).done("tenant", "list",
                                                   "--json") == "[]\n"
        assert len(came) == 2
    with answers(limited(60)) as (url, came, go):
        go.set()
        assert Remote(server, far.token, url).refused("tenant", "list") == \
            "latchkeyctl: Too many. Try again later.\n"


@pytest.mark.parametrize("by", ["file", "argument", "joined", "env"])
def test_the_list_of_processes(server, far, by):
    """Read while the portal thinks: the token isn't there, however given."""
    with answers(http("503 Away", "")) as (url, came, go):
        one = Remote(server, far.token, url, by)
        process = subprocess.Popen(
            one.argv("tenant", "list"), env=one.env(), text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE)
        try:
            wait_until(lambda: came)
            line = Path(f"/proc/{process.pid}/cmdline").read_bytes()
            assert b"latchkeyctl" in line and b"tenant" in line
            assert far.token.encode() not in line
            assert os.stat(f"/proc/{process.pid}/environ").st_uid == 0
            go.set()
            out, err = process.communicate(timeout=30)
        finally:
            process.kill()
            process.wait()
        assert process.returncode == 1 and "try again" in err
        assert far.token not in out + err
