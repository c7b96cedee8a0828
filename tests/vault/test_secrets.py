"""Where secrets must not be found: logs, statements that PostgreSQL keeps or
logs, a dump, the list of processes, memory that others may read, and what a
browser keeps."""

import os
import re
import subprocess
import urllib.parse
from pathlib import Path

import pytest

from apiusers.world import password_on
from lib import flows, totp
from lib.base import clean_env, wait_until
from lib.cluster import Cluster
from lib.server import Server

# Everything that PostgreSQL can be told to write down, parameters as well.
TALKATIVE = """
shared_preload_libraries = 'pg_stat_statements'
pg_stat_statements.track = all
pg_stat_statements.track_utility = on
log_statement = all
log_min_duration_statement = 0
log_parameter_max_length = -1
log_parameter_max_length_on_error = -1
"""


class World:
    """A portal beside a PostgreSQL that tells all, and what was secret in what
    people did there."""

    def __init__(self, build):
        self.cluster = Cluster(build, extra=TALKATIVE)
        self.secrets = {}
        try:
            self.server = Server(self.cluster, workers=2)
        except BaseException:
            self.cluster.close()
            raise

    def close(self):
        self.server.close()
        self.cluster.close()

    def note(self, what, secret):
        assert len(secret) >= 8, what
        self.secrets[f"{what} {len(self.secrets)}"] = secret

    def live(self):
        """A day at the portal."""
        server = self.server
        owner, keeper = flows.client_with_key(server)
        self.note("password", flows.PASSWORD)
        for slot in ("primary", "secondary"):
            self.note("key", flows.show_key(owner, slot))
        path = re.search(r'"(/subscriptions/[0-9a-f-]{36})"',
                         owner.get("/profile").text)[1]
        page = owner.submit(owner.get(path), {"overlap": "3600"},
                            "/primary/regenerate$").expect(200)
        self.note("new key", flows.key_on(page))
        # A wrong slot, a form that comes twice, an API user.
        owner.submit(owner.get(path), {"overlap": "x"},
                     "/primary/regenerate$").expect(422)
        role = server.sql("SELECT id FROM api_role WHERE preset = 'full'")
        page = owner.submit(owner.get("/api-users").expect(200), {
            "username": "FORTAPI", "vendor": "Forta", "integration": "Sync",
            "role": role[0][0]}, "/api-users$").expect(200)
        self.note("password of an API user", password_on(page))
        secret, codes = totp.set_up(keeper)
        self.note("secret of an app", secret)
        self.note("secret of an app", totp.base64.b32decode(secret).hex())
        self.note("recovery code", codes[0])
        for browser in (owner, keeper):
            for name, value in browser.cookies.items():
                if len(value) > 20:
                    self.note(f"cookie {name}", value)
        for mail in server.mail.all():
            for token in re.findall(r"/(?:verify|reset)/([\w-]{20,})",
                                    mail.text):
                self.note("link", token)
        for line in server.master_key.read_text().splitlines():
            if not line.startswith("#"):
                self.note("master key", line.split(":")[1])
        # What operators do.
        taken = [os.urandom(16).hex() for _ in range(2)]
        flows.add_tenant(server, "TAKEN", "Taken Co")
        path = server.dir / "import.csv"
        path.write_text("tenant,product,name,state,primary,secondary\n"
                        f"TAKEN,revio-api,Taken Co-KEY,active,{taken[0]},"
                        f"{taken[1]}\n")
        server.ctl("subscription", "import", str(path))
        assert "TAKEN" in server.ctl("key", "find", "--stdin",
                                     stdin=taken[0]).stdout
        for key in taken:
            self.note("taken key", key)
        server.ctl("staff", "add", "ann@staff.example", "--name", "Ann",
                   "--role", "staff", stdin="marble kettle orbit\n")
        self.note("password", "marble kettle orbit")
        server.ctl("master-key", "rotate")
        server.ctl("data-key", "rotate")
        self.note("master key", server.master_key.read_text().splitlines()[
            -1].split(":")[1])

    def found_in(self, text):
        """Names of what is there, as it is, in hexadecimal (bytea), or as a
        form sends it."""
        assert isinstance(text, str) and text
        return {what for what, secret in self.secrets.items()
                for form in {secret, secret.encode().hex(),
                             urllib.parse.quote_plus(secret)} if form in text}


