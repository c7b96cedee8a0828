"""Show key over HTTP: after a fresh sign-in, once a form, for members only,
and written down each time."""

import re

from lib import flows

SHOW = "/keys/primary/show$"


def shown(server):
    return server.sql("SELECT count(*) FROM audit WHERE action = "
                      "'key.shown'")[0][0]


def test_show(server):
    owner, _ = flows.client_with_key(server, "SHOWN", "Shown Co")
    profile = owner.get("/profile").expect(200)
    before = shown(server)
    page = owner.submit(profile, action=SHOW).expect(200)
    key = flows.key_on(page)
    assert re.fullmatch("[0-9a-f]{32}", key)
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Refresh"] == "60; url=/profile"
    assert f'value="{key}"' in page.text, "whole, for programs"
    rest = re.sub(r"<output.*?</output>", "", page.text, flags=re.S)
    assert key[:8] not in rest and key[-4:] in rest, "masked in the example"
    assert shown(server) == before + 1
    account, detail = server.sql(
        "SELECT actor_id, detail ->> 'slot' FROM audit WHERE action = "
        "'key.shown' ORDER BY id DESC LIMIT 1")[0]
    assert detail == "primary"
    assert server.sql("SELECT email FROM person WHERE account_id = %s",
                      (account,)) == [(owner.email,)]
    # "Keep it visible": no Refresh, and it is one more look.
    kept = owner.submit(page, action=SHOW).expect(200)
    assert flows.key_on(kept) == key
    assert "Refresh" not in kept.headers
    assert shown(server) == before + 2
    log = server.settled_log()
    assert key not in log and key[:8] not in log


def test_sent_again(server):
    owner, _ = flows.client_with_key(server, "AGAIN", "Again Co")
    profile = owner.get("/profile").expect(200)
    owner.submit(profile, action=SHOW).expect(200)
    before = shown(server)
    again = owner.submit(profile, action=SHOW).expect(200)
    assert "shown already" in again.words
    assert "<output" not in again.text
    assert shown(server) == before, "written a second time"
    # The other slot has a nonce of its own.
    owner.submit(profile, action="/secondary/show$").expect(200)


def test_nonces(server):
    owner, _ = flows.client_with_key(server, "NONCE", "Nonce Co")
    profile = owner.get("/profile").expect(200)
    form = profile.form(SHOW)
    other = profile.form("/secondary/show$")
    before = shown(server)
    owner.post(form.action, {"csrf": form.fields["csrf"]}).expect(422)
    for nonce in ("x", other.fields["nonce"], form.fields["nonce"] + "x",
                  "A" * 22 + form.fields["nonce"][22:]):
        answer = owner.post(form.action, {"csrf": form.fields["csrf"],
                                          "nonce": nonce}).expect(303)
        assert answer.location == "/profile"
    owner.post(form.action, {"nonce": form.fields["nonce"]}).expect(403)
    assert shown(server) == before
    owner.get(form.action).expect(405)


def test_only_members(server):
    owner, keeper = flows.client_with_key(server, "MINE", "Mine Co")
    other, _ = flows.client_with_key(server, "THEIRS", "Theirs Co")
    form = owner.get("/profile").form(SHOW)
    before = shown(server)
    # With a nonce that fits: made under their own session for this id.
    csrf = other.get("/profile").form(SHOW).fields["csrf"]
    for path in (form.action, "/subscriptions/nonsense/keys/primary/show"):
        for browser in (other, keeper):
            token = (csrf if browser is other else browser.get(
                "/staff/queue").form("/signout").fields["csrf"])
            answer = browser.post(path, {"csrf": token,
                                         "nonce": form.fields["nonce"]})
            assert answer.status in (303, 404)
            assert answer.location in (None, "/profile")
            assert "<output" not in answer.text
    assert shown(server) == before
    visitor = server.client()
    visitor.get("/signin")
    assert visitor.post(form.action, {"csrf": "x"}).status in (303, 403)


def test_fresh_sign_in(server):
    owner, _ = flows.client_with_key(server, "STALE", "Stale Co")
    profile = owner.get("/profile").expect(200)
    server.sql("UPDATE session SET fresh_at = now() - interval '16 minutes' "
               "FROM person p WHERE p.account_id = session.account_id "
               "AND p.email = %s", (owner.email,))
    before = shown(server)
    page = owner.submit(profile, action=SHOW).expect(200)
    assert "<output" not in page.text
    assert "You want to see a key." in page.words
    assert shown(server) == before
    # The form travels through the page that asks, and the key is shown.
    answer = owner.submit(page, {"password": flows.PASSWORD}, SHOW)
    key = flows.key_on(answer.expect(200))
    assert re.fullmatch("[0-9a-f]{32}", key)
    assert shown(server) == before + 1
    assert flows.show_key(owner) == key


def test_states(server):
    owner, _ = flows.client_with_key(server, "STATES", "States Co")
    profile = owner.get("/profile").expect(200)
    server.sql("UPDATE subscription SET state = 'suspended' "
               "WHERE name = 'States Co-KEY'")
    page = owner.get("/profile").expect(200)
    assert "Suspended" in page.words
    owner.submit(page, action=SHOW).expect(200)
    server.sql("UPDATE subscription SET state = 'expired', ended_at = now() "
               "WHERE name = 'States Co-KEY'")
    page = owner.get("/profile").expect(200)
    assert "Expired" in page.words
    assert not page.has_form(SHOW)
    owner.submit(profile, action=SHOW).expect(404)


def test_moved_value_does_not_open(server):
    """Who can write to the database can't make a contact see another's."""
    owner, _ = flows.client_with_key(server, "MOVED", "Moved Co")
    flows.client_with_key(server, "TARGET", "Target Co")
    server.sql("""
        UPDATE subscription_key k SET sealed = (SELECT t.sealed
          FROM subscription_key t JOIN subscription s
          ON s.id = t.subscription_id AND s.name = 'Target Co-KEY'
          WHERE t.slot = 'primary')
        FROM subscription s WHERE s.id = k.subscription_id
        AND s.name = 'Moved Co-KEY' AND k.slot = 'primary'""")
    page = owner.get("/profile").expect(200)
    owner.submit(page, action=SHOW).expect(500)
    assert re.fullmatch("[0-9a-f]{32}", flows.show_key(owner, "secondary"))
