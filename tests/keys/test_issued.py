"""Issued keys: made once and shown once, by whom the profile lets, never with
more than the maker has; ended, regenerated, changed; other clients see none."""

import re

import pytest
from lib import flows
from lib.flows import issued_deed, issued_page
from lib.server import Background

SCOPES = (("read:customer", "GET", "/customers"),
          ("write:customer", "POST", "/customers"),
          ("read:service", "GET", "/services"))


@pytest.fixture(scope="module")
def people(server):
    """An owner of a client with a product of user keys."""
    owner = flows.scoped_client(server, "user-key", SCOPES)
    owner.member = flows.colleague(server, owner)
    owner.manager = flows.colleague(server, owner, "manager")
    owner.server = server
    return owner


@pytest.fixture(scope="module")
def partner(server):
    owner = flows.scoped_client(
        server, "partner-key", ("conversation:read", "conversation:write"))
    owner.member = flows.colleague(server, owner)
    owner.stranger = flows.scoped_client(server, "partner-key",
                                         ("conversation:read",))
    owner.server = server
    return owner


def rows(browser):
    return browser.get(f"/subscriptions/{browser.subscription}").words


def state_of(server, name):
    return server.sql("SELECT state FROM issued_key WHERE name = %s",
                      (name,))[0][0]


def test_whole_value_once(people):
    answer = flows.make_issued(people, people.subscription, "Once",
                               ["read:customer"]).expect(200)
    text = flows.issued_text(answer)
    assert re.fullmatch(r"ca_[0-9A-Za-z]{36}", text)
    assert "no-store" in answer.headers["Cache-Control"]
    page = people.get(f"/subscriptions/{people.subscription}")
    assert text not in page.text
    assert f"{text[:12]}…{text[-4:]}" in page.words
    stored = people.server.sql(
        "SELECT first, last4, sealed IS NULL, slot IS NULL FROM "
        "subscription_key v JOIN issued_key k ON k.id = v.key_id "
        "WHERE k.name = 'Once'")
    assert stored == [(text[:12], text[-4:], True, True)]
    assert text not in people.server.raw_log()
    mail = people.server.mail.wait(people.email, subject="the key Once")
    assert "made it" in mail.text and text not in mail.text


def test_none_is_preselected_and_all_are_warned_of(people):
    page = people.get(f"/subscriptions/{people.subscription}")
    assert page.text.count('name="scope"') == 3
    assert not re.search(r'name="scope"[^>]* checked', page.text)
    answer = flows.make_issued(people, people.subscription, " ", [
        "read:customer", "write:customer", "read:service"])
    assert answer.expect(422).text.count(" checked") == 3
    assert "Everything is chosen" in answer.words


def test_scopes_of_the_maker_only(people):
    """A member without a role has nothing to give; with one, that alone."""
    member = people.member
    page = member.get(f"/subscriptions/{people.subscription}").expect(200)
    assert 'name="scope"' not in page.text
    flows.make_issued(member, people.subscription, "Beyond",
                      ["read:customer"]).expect(422)
    flows.give_role(people.server, people, member, "Readers",
                    (("GET", "/customers"),))
    page = member.get(f"/subscriptions/{people.subscription}")
    assert re.findall(r'name="scope" value="([^"]*)"', page.text) == [
        "read:customer"]
    flows.make_issued(member, people.subscription, "Beyond",
                      ["read:customer", "write:customer"]).expect(422)
    flows.issued_key(member, people.subscription, "Mine", ["read:customer"])
    # A member sees the own keys, an owner and a manager all.
    assert "Once" not in member.get(
        f"/subscriptions/{people.subscription}").words
    for browser in (people, people.manager):
        words = browser.get(f"/subscriptions/{people.subscription}").words
        assert "Mine" in words and "Once" in words


def test_a_permission_that_is_lost_is_said(people):
    flows.issued_key(people.member, people.subscription, "Loser",
                     ["read:customer"])
    people.server.sql("DELETE FROM membership_role WHERE account_id = (SELECT "
                      "account_id FROM person WHERE email = %s)",
                      (people.member.email,))
    words = people.get(f"/subscriptions/{people.subscription}").words
    assert "has lost permissions" in words


def test_names_are_taken_once(people):
    flows.issued_key(people, people.subscription, "Twin", ["read:service"])
    answer = flows.make_issued(people, people.subscription, "TWIN",
                               ["read:service"])
    assert "Another key has this name" in answer.expect(422).words
    issued_deed(people, people.subscription, "Twin", "delete").expect(303)
    flows.issued_key(people, people.subscription, "Twin", ["read:service"])


def test_nonce_csrf_and_bad_forms(people):
    page = people.get(f"/subscriptions/{people.subscription}")
    form = page.form("/issued$")
    body = {**form.fields, "name": "Nonce", "scope": "read:service"}
    people.post(form.action, {**body, "csrf": "x"}).expect(403)
    people.post(form.action, body).expect(200)
    again = people.post(form.action, {**body, "name": "Nonce again"})
    assert "shown already" in again.expect(200).words
    people.post(form.action, {**body, "nonce": "x"}).expect(303)
    people.post(form.action, {**body, "scope": "no:such"}).expect(422)
    people.post(form.action, {**body, "expires": "2020-01-01"}).expect(422)
    assert people.server.sql("SELECT count(*) FROM issued_key WHERE name LIKE "
                             "'Nonce%'") == [(1,)]


