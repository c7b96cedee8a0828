"""Access tokens on their page: made after a fresh sign-in, shown once, told by
mail, listed, revoked."""

import datetime
import re

import pytest
from lib import flows
from lib.base import wait_until

PATH = "/account/tokens"


def last_day(days=30):
    return (datetime.datetime.now(datetime.timezone.utc)
            + datetime.timedelta(days)).strftime("%Y-%m-%d")


def make(browser, page=None, name="Nightly", scopes=("read",), **fields):
    """Fills in the form; the answer."""
    form = (page or browser.get(PATH).expect(200)).form("/account/tokens$")
    return browser.post(PATH, [
        ("csrf", form.fields["csrf"]), ("nonce", form.fields["nonce"]),
        ("name", name), ("expires", fields.get("expires", last_day())),
        *(("scope", scope) for scope in scopes)])


def token_on(answer):
    return re.search(r"\blk_[0-9A-Za-z]{36}\b", answer.expect(200).words)[0]


@pytest.fixture(scope="module")
def person(server):
    return flows.contact(server)


def test_made_shown_once_and_told(server, person):
    page = person.get(PATH).expect(200)
    answer = make(person, page, name="Night <b>run</b>",
                  scopes=("read", "keys:reveal"))
    token = token_on(answer)
    assert answer.headers["Cache-Control"] == "no-store"
    again = make(person, page, name="Night <b>run</b>")
    assert again.title.startswith("Shown already") and token not in again.text
    listed = person.get(PATH).expect(200)
    assert token not in listed.text
    assert f"lk_{token[3:7]}…{token[-4:]}" in listed.words
    assert "Night <b>run</b>" in listed.words and "Not yet" in listed.words
    rows = server.sql("SELECT t::text, scopes FROM access_token t")
    assert len(rows) == 1 and token not in rows[0][0]
    mail = server.mail.wait(person.email, "access token")
    assert token not in mail.text and "keys:reveal" in mail.text
    assert server.sql("SELECT count(*) FROM audit WHERE action = "
                      "'token.made'")[0][0] == 1
    assert token not in (server.dir / "portal.log").read_text()


@pytest.mark.parametrize("name, days, scopes, field", [
    ("", 30, ("read",), "name"),
    ("x" * 61, 30, ("read",), "name"),
    ("a\u202eb", 30, ("read",), "name"),
    ("a", -1, ("read",), "expires"),
    ("a", 367, ("read",), "expires"),
    ("a", None, ("read",), "expires"),
    ("a", 30, (), "scopes"),
    ("a", 30, ("queue:read", "nothing"), "scopes"),
])
def test_bad_forms(server, person, name, days, scopes, field):
    """Scopes of staff are none for a contact."""
    before = server.sql("SELECT count(*) FROM access_token")
    answer = make(person, name=name, scopes=scopes,
                  expires="" if days is None else last_day(days))
    answer.expect(422)
    assert f'id="{field}-error"' in answer.text
    assert server.sql("SELECT count(*) FROM access_token") == before


def test_a_year_is_the_longest(person):
    token_on(make(person, name="Year", expires=last_day(365)))


def test_an_old_sign_in_is_asked_again(server):
    someone = flows.contact(server)
    page = someone.get(PATH).expect(200)
    server.sql("UPDATE session SET fresh_at = now() - interval '16 minutes'")
    assert make(someone, page).expect(200).title.startswith("Is it you?")
    server.sql("UPDATE session SET fresh_at = now()")


def test_staff_and_admins_have_scopes_of_their_own(server):
    keeper = flows.staff(server)
    admin = flows.staff(server, role="admin")
    assert "queue:decide" in keeper.get(PATH).text
    assert "tenants:write" not in keeper.get(PATH).text
    assert "keys:reveal" not in keeper.get(PATH).text
    assert "tenants:write" in admin.get(PATH).text
    make(keeper, scopes=("tenants:write",)).expect(422)
    token_on(make(keeper, scopes=("queue:read",)))


def test_revoked_by_oneself_only(server, person):
    other = flows.contact(server)
    token_on(make(other, name="Mine"))
    page = other.get(PATH).expect(200)
    action = page.form("/revoke$").action
    csrf = person.get(PATH).form().fields["csrf"]
    person.post(action, {"csrf": csrf}).expect(404)
    other.submit(page, {}, "/revoke$").expect(303)
    assert "Mine" not in other.get(PATH).words
    other.post(action, {"csrf": page.form().fields["csrf"]}).expect(404)
    assert server.sql("SELECT count(*) FROM audit WHERE action = "
                      "'token.revoked'")[0][0] == 1


def test_twenty_and_no_more(server):
    someone = flows.contact(server)
    server.sql(
        "INSERT INTO access_token (id, account_id, name, mac, mac_version, "
        "first4, last4, scopes, expires_at) SELECT gen_random_uuid(), "
        "account_id, 'x', sha256((n || email)::bytea), 1, 'aaaa', 'bbbb', "
        "'{read}', now() + interval '1 day' FROM person, "
        "generate_series(1, 20) n WHERE email = %s", (someone.email,))
    assert "You have 20 tokens" in make(someone).expect(422).words


def test_disabled_ends_for_good(server):
    someone = flows.contact(server)
    token_on(make(someone))
    account = server.sql("SELECT account_id FROM person WHERE email = %s",
                         (someone.email,))[0][0]
    for state in ("disabled", "active"):
        server.sql("UPDATE account SET state = %s WHERE id = %s",
                   (state, account))
    assert server.sql("SELECT count(*) FROM access_token WHERE account_id "
                      "= %s AND ended_at IS NULL", (account,))[0][0] == 0


def test_a_closed_account_leaves_no_name(server):
    someone = flows.contact(server)
    token_on(make(someone, name="Ada's own"))
    server.sql("UPDATE account SET state = 'closed' WHERE id = (SELECT "
               "account_id FROM person WHERE email = %s)", (someone.email,))
    wait_until(lambda: server.sql(
        "SELECT count(*) FROM access_token WHERE name = %s",
        ("Ada's own",))[0][0] == 0, 5)
