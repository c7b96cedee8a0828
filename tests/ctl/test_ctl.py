"""latchkeyctl as an operator calls it: what it prints, its exit status, and
what it leaves in the database."""

import hashlib
import json
import os
import pty
import re
import stat
import subprocess

import pytest

from lib.base import clean_env, remove, temp_dir

PASSWORD = "tulip anvil harbour quilt"


class Ctl:
    """The tool on a database of its own."""

    def __init__(self, cluster, kind="demo"):
        self.cluster, self.dir = cluster, temp_dir("ctl")
        self.database = cluster.database(kind)
        self.settings = cluster.settings(self.database)
        self.settings["LATCHKEY_PUBLIC_URL"] = "http://localhost:8080"

    def __call__(self, *args, stdin="", **settings):
        env = clean_env(**{**self.settings, **settings})
        return subprocess.run([self.cluster.build / "latchkeyctl", *args],
                              input=stdin, env=env, capture_output=True,
                              text=True, timeout=180)

    def done(self, *args, **kwargs):
        result = self(*args, **kwargs)
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    def refused(self, *args, status=1, **kwargs):
        """One line says why."""
        result = self(*args, **kwargs)
        assert result.returncode == status, result.stdout + result.stderr
        assert result.stderr.startswith("latchkeyctl: ") or status == 2
        assert result.stderr.count("\n") == 1, result.stderr
        return result.stderr

    def sql(self, query, *params):
        return self.cluster.sql(self.database, query, params or None)

    def file(self, content):
        path = self.dir / "tenants.csv"
        path.write_bytes(content if isinstance(content, bytes)
                         else content.encode())
        return str(path)

    def close(self):
        self.cluster.drop(self.database)
        remove(self.dir)


@pytest.fixture
def ctl(cluster):
    one = Ctl(cluster)
    yield one
    one.close()


@pytest.fixture
def bare(cluster):
    one = Ctl(cluster, "bare")
    one.settings["LATCHKEY_MASTER_KEY_FILE"] = str(one.dir / "master.key")
    yield one
    one.close()


# ---- calling it


def test_help_and_usage(ctl):
    out = ctl.done("--help")
    for command in ("staff add", "tenant import", "tenant list",
                    "subscription list", "doctor"):
        assert command in out
    assert "usage" in ctl("--help", LATCHKEY_DATABASE_URL="").stdout
    result = ctl()
    assert result.returncode == 2 and "usage" in result.stderr
    for words in (("frobnicate",), ("staff",), ("staff", "remove"),
                  ("staff", "add"), ("staff", "add", "a@b"),
                  ("staff", "add", "a@b", "--name", "A"),
                  ("staff", "add", "a@b", "--name", "A", "--role", "boss"),
                  ("tenant", "list", "--xml"), ("tenant", "list", "x"),
                  ("tenant", "import"), ("doctor", "now")):
        ctl.refused(*words, status=2)


def test_bad_setting_is_named(ctl):
    line = ctl.refused("doctor", status=2, LATCHKEY_PUBLIC_URL="portal")
    assert line.startswith("LATCHKEY_PUBLIC_URL must be ")
    line = ctl.refused("doctor", status=2, LATCHKEY_MASTER_KEY_FILE="")
    assert line.startswith("LATCHKEY_MASTER_KEY_FILE is missing")


def test_database_away(ctl):
    line = ctl.refused(
        "doctor", LATCHKEY_DATABASE_URL="postgresql:///x?host=/nowhere")
    assert "can't be reached" in line


# ---- init, demo, doctor


def test_init_twice(bare):
    out = bare.done("init")
    key = bare.dir / "master.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert "made the master key file" in out and "made 6 keys" in out
    content = key.read_bytes()
    rows = bare.sql("SELECT * FROM sealed_key ORDER BY kind, version")
    assert [row[0] for row in rows] == [
        "access-token", "api-user-password", "data", "link",
        "subscription-key", "subscription-key-prefix"]
    assert bare.done("init") == ""
    assert key.read_bytes() == content
    assert bare.sql("SELECT * FROM sealed_key ORDER BY kind, version") == rows


