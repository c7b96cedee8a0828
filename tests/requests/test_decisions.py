"""Reasons that are chosen, consent of owners, and the first mail domain of a
new client, over HTTP."""

import re

import pytest
from lib import flows


@pytest.fixture(scope="module")
def keeper(server):
    return flows.staff(server, name="Tom Keeper")


def reason_ids(page):
    return dict(re.findall(r'<h2 id="r-([0-9a-f-]{36})">([^<]*)</h2>',
                           page.text))


def test_reasons_of_staff(server, keeper):
    page = keeper.get("/staff/reasons").expect(200)
    assert "Ask a colleague" in page.words
    for fields, said in (
            ({"title": "", "text": "x"}, "Write a title"),
            ({"title": "x" * 81, "text": "x"}, "up to 80"),
            ({"title": "New", "text": " "}, "what the contact is to read"),
            ({"title": "New", "text": "x" * 1001}, "up to 1000"),
            ({"title": "ASK A Colleague", "text": "x"}, "has this title")):
        answer = keeper.submit(page, fields, "/staff/reasons$").expect(422)
        assert said in answer.words
        assert answer.form("/staff/reasons$").fields["title"] == \
            fields["title"]
    keeper.submit(page, {"title": "<New>", "text": "Write \"why\""},
                  "/staff/reasons$").expect(303)
    page = keeper.get("/staff/reasons").expect(200)
    made = [i for i, t in reason_ids(page).items() if t == "&lt;New&gt;"][0]
    answer = keeper.submit(page, {"title": "New", "text": ""},
                           f"/{made}$").expect(422)
    assert answer.form(f"/{made}$").fields["title"] == "New"
    keeper.submit(page, {"title": "New", "text": "Changed"},
                  f"/{made}$").expect(303)

    # Chosen, with words of one's own, in the mail and on the page.
    person = flows.asker(server, "Reason Co")
    seen = keeper.get(person.path).expect(200)
    keeper.submit(seen, {"canned": made, "reason": "See <you>"},
                  "/reject$").expect(303)
    told = server.mail.wait(person.email, subject="was not approved")
    assert "Changed\n\nSee <you>" in told.text.replace("\r", "")
    assert "See <you>" in person.get(
        f"/requests/{person.asked}").expect(200).words
    keeper.submit(page, action=f"/{made}/delete$").expect(303)
    keeper.submit(page, action=f"/{made}/delete$").expect(404)
    # One that is gone is no reason.
    person = flows.asker(server, "Reason Two")
    seen = keeper.get(person.path).expect(200)
    keeper.submit(seen, {"canned": made}, "/reject$").expect(422)
    keeper.submit(seen, {"canned": "no id"}, "/reject$").expect(422)


def test_consent(server, keeper):
    owner = flows.asker(server, "Consent Co")
    flows.approve(keeper, owner.path, tenant="", code="CONSENT",
                  client="Consent Co").expect(303)
    person = flows.asker(server, "Consent Co", domain="else.example")
    page = keeper.get(person.path).expect(200)
    keeper.submit(page, {"tenant": "CONSENT"}, "/consent$").expect(303)
    keeper.submit(page, {"tenant": "CONSENT"}, "/consent$").expect(409)
    keeper.submit(page, {"tenant": "NO-SUCH"}, "/consent$").expect(422)
    assert "were asked" in keeper.get(person.path).words
    link = server.mail.wait(owner.email, subject="see the key of Consent Co"
                            ).link("/consents/")
    person.get(link).expect(404)
    keeper.get(link).expect(404)
    page = owner.get(link).expect(200)
    assert person.email in page.words
    assert "Choose one" in owner.submit(page, {}, "/consents/").expect(
        422).words
    owner.submit(page, {"answer": "yes"}, "/consents/").expect(303)
    assert "said yes" in owner.get(link).words
    assert "said yes" in owner.submit(page, {"answer": "no"}, "/consents/"
                                      ).expect(409).words
    server.mail.wait(keeper.email, subject="An owner of Consent Co said yes")
    page = keeper.get(person.path).expect(200)
    assert "An owner of Consent Co agreed" in page.words
    keeper.submit(page, {}, "/share$").expect(303)
    assert flows.show_key(person) == flows.show_key(owner)
    server.mail.wait(owner.email, subject="can see the key of Consent Co")


@pytest.mark.parametrize("domain, ticked", [
    ("firstmail.example", True), ("unticked.example", False),
    ("gmail.com", None)])
