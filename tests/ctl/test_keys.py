"""latchkeyctl subscription import, key find and key revoke: whole files or
nothing, no key on any line, and the client is told."""

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest
from ctl.test_ctl import Ctl
from lib.base import wait_until

HEADER = "tenant,product,name,state,primary,secondary\n"


def key(n):
    return f"{n:08x}" * 4


def row(code, name, one, two, state="active", product="revio-api"):
    return f"{code},{product},{name}-KEY,{state},{key(one)},{key(two)}\n"


@pytest.fixture(scope="module")
def one(cluster):
    ctl = Ctl(cluster)
    ctl.done("tenant", "import", ctl.file(
        "code,name,email_domains\n" + "".join(
            f"CL{n},Client {n},\n" for n in range(40))))
    yield ctl
    ctl.close()


@pytest.fixture
def ctl(one):
    one.sql("TRUNCATE subscription, subscription_key, request, outbox CASCADE")
    return one


def load(ctl, text, *flags):
    return ctl("subscription", "import", *flags, ctl.file(
        text if isinstance(text, bytes) else HEADER + text))


def kept(ctl):
    return ctl.sql("SELECT count(*) FROM subscription")[0][0]


def test_pairs_are_taken_as_they_are(ctl):
    text = row("CL1", "Client 1", 0x1a2b3c4d, 2) + \
        row("CL2", "Šumava & Søn", 3, 4, "suspended")
    dry = load(ctl, text, "--dry-run")
    assert (dry.returncode, dry.stdout) == (
        0, "2 subscriptions would be imported\n")
    assert kept(ctl) == 0
    assert load(ctl, text).stdout == "2 subscriptions imported\n"
    assert ctl.sql("SELECT t.code, s.name, s.state, s.one_key FROM "
                   "subscription s JOIN tenant t ON t.id = s.tenant_id "
                   "ORDER BY 1") == [
        ("CL1", "Client 1-KEY", "active", True),
        ("CL2", "Šumava & Søn-KEY", "suspended", True)]
    assert ctl.sql("SELECT slot, last4, state FROM subscription_key ORDER BY "
                   "last4") == [
        ("secondary", "0002", "current"), ("primary", "0003", "current"),
        ("secondary", "0004", "current"), ("primary", "3c4d", "current")]
    assert ctl.sql("SELECT count(*) FROM audit WHERE action = "
                   "'subscription.imported' AND actor_kind = 'operator'"
                   )[0][0] >= 2
    # No copy of a key in any table, in plain.
    assert ctl.sql("SELECT count(*) FROM subscription_key WHERE "
                   "encode(sealed, 'escape') LIKE %s",
                   f"%{key(0x1a2b3c4d)}%") == [(0,)]
    # The same file once more: all of it is there.
    again = load(ctl, text)
    assert again.returncode == 1 and kept(ctl) == 2
    assert "which has a live key" in again.stderr
    assert "key that is here already" in again.stderr
    assert key(3) not in again.stderr + again.stdout


@pytest.mark.parametrize("text, says", [
    (row("CL1", "Client 1", 1, 1), "stands in row 2, too"),
    (row("CL1", "Client 1", 1, 2) + row("CL2", "Client 2", 3, 1),
     "row 3 has a key that stands in row 2, too"),
    (row("CL1", "Client 1", 1, 2) + row("CL1", "Client 1", 3, 4),
     "row 3 is a second key of CL1, as row 2"),
    (row("NONE", "None", 1, 2), "names the client NONE"),
    (row("cl1", "Client 1", 1, 2), "no client’s code"),
    (row("CL1", "Client 1", 1, 2, product="nothing"), "names a product"),
    (row("CL1", "Client 1", 1, 2, "cancelled"), "neither active nor"),
    (row("CL1", "Client 1", 1, 2, "submitted"), "neither active nor"),
    (row("CL1", "C", 1, 2), "no good name"),
    (row("CL1", "Client 1", 1, 2).replace("-KEY", "-key"), "no good name"),
    (row("CL1", "Client 1", 0xabcdef01, 2).upper().replace(
        "REVIO-API", "revio-api").replace("ACTIVE", "active").replace(
            "CLIENT", "Client"), "primary key that is not 32"),
    (row("CL1", "Client 1", 1, 2).replace(key(2), key(2)[1:]),
     "secondary key that is not 32"),
    (row("CL1", "Client 1", 1, 2).replace(",active", ""), "has 5 fields"),
    (row("CL1", "Client 1", 1, 2) + '"', "row 3"),
    (b"tenant,product\n", "row 1"), (b"", "row 1 is missing"),
    (HEADER.encode() + b"CL1,revio-api,\xff-KEY,active,"
     + key(1).encode() + b"," + key(2).encode() + b"\n", "no good name"),
    ("".join(row("CL1", "Client 1", 2 * n, 2 * n + 1) for n in range(2001)),
     "one more than 2000"),
])
def test_refused_whole(ctl, text, says):
    for flags in ((), ("--dry-run",)):
        done = load(ctl, text, *flags)
        assert done.returncode == 1, done.stdout
        assert says in done.stderr, done.stderr
        assert done.stderr.endswith("latchkeyctl: nothing was imported\n")
        assert kept(ctl) == 0
        for n in (1, 2, 3, 4):
            assert key(n) not in done.stderr