def test_init_at_once(bare):
    """Eight of them: one set of keys, and each finds it right."""
    bare.done("init")
    bare.sql("DELETE FROM signing_key")
    bare.sql("DELETE FROM sealed_key")
    command = [bare.cluster.build / "latchkeyctl", "init"]
    all_of_them = [subprocess.Popen(command, env=clean_env(**bare.settings))
                   for _ in range(8)]
    assert [one.wait(30) for one in all_of_them] == [0] * 8
    assert bare.sql("SELECT count(*) FROM sealed_key") == [(6,)]
    assert bare.sql("SELECT count(*) FROM signing_key") == [(1,)]


def test_init_never_replaces_a_lost_master_key(bare):
    bare.done("init")
    (bare.dir / "master.key").rename(bare.dir / "away")
    assert "is missing" in bare.refused("init")
    assert not (bare.dir / "master.key").exists()


def test_wrong_master_key(bare, cluster):
    bare.done("init")
    bare.settings["LATCHKEY_MASTER_KEY_FILE"] = str(bare.dir / "other.key")
    other = Ctl(cluster, "bare")
    other.settings["LATCHKEY_MASTER_KEY_FILE"] = str(bare.dir / "other.key")
    other.done("init")
    other.close()
    assert "another installation" in bare.refused("init")
    assert bare("doctor").returncode == 1


def test_demo_once(ctl):
    assert ctl.done("demo") == ""
    assert ctl.sql("SELECT slug, name, calls_a_minute, calls_a_day FROM product"
                   ) == [("revio-api", "Rev.io API", 200, 100000)]
    assert ctl.sql("SELECT name FROM product_resource ORDER BY place") == [
        ("Contacts",), ("Customers",), ("Tickets",), ("Invoices",)]
    # An operator's catalogue is left alone.
    ctl.sql("UPDATE product SET name = 'Mine'")
    ctl.done("demo")
    assert ctl.sql("SELECT name FROM product") == [("Mine",)]


def test_doctor(ctl):
    out = ctl.done("doctor")
    assert "BAD" not in out
    for what in ("database", "schema", "master key", "mail"):
        assert re.search(rf"^ok +{what} ", out, re.M), out
    ctl.sql("INSERT INTO outbox (kind, state) VALUES ('verify', 'dropped'), "
            "('verify', 'dropped'), ('verify', 'failed')")
    assert "0 queued, 1 failed, 2 dropped" in ctl.done("doctor")
    found = json.loads(ctl.done("doctor", "--json"))
    assert all(one["ok"] is True for one in found)
    assert {"database", "schema", "master key", "mail"} <= {
        one["what"] for one in found}
    ctl.sql("DELETE FROM outbox")
    ctl.sql("SELECT mail_queue('verify', NULL, 'a@b', '{}')")
    ctl.sql("UPDATE outbox SET next_at = now() - interval '1 hour'")
    result = ctl("doctor")
    assert result.returncode == 1
    assert re.search(r"^BAD +mail +1 queued, 0 failed;.*60 minutes|1 hour",
                     result.stdout, re.M)
    result = ctl("doctor", "--json")
    assert result.returncode == 1
    mail, = [one for one in json.loads(result.stdout)
             if one["what"] == "mail"]
    assert mail["ok"] is False and "courier" in mail["text"]


def test_doctor_says_that_the_schema_is_another(ctl, cluster):
    ctl.sql("DELETE FROM sqitch.changes WHERE change = 'jobs'")
    result = ctl("doctor")
    assert result.returncode == 1 and "BAD   schema" in result.stdout
    empty = Ctl(cluster, "empty")
    result = empty("doctor")
    assert result.returncode == 1 and "BAD   schema" in result.stdout
    empty.close()


# ---- staff