def test_first_domain(server, keeper, domain, ticked):
    person = flows.asker(server, f"Domain {domain}", domain=domain)
    page = keeper.get(person.path).expect(200)
    assert ('name="domain"' in page.text) == (ticked is not None)
    fields = {"tenant": "", "code": "D-" + domain[:4].upper(),
              "client": "Domain"}
    if ticked is False:
        fields["domain"] = ""
    if ticked is None:
        fields["domain"] = "yes"
    keeper.submit(page, fields, "/approve$").expect(303)
    assert server.sql(
        "SELECT count(*) FROM tenant_domain WHERE domain = %s",
        (domain,)) == [(1 if ticked else 0,)]


@pytest.mark.parametrize("action, fields", [
    ("approve", {"tenant": "", "code": "LATER", "client": "Later Rule"}),
    ("reject", {"reason": "No"})])
def test_refusal_that_nobody_expects(server, keeper, action, fields):
    """A rule of the database that the program doesn't know costs this answer,
    neither the worker nor those whom it serves."""
    person = flows.asker(server, f"Later Rule {action}")
    page = keeper.get(person.path).expect(200)
    workers = server.workers()
    server.sql("ALTER TABLE request ADD CONSTRAINT later_rule"
               " CHECK (state = 'submitted') NOT VALID")
    try:
        keeper.submit(page, fields, f"/{action}$").expect(500)
    finally:
        server.sql("ALTER TABLE request DROP CONSTRAINT later_rule")
    assert server.workers() == workers
    assert [e["why"].split(": ", 1)[1] for e in server.log()
            if e["event"] == "db_bug"][-1] == "not expected: later_rule"
    keeper.submit(keeper.get(person.path).expect(200), fields,
                  f"/{action}$").expect(303)


def test_times(server, keeper):
    """Without what waited on the contact; withdrawn ones don't count."""
    server.sql("""
        INSERT INTO request (id, account_id, product_id, name, client_folded,
          state, submitted_at, due_at, waited, decided_at)
        SELECT gen_random_uuid(), a.id, p.id, 'Times-KEY', 'times', x.state,
          x.decided - x.took - interval '30 h', x.decided - x.took
          + interval '48 h', interval '30 h', x.decided
        FROM (SELECT id FROM account LIMIT 1) a, product p, (SELECT
          CASE n WHEN 99 THEN 'withdrawn' ELSE 'approved' END AS state,
          CASE n WHEN 99 THEN interval '1 s' ELSE n * interval '1 h'
          END AS took, date_trunc('month', now()) - interval '40 days'
          AS decided FROM unnest(ARRAY[1, 2, 3, 4, 60, 99]) n) x
        WHERE p.slug = 'revio-api'""")
    page = keeper.get("/staff/times").expect(200)
    assert re.search(r"[0-9]{4}-[0-9]{2} 5 3 hours 60 hours 1\b|"
                     r"[0-9]{4}-[0-9]{2} 5 3 hours 2 days 1\b", page.words), \
        page.words


def test_approval_by_checks(server, keeper):
    """Counted down where staff decide, who can stop it.  (That it is done is
    tested in auto_db_test.c.)"""
    server.sql("UPDATE product SET approval = 'checks', approval_delay_min = "
               "90 WHERE slug = 'revio-api'")
    try:
        person = flows.asker(server, "Auto Co", domain="auto.example")
    finally:
        server.sql("UPDATE product SET approval = 'hand' "
                   "WHERE slug = 'revio-api'")
    page = keeper.get(person.path).expect(200)
    assert "The checks leave this to you" in page.words
    server.sql("WITH t AS (INSERT INTO tenant (id, code, name, name_folded, "
               "slug) VALUES (gen_random_uuid(), 'AUTO', 'Auto Co', 'auto', "
               "'auto') RETURNING id) INSERT INTO tenant_domain "
               "SELECT id, 'auto.example' FROM t")
    page = keeper.get(person.path).expect(200)
    assert "The checks approve this in" in page.words, page.words
    assert "by the checks" not in person.get(person.own).words
    keeper.submit(page, action="/stop$").expect(303)
    keeper.submit(page, action="/stop$").expect(303)
    page = keeper.get(person.path).expect(200)
    assert "Tom Keeper stopped the approval by checks" in page.words
    assert not page.has_form("/stop$")
    # One that was never meant to be has nothing to stop.
    other = flows.asker(server, "Hand Co")
    csrf = page.form("/signout").fields["csrf"]
    keeper.post(f"{other.path}/stop", {"csrf": csrf}).expect(409)