def test_deactivate_reactivate_delete(people):
    flows.issued_key(people, people.subscription, "Pause", ["read:service"])
    issued_deed(people, people.subscription, "Pause", "deactivate").expect(303)
    assert state_of(people.server, "Pause") == "inactive"
    assert "Deactivated" in rows(people)
    issued_deed(people, people.subscription, "Pause", "activate").expect(303)
    assert state_of(people.server, "Pause") == "active"
    page = issued_page(people, people.subscription, "Pause")
    people.submit(page, action="/delete$").expect(303)
    assert state_of(people.server, "Pause") == "deleted"
    assert "Pause" not in rows(people)
    people.submit(page, action="/deactivate$").expect(404)


def test_what_a_manager_stopped_the_maker_does_not_start(people):
    server = people.server
    server.sql("INSERT INTO membership_role SELECT p.account_id, r.id, "
               "r.tenant_id FROM api_role r, person p WHERE p.email = %s "
               "AND r.tenant_id = %s AND r.name = 'Readers'",
               (people.member.email, people.tenant))
    flows.issued_key(people.member, people.subscription, "Stopped",
                     ["read:customer"])
    path = issued_page(people.member, people.subscription, "Stopped").path
    issued_deed(people.manager, people.subscription, "Stopped",
                "deactivate").expect(303)
    page = people.member.get(path).expect(200)
    assert not page.has_form("/activate$")
    csrf = people.member.get("/account").form("signout").fields["csrf"]
    people.member.post(path + "/activate", {"csrf": csrf}).expect(409)
    issued_deed(people.manager, people.subscription, "Stopped",
                "activate").expect(303)


def test_edit(people):
    flows.issued_key(people, people.subscription, "Old name",
                     ["read:service"])
    page = issued_page(people, people.subscription, "Old name")
    form = page.form(page.path + "$")
    people.post(form.action, [
        ("csrf", form.fields["csrf"]), ("name", "New name"),
        ("expires", "2030-01-31"), ("scope", "read:customer")]).expect(303)
    words = issued_page(people, people.subscription, "New name").words
    assert "read:customer" in words and "31 January 2030" in words
    # Nobody but its maker changes a key that carries its maker's rights.
    page = issued_page(people.manager, people.subscription, "New name")
    assert not page.has_form(page.path + "$")
    csrf = people.manager.get("/account").form("signout").fields["csrf"]
    people.manager.post(page.path, {
        "csrf": csrf, "name": "x", "scope": "read:service"}).expect(404)


def test_granted_people_make_partner_keys(partner):
    member, server = partner.member, partner.server
    page = member.get(f"/subscriptions/{partner.subscription}").expect(200)
    assert not page.has_form("/issued$")
    assert "Ask one of them to grant you access" in page.words
    csrf = member.get("/account").form("signout").fields["csrf"]
    member.post(f"/subscriptions/{partner.subscription}/issued", {
        "csrf": csrf, "name": "x", "scope": "conversation:read",
        "nonce": "x"}).expect(404)
    flows.grant_keys(server, partner, member)
    text = flows.issued_key(member, partner.subscription, "Granted",
                            ["conversation:read"])
    assert re.fullmatch(r"pk_[0-9A-Za-z]{36}", text)


def test_regenerate_with_overlap_or_none(partner):
    text = flows.issued_key(partner, partner.subscription, "Rotate",
                            ["conversation:read"])
    page = issued_page(partner, partner.subscription, "Rotate")
    assert "24 hours" in page.words and "Not at all" in page.words
    form = page.form("/regenerate$")
    partner.post(form.action, {**form.fields, "overlap": "3600"}).expect(422)
    answer = partner.post(form.action, {**form.fields, "overlap": "86400"})
    new = flows.issued_text(answer.expect(200))
    assert new != text and "no-store" in answer.headers["Cache-Control"]
    again = partner.post(form.action, {**form.fields, "overlap": "86400"})
    assert "shown already" in again.expect(200).words
    values = "SELECT v.state, v.last4 FROM subscription_key v JOIN issued_key " \
        "k ON k.id = v.key_id WHERE k.name = 'Rotate' ORDER BY v.id"
    assert partner.server.sql(values) == [("old", text[-4:]),
                                          ("current", new[-4:])]
    issued_deed(partner, partner.subscription, "Rotate", "end").expect(303)
    assert partner.server.sql(values) == [("ended", text[-4:]),
                                          ("current", new[-4:])]
    last = flows.issued_text(issued_deed(
        partner, partner.subscription, "Rotate", "regenerate",
        overlap="0").expect(200))
    assert partner.server.sql(values)[1:] == [("ended", new[-4:]),
                                              ("current", last[-4:])]