def test_staff_with_a_password(ctl):
    out = ctl.done("staff", "add", " Tomas.Okafor@Revio.example", "--name",
                   " Tomas  Okafor ", "--role", "admin", stdin=PASSWORD + "\n")
    assert "/signin" in out and PASSWORD not in out
    assert ctl.sql(
        "SELECT kind, staff_role, state, email, email_folded, email_domain,"
        " name, password_hash LIKE '$argon2id$%%' FROM account"
        " JOIN person ON account_id = id") == [
            ("staff", "admin", "active", "Tomas.Okafor@Revio.example",
             "tomas.okafor@revio.example", "revio.example", "Tomas Okafor",
             True)]
    assert ctl.sql("SELECT actor_kind, action, detail FROM audit WHERE"
                   " subject_kind = 'account'") == [
        ("operator", "staff.added", {"role": "admin"})]
    line = ctl.refused("staff", "add", "tomas.okafor@REVIO.example", "--name",
                       "T", "--role", "staff", stdin=PASSWORD)
    assert "has an account already" in line
    assert ctl.sql("SELECT count(*) FROM account") == [(1,)]
    assert ctl.sql("SELECT count(*) FROM outbox") == [(0,)]


def test_staff_with_a_bad_password(ctl):
    for password in ("short", "password1234", "tomasokafor1", "x" * 129,
                     "x" * 2000, "with\x01control character"):
        ctl.refused("staff", "add", "t@revio.example", "--name",
                    "Tomas Okafor", "--role", "staff", stdin=password + "\n")
    assert ctl.sql("SELECT count(*) FROM account") == [(0,)]


def test_staff_with_a_bad_name_or_address(ctl):
    for email, name in (("nobody", "N"), ("a b@c", "N"), ("a@b", " "),
                        ("a@b", "two\nlines"), ("a@b", "x" * 101)):
        ctl.refused("staff", "add", email, "--name", name, "--role", "staff",
                    stdin=PASSWORD)
    assert ctl.sql("SELECT count(*) FROM account") == [(0,)]


def invite(ctl, *args):
    """Without a password: the link that was printed, checked against the
    database, which knows only its hash."""
    out = ctl.done(*args)
    found = re.fullmatch(r"http://localhost:8080/verify/([\w-]{43})\n", out)
    assert found, out
    token_hash = hashlib.sha256(found[1].encode()).digest()
    rows = ctl.sql("SELECT id, email, invited_as, replaced_at IS NULL,"
                   " expires_at - created_at = interval '24 hours'"
                   " FROM signup WHERE token_hash = %s", token_hash)
    assert len(rows) == 1
    return rows[0]


def test_staff_by_link(ctl):
    first = invite(ctl, "staff", "add", "ada@revio.example", "--name=Ada",
                   "--role=staff")
    assert first[1:] == ("ada@revio.example", "staff", True, True)
    second = invite(ctl, "staff", "add", "ADA@revio.example", "--name", "Ada",
                    "--role", "admin")
    assert second[2:] == ("admin", True, True)
    # The first one's link is dead.
    assert ctl.sql("SELECT replaced_at IS NOT NULL FROM signup WHERE id = %s",
                   first[0]) == [(True,)]
    assert ctl.sql("SELECT count(*) FROM outbox") == [(0,)]
    ctl.done("staff", "add", "ada@revio.example", "--name", "Ada", "--role",
             "staff", stdin=PASSWORD)
    assert ctl.sql("SELECT count(*) FROM signup WHERE replaced_at IS NULL"
                   ) == [(0,)]
    ctl.refused("staff", "add", "ada@revio.example", "--name", "Ada", "--role",
                "staff")


def test_staff_from_a_terminal(ctl):
    """Nobody is asked for a password on a terminal: the link does that."""
    ours, theirs = pty.openpty()
    done = subprocess.run(
        [ctl.cluster.build / "latchkeyctl", "staff", "add", "a@b.example",
         "--name", "A", "--role", "staff"], stdin=theirs, capture_output=True,
        text=True, env=clean_env(**ctl.settings), timeout=30)
    os.close(ours)
    os.close(theirs)
    assert done.returncode == 0 and "/verify/" in done.stdout