def test_as_excel_writes_it(ctl):
    """Byte order mark, quotes, CRLF, many rows."""
    text = "\ufeff" + HEADER + "".join(
        row(f"CL{n}", f"Client {n}", 2 * n + 10, 2 * n + 11)
        for n in range(40))
    text = text.replace("Client 7-KEY", '"Client 7-KEY"').replace("\n",
                                                                  "\r\n")
    assert load(ctl, text.encode()).stdout == "40 subscriptions imported\n"


def test_a_product_that_closes_meanwhile(ctl):
    """Somebody closes it and has not yet committed: the import waits, and
    takes nothing."""
    closer = ctl.cluster.connect(ctl.database, "latchkey_owner")
    closer.autocommit = False
    try:
        with ThreadPoolExecutor(1) as pool, closer.cursor() as cursor:
            cursor.execute("UPDATE product SET state = 'closed' "
                           "WHERE slug = 'revio-api'")
            done = pool.submit(load, ctl, row("CL1", "Client 1", 1, 2))
            wait_until(lambda: done.done() or ctl.sql(
                "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = "
                "'Lock' AND datname = current_database()"))
            closer.commit()
            done = done.result()
        assert done.returncode == 1 and kept(ctl) == 0, done.stdout
        assert key(1) not in done.stderr
    finally:
        closer.close()
        ctl.sql("UPDATE product SET state = 'published' "
                "WHERE slug = 'revio-api'")


# -- find, revoke


@pytest.fixture
def some(ctl):
    load(ctl, row("CL1", "Client 1", 0xdeadbeef, 2)
         + row("CL2", "Client 2", 3, 4))
    return ctl


def find(ctl, *args, stdin=""):
    return json.loads(ctl.done("key", "find", *args, "--json", stdin=stdin))


def test_find(some):
    whole = find(some, "--stdin", stdin=key(0xdeadbeef) + "\n")
    assert [(k["tenant"], k["slot"], k["state"], k["subscription"])
            for k in whole] == [("CL1", "primary", "current", "Client 1-KEY")]
    assert find(some, "--first8", "deadbeef") == whole
    assert find(some, "--first8=DEADBEEF") == whole
    assert find(some, "--last4", "beef") == whole
    assert find(some, "--stdin", stdin=key(77)) == []
    assert find(some, "--first8", "00000077") == []
    said = some.done("key", "find", "--stdin", stdin=key(0xdeadbeef))
    assert "CL1" in said and "deadbeef" not in said
    assert some.done("key", "find", "--last4", "7777") == "no key of ours\n"


@pytest.mark.parametrize("args, stdin, status", [
    ((), "", 2), (("--stdin", "--last4", "beef"), key(1), 2),
    (("--first8", "deadbee"), "", 1), (("--last4", "be%f"), "", 1),
    (("--stdin",), "", 1), (("--stdin",), "deadbeef", 1),
    (("--stdin",), key(1) + key(2), 1), (("--stdin",), "x" * 9999, 1),
    (("--stdin",), "\0" * 32, 1), ((key(1),), "", 2)])
def test_find_what_is_none(some, args, stdin, status):
    assert key(1) not in some.refused("key", "find", *args, stdin=stdin,
                                      status=status)


def test_revoke(some):
    some.sql("INSERT INTO account (id, kind, staff_role, password_hash) "
             "VALUES (gen_random_uuid(), 'staff', 'staff', 'x')")
    one = find(some, "--last4", "beef")[0]
    some.done("key", "revoke", one["id"], "--overlap", "3600", "--reason",
              "In a public repository")
    assert find(some, "--last4", "beef")[0]["state"] == "old"
    assert some.sql("SELECT count(*) FROM subscription_key WHERE "
                    "subscription_id = %s AND slot = 'primary' AND state = "
                    "'current'", one["subscription_id"]) == [(1,)]
    some.done("key", "revoke", one["id"])
    assert find(some, "--last4", "beef")[0]["state"] == "ended"
    assert some.sql("SELECT what, reason FROM subscription_change WHERE "
                    "subscription_id = %s ORDER BY id", one["subscription_id"]
                    ) == [("imported", ""),
                          ("key_revoked", "In a public repository"),
                          ("key_revoked", "Revoked by our operators.")]
    assert some.sql("SELECT count(*) FROM outbox WHERE kind = "
                    "'key_revoked_staff'") == [(2,)]
    some.refused("key", "revoke", one["id"])
    some.refused("key", "revoke", "0" * 8 + one["id"][8:])
    for args in ((), ("x",), (one["id"], "--overlap", "-1"),
                 (one["id"], "--overlap", "x"), (one["id"], "--reason", " "),
                 (one["id"], "--reason", "r" * 1001)):
        some.refused("key", "revoke", *args, status=2)


def test_the_key_is_in_no_argument(some):
    """--stdin is there so that the list of processes doesn't show it."""
    done = subprocess.run(
        [some.cluster.build / "latchkeyctl", "--help"], text=True,
        capture_output=True, check=True)
    assert "read from standard input" in done.stdout