def test_revoked_stays_in_the_list(partner):
    text = flows.issued_key(partner, partner.subscription, "Leaked",
                            ["conversation:read"])
    issued_deed(partner, partner.subscription, "Leaked", "revoke").expect(303)
    words = rows(partner)
    assert "Leaked" in words and "REVOKED" in words
    # Still known by how it began.
    assert f"{text[:8]}…{text[-4:]}" in words
    assert partner.server.sql(
        "SELECT v.state FROM subscription_key v JOIN issued_key k "
        "ON k.id = v.key_id WHERE k.name = 'Leaked'") == [("ended",)]
    page = issued_page(partner, partner.subscription, "Leaked")
    for deed in ("revoke", "regenerate", "deactivate", "delete"):
        assert not page.has_form(f"/{deed}$")
        partner.post(f"{page.path}/{deed}", {
            "csrf": page.form("signout").fields["csrf"], "overlap": "0",
            "nonce": "x", "value": partner.subscription})
    assert state_of(partner.server, "Leaked") == "revoked"


def test_of_another_client_is_404(partner):
    flows.issued_key(partner, partner.subscription, "Ours",
                     ["conversation:read"])
    path = issued_page(partner, partner.subscription, "Ours").path
    other = partner.stranger
    csrf = other.get("/account").form("signout").fields["csrf"]
    other.get(f"/subscriptions/{partner.subscription}").expect(404)
    other.get(path).expect(404)
    for deed in ("", "/regenerate", "/end", "/deactivate", "/activate",
                 "/revoke", "/delete"):
        other.post(path + deed, {"csrf": csrf, "value": partner.subscription,
                                 "overlap": "0", "nonce": "x",
                                 "name": "x"}).expect(404)
    other.post(f"/subscriptions/{partner.subscription}/issued", {
        "csrf": csrf, "name": "x", "scope": "conversation:read",
        "nonce": "x"}).expect(404)
    assert state_of(partner.server, "Ours") == "active"


def test_two_at_once_make_the_last_key(partner):
    server = partner.server
    slug = flows.add_product(server, "partner-key", scopes=("a:read",))
    where = flows.subscribe(server, partner.code, slug)
    server.sql("INSERT INTO issued_key (id, subscription_id, name, "
               "name_folded, maker_id, state) SELECT gen_random_uuid(), %s, "
               "n::text, n::text, p.account_id, 'active' FROM person p, "
               "generate_series(1, 99) n WHERE p.email = %s",
               (where, partner.email))
    browsers = [flows.sign_in(server, partner.email) for _ in range(2)]
    forms = [browser.get(f"/subscriptions/{where}").form("/issued$")
             for browser in browsers]

    def make(number, _):
        browsers[number].post(forms[number].action, {
            **forms[number].fields, "name": f"Last {number}",
            "scope": "a:read"})
    Background(make, 2).join()
    assert server.sql("SELECT count(*) FROM issued_key WHERE "
                      "subscription_id = %s", (where,)) == [(100,)]
    page = partner.get(f"/subscriptions/{where}").expect(200)
    assert "Older keys" in page.words
    seen, after = set(), ""
    while after is not None:
        page = partner.get(f"/subscriptions/{where}?after={after}").expect(200)
        seen.update(re.findall(r'href="/issued-keys/([0-9a-f-]{36})"',
                               page.text))
        more = re.search(r"\?after=([0-9a-f-]{36})", page.text)
        after = more[1] if more else None
    assert len(seen) == 100


def test_one_page_of_all_keys(partner):
    page = partner.get("/keys").expect(200)
    assert "Settings → Integrations → Developer" in page.words
    assert "Live" in page.words
    page = partner.get(f"/subscriptions/{partner.subscription}")
    assert re.search(r"Settings\s+Integrations\s+Developer", page.words)



def test_revoke_now_by_the_first_eight_characters(partner):
    """Staff are told the first eight characters, and see whose key it is."""
    server = partner.server
    keeper = flows.staff(server)
    text = flows.issued_key(partner, partner.subscription, "Public",
                            ["conversation:read"])
    page = keeper.get("/staff/keys").expect(200)
    for typed in (text[:8], text):
        page = keeper.submit(page, {"key": typed}, "/staff/keys$").expect(200)
        assert "Public" in page.words and "It works" in page.words
        assert text not in page.text
    keeper.submit(page, {"reason": " "}, "/revoke$").expect(422)
    keeper.submit(page, {"reason": "Found on a public site"},
                  "/revoke$").expect(303)
    assert state_of(server, "Public") == "revoked"
    mail = server.mail.wait(partner.email, subject="the key Public", count=2)
    assert "Found on a public site" in mail.text
    words = keeper.get(
        f"/staff/subscriptions/{partner.subscription}/issued").words
    assert "Public" in words and "REVOKED" in words
    keeper.submit(page, {"reason": "Once more"}, "/revoke$").expect(409)


def test_operators_find_and_revoke(partner):
    text = flows.issued_key(partner, partner.subscription, "Operated",
                            ["conversation:read"])
    said = partner.server.ctl("key", "find", "--first8", text[:8]).stdout
    assert "Operated" in said and partner.code in said
    partner.server.ctl("key", "revoke", said.split()[0])
    assert state_of(partner.server, "Operated") == "revoked"