@pytest.fixture(scope="module")
def world(build):
    one = World(build)
    try:
        one.live()
        assert {what.split()[0] for what in one.secrets} >= {
            "password", "key", "new", "secret", "recovery", "cookie", "link",
            "master", "taken"}
        yield one
    finally:
        one.close()


def test_what_is_looked_for_would_be_found(world):
    world.server.sql("SELECT %s", (world.secrets["key 1"],))
    log = (world.cluster.dir / "postgres.log").read_text()
    assert world.found_in(log) == {"key 1"}
    # Away with it, for those who look next.
    (world.cluster.dir / "postgres.log").write_text(
        log.replace(world.secrets["key 1"], ""))


def test_no_log_has_any(world):
    wait_until(lambda: world.server.raw_log(), 5)
    for name in ("portal", "courier"):
        assert world.found_in(world.server.raw_log(name)) == set(), name


def test_no_statement_has_any(world):
    """Statements are logged with their parameters, and kept with their
    texts."""
    log = (world.cluster.dir / "postgres.log").read_text(errors="replace")
    assert "key_reveal" in log or "audit_write" in log
    assert re.search(r"parameters: \$1 = ", log)
    assert world.found_in(log) == set()
    world.cluster.sql(world.server.database,
                      "CREATE EXTENSION IF NOT EXISTS pg_stat_statements",
                      role="postgres")
    texts = "\n".join(row[0] for row in world.cluster.sql(
        world.server.database, "SELECT query FROM pg_stat_statements",
        role="postgres"))
    assert "UPDATE subscription_key" in texts
    assert world.found_in(texts) == set()


def test_a_dump_opens_nothing(world):
    """Whoever has a backup of the database alone has neither a key nor what
    opens one; another installation's master key does not."""
    dump = subprocess.run(
        ["pg_dump", "-h", world.cluster.socket, "-U", "postgres",
         world.server.database], check=True, capture_output=True, text=True,
        cwd="/", env=clean_env()).stdout
    assert "COPY public.subscription_key" in dump
    assert world.found_in(dump) == set()
    other = world.server.dir / "other.key"
    settings = {**world.server.settings,
                "LATCHKEY_MASTER_KEY_FILE": str(other)}
    other.write_text("1:" + totp.base64.b64encode(os.urandom(32)).decode())
    other.chmod(0o600)
    for words in (("key", "find", "--first8", "00000000"), ("doctor",),
                  ("data-key", "rotate"), ("master-key", "rotate")):
        done = subprocess.run(
            [world.server.build / "latchkeyctl", *words], text=True,
            capture_output=True, env=clean_env(**settings))
        assert done.returncode == 1
        assert "master key" in done.stdout + done.stderr
    assert world.found_in(done.stdout + done.stderr) == set()


def processes(world):
    """Portal, workers, courier, and PostgreSQL with a process a connection."""
    pids = [world.server.portal.pid, world.server.courier.pid,
            world.cluster.process.pid, *world.server.workers()]
    pids += [int(line) for line in subprocess.run(
        ["pgrep", "-P", str(world.cluster.process.pid)], text=True,
        capture_output=True).stdout.split()]
    assert len(pids) > 8
    return pids


def test_the_list_of_processes_has_none(world):
    for pid in processes(world):
        for name in ("cmdline", "environ"):
            try:
                text = Path(f"/proc/{pid}/{name}").read_text(errors="replace")
            except PermissionError:
                continue        # not ours to read, which is as good
            if text:
                assert world.found_in(text) == set(), (pid, name)


