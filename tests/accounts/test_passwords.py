"""Which passwords are refused, beyond their length: those that many people
use, those made of what stands on the page, those that were stolen."""

import hashlib
import re
import subprocess

import pytest
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from lib import flows
from lib.base import clean_env

STOLEN = "seven harbours and a lamp"


def choose(server, email, password, **fields):
    page = server.client().get(flows.verify_link(server, email)).expect(200)
    browser = server.client()
    page = browser.get(page.path).expect(200)
    return browser.submit(page, {"password": password, **fields}, "/verify/")


@pytest.fixture(scope="module")
def breached(cluster, tmp_path_factory):
    from lib.server import Server
    path = tmp_path_factory.mktemp("stolen") / "pwned.txt"
    words = [STOLEN] + [f"another one {n}" for n in range(2000)]
    path.write_text("".join(sorted(
        hashlib.sha1(w.encode()).hexdigest().upper() + f":{len(w)}\r\n"
        for w in words)))
    path.chmod(0o644)
    path.parent.chmod(0o755)
    one = Server(cluster, settings={"BREACHED_PASSWORDS_FILE": path,
                                    "SITE_NAME": "Windmill Harbour"})
    yield one
    one.close()


def test_the_3000_most_common(cluster):
    """Each is too short, or on the list that the build made of them."""
    made = (cluster.build / "gen/common_passwords.c").read_text()
    listed = {re.sub(r"\\(\d{3})", lambda m: chr(int(m[1], 8)), word)
              for word in re.findall(r'^\t"(.*)",$', made, re.M)}
    assert len(listed) >= 3000
    commonest = [w.lower() for w in FREQUENCY_LISTS["passwords"]][:3000]
    assert len(commonest) == 3000
    assert [w for w in commonest if len(w) >= 12 and w not in listed] == []


@pytest.mark.parametrize("password", [
    "passwordpassword", "qwerty123456", "iloveyou2026", "Monkey1234567890"])
def test_common_ones_made_longer(server, password):
    email = flows.address()
    flows.sign_up(server, email)
    answer = choose(server, email, password).expect(422)
    assert "Many people use this password" in answer.words


def test_stolen_ones(breached):
    email = flows.address()
    flows.sign_up(breached, email)
    answer = choose(breached, email, STOLEN).expect(422)
    assert "stolen" in answer.words and STOLEN not in answer.text
    # Where a password is changed, and by the tool, as well.
    browser = breached.client()
    page = browser.get(flows.verify_link(breached, email))
    browser.submit(page, {"password": flows.PASSWORD}, "/verify/").expect(303)
    page = browser.get("/account/password")
    answer = browser.submit(page, {"password": flows.PASSWORD,
                                   "new_password": "another one 1234"})
    assert 'href="#new_password"' in answer.expect(422).text
    done = breached.ctl("staff", "add", flows.address(), "--name", "Sam",
                        "--role", "staff", stdin=STOLEN + "\n", check=False)
    assert done.returncode == 1 and "stolen" in done.stderr


@pytest.mark.parametrize("password", [
    "windmill harbour", "WindmillHarbour26", "ThermoclineLedger"])
def test_words_of_the_portal(breached, password):
    breached.sql("INSERT INTO product (id, slug, name) VALUES "
                 "(gen_random_uuid(), 'thermo', 'Thermocline Ledger') "
                 "ON CONFLICT DO NOTHING")
    email = flows.address()
    flows.sign_up(breached, email)
    assert "guesses this" in choose(breached, email, password) \
        .expect(422).words


@pytest.mark.parametrize("content,says", [
    (None, "No such file"), ("password\n", "SHA-1"), ("", "SHA-1")])
def test_a_file_that_is_none_stops_the_start(server, tmp_path, content, says):
    path = tmp_path / "pwned.txt"
    if content is not None:
        path.write_text(content)
    done = subprocess.run(
        [server.build / "latchkey"], text=True, capture_output=True,
        timeout=20, env=clean_env(**{
            **server.settings,
            "LATCHKEY_BREACHED_PASSWORDS_FILE": str(path)}))
    assert done.returncode != 0
    line, = [x for x in (done.stderr + done.stdout).splitlines()
             if "BREACHED" in x]
    assert "LATCHKEY_BREACHED_PASSWORDS_FILE" in line and says in line