def test_first_admin(ctl):
    first = invite(ctl, "staff", "link-first-admin")
    assert first[1:3] == ("admin@localhost", "admin")
    second = invite(ctl, "staff", "link-first-admin")
    assert ctl.sql("SELECT id FROM signup WHERE replaced_at IS NULL") == [
        (second[0],)]
    other = invite(ctl, "staff", "link-first-admin", "--email",
                   "boss@revio.example")
    assert other[1] == "boss@revio.example"
    # Staff alone are nobody's admin; an admin ends it.
    ctl.done("staff", "add", "s@revio.example", "--name", "S", "--role",
             "staff", stdin=PASSWORD)
    invite(ctl, "staff", "link-first-admin")
    ctl.done("staff", "add", "a@revio.example", "--name", "A", "--role",
             "admin", stdin=PASSWORD)
    assert ctl.done("staff", "link-first-admin") == ""


def test_first_admin_beside_a_disabled_one(ctl):
    """All admins are disabled, admin@localhost among them: there is a way
    back in, under the next free address."""
    for name in ("admin@localhost", "admin2@localhost"):
        ctl.done("staff", "add", name, "--name", "A", "--role", "admin",
                 stdin=PASSWORD)
    assert ctl.done("staff", "link-first-admin") == ""
    ctl.sql("UPDATE account SET state = 'disabled'")
    assert invite(ctl, "staff", "link-first-admin")[1] == "admin3@localhost"
    # An address that was named is that one, or none.
    line = ctl.refused("staff", "link-first-admin", "--email",
                       "admin@localhost")
    assert "has an account already" in line


def test_everybody_is_signed_out(ctl):
    ctl.done("staff", "add", "a@revio.example", "--name", "A", "--role",
             "admin", stdin=PASSWORD)
    ctl.sql("INSERT INTO session (id_hash, account_id, expires_at) SELECT "
            "h::bytea, id, now() + interval '1 day' FROM account, "
            "unnest(ARRAY['a', 'b']) AS h")
    assert ctl("session", "end").returncode == 2
    assert ctl.sql("SELECT count(*) FROM session") == [(2,)]
    assert "2 sessions" in ctl.done("session", "end", "--all")
    assert ctl.sql("SELECT count(*) FROM session") == [(0,)]
    assert ctl.sql("SELECT actor_kind FROM audit WHERE action = "
                   "'session.all_ended'") == [("operator",)]


# ---- lists and import

GOOD = """\ufeffcode,name,email_domains\r
ALTWORX,Altaworx,altaworx.com; Altaworx.co.uk\r
"NORTH-1","Northwind ""Trade"", Ltd",\r
\r
B8,Bücher & Söhne,bücher.example;bücher.example\r
"""


def test_import_and_list(ctl):
    path = ctl.file(GOOD)
    assert ctl.done("tenant", "import", "--dry-run", path
                    ) == (
        "line 2: new       ALTWORX  Altaworx, mail domain altaworx.com, "
        "mail domain altaworx.co.uk\n"
        "line 3: new       NORTH-1  Northwind \"Trade\", Ltd\n"
        "line 5: new       B8  Bücher & Söhne, mail domain "
        "xn--bcher-kva.example\n"
        "3 clients would be added, 0 would be changed, 0 unchanged\n")
    assert ctl.sql("SELECT count(*) FROM tenant") == [(0,)]
    assert json.loads(ctl.done("tenant", "list", "--json")) == []
    assert ctl.done("tenant", "import", path) == (
        "3 clients added, 0 changed, 0 unchanged\n")
    found = json.loads(ctl.done("tenant", "list", "--json"))
    assert [(t["code"], t["name"], t["email_domains"]) for t in found] == [
        ("ALTWORX", "Altaworx", ["altaworx.co.uk", "altaworx.com"]),
        ("B8", "Bücher & Söhne", ["xn--bcher-kva.example"]),
        ("NORTH-1", 'Northwind "Trade", Ltd', [])]
    assert found[0]["people"] == 0 and found[0]["state"] == "active"
    table = ctl.done("tenant", "list").splitlines()
    assert table[0].startswith("Code     Name")
    assert table[1].startswith("ALTWORX  Altaworx ")
    assert ctl.sql("SELECT count(*) FROM audit WHERE action ="
                   " 'tenant.imported' AND actor_kind = 'operator'") == [(3,)]
    assert ctl.sql("SELECT slug FROM tenant ORDER BY slug")[0] == ("altaworx",)