def has_no_core(pid):
    return re.search(r"^Max core file size +0 +0 ",
                     Path(f"/proc/{pid}/limits").read_text(), re.M)


def test_memory_is_nobody_elses(make_server):
    """Portal, workers and courier leave no core dump, and another process of
    the same user can't read them (/proc/PID is root's then, proc(5)).  Where
    root runs the tests, that user is postgres: what root runs is root's
    anyway."""
    become = ["setpriv", "--reuid=postgres", "--regid=postgres",
              "--init-groups", "--"] if os.getuid() == 0 else []
    portal = make_server(user="postgres" if become else None)
    assert has_no_core(portal.courier.pid)
    for pid in (portal.portal.pid, *portal.workers()):
        assert has_no_core(pid)
        assert Path(f"/proc/{pid}/environ").stat().st_uid == 0
        done = subprocess.run(
            [*become, "cat", f"/proc/{pid}/environ"], capture_output=True,
            text=True, cwd="/")
        assert done.returncode != 0 and "Permission denied" in done.stderr


def test_the_tool_is_guarded(world):
    """While it waits for a key on its standard input."""
    process = subprocess.Popen(
        [world.server.build / "latchkeyctl", "key", "find", "--stdin"],
        env=clean_env(**world.server.settings), stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        wait_until(lambda: has_no_core(process.pid), 5)
    finally:
        process.communicate(b"x")


# AddressSanitizer's maps of what may be touched, terabytes that are hardly used,
# hold no copy of it.
SHADOW = 1 << 30


def memory_of(pid):
    """What is writable in it."""
    found = b""
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            where, rights, *_ = line.split()
            if not rights.startswith("rw") or "[v" in line:
                continue
            begin, end = (int(part, 16) for part in where.split("-"))
            if end - begin > SHADOW:
                continue
            try:
                memory.seek(begin)
                found += memory.read(end - begin)
            except OSError:
                continue
    return found


def test_memory_is_wiped(make_server):
    if os.getuid() != 0:
        pytest.skip("only root may read the memory of a worker: nobody else "
                    "can, his own user included, which is what "
                    "test_memory_is_nobody_elses asks for")
    portal = make_server(courier=True)
    owner, _ = flows.client_with_key(portal)
    key = flows.show_key(owner)
    secrets = [key.encode(), flows.PASSWORD.encode(),
               urllib.parse.quote_plus(flows.PASSWORD).encode()]
    owner.get("/profile").expect(200)
    worker, = portal.workers()
    left = memory_of(worker)
    assert b"latchkey" in left
    for number, secret in enumerate(secrets):
        assert left.count(secret) == 0, f"secret {number}"


def test_the_browser_keeps_none(world, browser):
    """Neither the history of addresses, nor the page behind Back and Forward:
    of a value that was shown, and of one that was just made."""
    server = world.server
    owner, _ = flows.client_with_key(server, "BACK", "Back Works")
    browser.open(server).take_session(owner)
    for way in ("show", "regenerate"):
        browser.go("/profile")
        if way == "regenerate":
            browser.go(re.search(r'"(/subscriptions/[0-9a-f-]{36})"',
                                 browser.driver.page_source)[1])
            browser.driver.execute_script(
                "document.querySelectorAll('details').forEach("
                "one => one.open = true)")
        browser.press_submit(f"/keys/secondary/{way}")
        shown = browser.find("#key data").get_dom_attribute("value")
        assert re.fullmatch("[0-9a-f]{32}", shown)
        assert browser.driver.execute_script("return history.state") is None
        browser.go("/products")
        for move in (browser.driver.back, browser.driver.forward,
                     browser.driver.back):
            move()
            assert shown not in browser.driver.page_source
        entries = browser.cdp("Page.getNavigationHistory")["entries"]
        assert len(entries) > 2
        assert shown not in str(entries)