def test_import_all_or_nothing(ctl):
    header = "code,name,email_domains\n"
    good = "GOOD,Good Company,good.example\n"
    for text, said in (
            ("", "line 1 "), ("code;name\n", "line 1 "),
            ("code,name,domains\n", "line 1 is the header"),
            (header + good + "lower,Name,\n", "line 3 has the code"),
            (header + good + "X,Name\n", "line 3 has 2 fields"),
            (header + good + "AB,Name,a.example,more\n", "line 3 has 4 fields"),
            (header + good + "AB,,\n", "line 3 has a bad name"),
            (header + good + "AB,Name,not a domain\n", "line 3 has a mail"),
            (header + good + "AB,Name,gmail.com\n", "gmail.com"),
            (header + good + 'AB,"Name,\n', "line 3 has a quote"),
            (header + good + good, "line 3 has the code GOOD again, as line 2"),
            ((header + good).encode() + b"AB,N\xffme,\n", "line 3 ")):
        result = ctl("tenant", "import", ctl.file(text))
        assert result.returncode == 1, text
        assert said in result.stderr, (text, result.stderr)
        assert "nothing was imported" in result.stderr
        assert ctl.sql("SELECT count(*) FROM tenant") == [(0,)], text
    assert "No such file" in ctl.refused("tenant", "import", "/nowhere")


def test_import_again(ctl):
    """Names change, domains come, nothing goes; what is the same stays."""
    header = "code,name,email_domains\n"
    ctl.done("tenant", "import", ctl.file(
        header + "SAME,Same,same.example\nNAME,Old Name,\n"
        "MAIL,Mail,one.example\nGONE,Gone,\n"))
    ctl.sql("INSERT INTO tenant_alias SELECT 'GONE', id FROM tenant "
            "WHERE code = 'SAME'")
    ctl.sql("UPDATE tenant SET state = 'merged', ended_at = now(), merged_into"
            " = (SELECT id FROM tenant WHERE code = 'SAME')"
            " WHERE code = 'GONE'")
    path = ctl.file(header + "SAME,Same,\nNAME,شركة 🦊,\n\n"
                    "MAIL,Mail,two.example;One.example\nNEW,New,\n")
    assert ctl.done("tenant", "import", "--dry-run", path) == (
        'line 2: unchanged SAME\n'
        'line 3: changed   NAME  name "Old Name" to "شركة 🦊"\n'
        'line 5: changed   MAIL  mail domain two.example\n'
        'line 6: new       NEW  New\n'
        '1 client would be added, 2 would be changed, 1 unchanged\n')
    assert ctl.sql("SELECT count(*) FROM tenant") == [(4,)]
    assert ctl.done("tenant", "import", path) == (
        "1 client added, 2 changed, 1 unchanged\n")
    assert ctl.done("tenant", "import", path) == (
        "0 clients added, 0 changed, 4 unchanged\n")
    assert ctl.sql("SELECT t.code, t.name, string_agg(d.domain, ' ' ORDER BY "
                   "d.domain) FROM tenant t LEFT JOIN tenant_domain d ON "
                   "d.tenant_id = t.id WHERE t.state = 'active' "
                   "GROUP BY 1, 2 ORDER BY 1") == [
        ("MAIL", "Mail", "one.example two.example"),
        ("NAME", "شركة 🦊", None), ("NEW", "New", None),
        ("SAME", "Same", "same.example")]
    assert ctl.sql("SELECT t.code, a.detail FROM audit a JOIN tenant t ON "
                   "t.id = a.tenant_id WHERE action = 'tenant.import_changed' "
                   "ORDER BY 1") == [
        ("MAIL", {"domains_added": 1}), ("NAME", {"name": 1})]
    for row, said in (("GONE,Gone,\n", "a former code of Same: write SAME"),
                      ("same,Same,\n", "write it in capitals, SAME")):
        result = ctl("tenant", "import", ctl.file(header + row))
        assert result.returncode == 1 and said in result.stderr


def test_import_of_many(ctl):
    """A large file in one go, the names all alike."""
    count = 20000
    path = ctl.file("code,name,email_domains\r\n" + "".join(
        f"MANY-{n},Many Ltd,m{n}.example;n{n}.example\r\n"
        for n in range(count)))
    assert ctl.done("tenant", "import", path) == (
        f"{count} clients added, 0 changed, 0 unchanged\n")
    assert ctl.sql("SELECT count(DISTINCT slug), (SELECT count(*) FROM "
                   "tenant_domain) FROM tenant") == [(count, 2 * count)]
    assert ctl.done("tenant", "import", path) == (
        f"0 clients added, 0 changed, {count} unchanged\n")


def test_import_of_as_many_as_there_may_be(ctl):
    """All are planned and sent; one bad row at the end, or a database that
    refuses, and none comes."""
    name = "Fairly Long Name " * 3
    rows = [f"H{n:06d},{name}{n},one{n}.example;two{n}.example\n"
            for n in range(200_000)]
    header = "code,name,email_domains\n"
    said = ctl.done("tenant", "import", "--dry-run", ctl.file(
        header + "".join(rows))).splitlines()
    assert len(said) == 200_001
    assert said[-2] == (f"line 200001: new       H199999  {name}199999, mail "
                        "domain one199999.example, mail domain "
                        "two199999.example")
    assert said[-1] == ("200000 clients would be added, 0 would be changed, "
                        "0 unchanged")
    for kept, more, told in (
            (199_999, "H000000,Again,\n", "line 200001 has the code H000000 "
             "again, as line 2\n"),
            (200_000, "ONEMORE,One,\n", "line 200002 is one more than")):
        result = ctl("tenant", "import", ctl.file(
            header + "".join(rows[:kept]) + more))
        assert result.returncode == 1
        assert told in result.stderr, result.stderr
        assert result.stderr.endswith("nothing was imported\n")
    ctl.sql("REVOKE INSERT ON tenant FROM latchkey_app")
    assert "permission" in ctl.refused("tenant", "import", ctl.file(
        header + "".join(rows)))
    assert ctl.sql("SELECT count(*) FROM tenant") == [(0,)]


def test_import_of_like_names(ctl):
    """Two clients of one name get slugs of their own."""
    ctl.done("tenant", "import", ctl.file(
        "code,name,email_domains\nONE,Acme Inc,\nTWO,ACME,\n"))
    ctl.done("tenant", "import", ctl.file(
        "code,name,email_domains\nTHREE,Acme,\n"))
    slugs = [row[0] for row in ctl.sql("SELECT slug FROM tenant")]
    assert len(set(slugs)) == 3


def test_subscription_list(ctl):
    ctl.done("tenant", "import", ctl.file(GOOD))
    ctl.sql("INSERT INTO subscription (id, tenant_id, product_id, one_key,"
            " name) SELECT gen_random_uuid(), t.id, p.id, true,"
            " 'Altaworx-KEY' FROM tenant AS t, product AS p"
            " WHERE t.code = 'ALTWORX'")
    found, = json.loads(ctl.done("subscription", "list", "--json"))
    assert (found["name"], found["tenant"], found["product"], found["state"],
            found["expires_at"]) == ("Altaworx-KEY", "ALTWORX", "revio-api",
                                     "active", None)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
                        found["created_at"])
    assert "Altaworx-KEY" in ctl.done("subscription", "list")
    tenants = json.loads(ctl.done("tenant", "list", "--json"))
    assert tenants[0]["live_subscriptions"] == 1
