"""Products over HTTP, from a draft to the end: the forms and what they refuse,
two admins at once, terms that are accepted, and closing with notice."""

import datetime
import re

import pytest
from lib import flows

LIST = "/staff/products"


@pytest.fixture(scope="module")
def admin(server):
    return flows.staff(server, role="admin", name="Ida Admin")


@pytest.fixture(scope="module")
def other(server):
    return flows.staff(server, role="admin", name="Otto Admin")


DETAILS = {"name": "Ticket API", "summary": "Tickets & replies.",
           "description": "## What\n\nRead *tickets*.",
           "base_url": "https://api.tickets.example",
           "example_path": "/v1/tickets/7", "calls_a_minute": "600"}
_slugs = (f"tickets-{i}" for i in range(1, 10000))


def make(server, admin, publish=True, **fields):
    """A product; its path below /staff/products."""
    slug = next(_slugs)
    page = admin.get(f"{LIST}/new").expect(200)
    answer = admin.submit(page, {"slug": slug, **DETAILS, **fields},
                          "/new$").expect(303)
    path = answer.location.split("?")[0]
    if publish:
        post(admin, path, "publish").expect(303)
    return path, slug


def post(browser, path, verb, **fields):
    """Posts a form of the product's page, as it stands there."""
    page = browser.get(path).expect(200)
    return browser.submit(page, fields, f"/{verb}$")


def row(server, path, columns):
    return server.sql(f"SELECT {columns} FROM product WHERE id = %s",
                      (path.rsplit("/", 1)[1],))[0]


def audits(server, path):
    return [line[0] for line in server.sql(
        "SELECT action FROM audit WHERE subject_id = %s ORDER BY id",
        (path.rsplit("/", 1)[1],))]


def put(browser, page, fields, action):
    """Submits without the checkboxes that the page had ticked."""
    form = page.form(action)
    kept = {k: v for k, v in form.fields.items() if k in ("csrf", "version")}
    return browser.post(form.action, {**kept, **fields})


# -- making and changing


def test_a_draft_is_made_and_published(server, admin):
    path, slug = make(server, admin, publish=False)
    assert row(server, path, "state, calls_a_minute, calls_a_day, approval"
               ) == ("draft", 600, None, "hand")
    visitor = server.client()
    visitor.get(f"/products/{slug}").expect(404)
    assert "Ticket API" not in visitor.get("/products").words
    assert "Draft, seen by staff only" in admin.get(f"/products/{slug}").words
    post(admin, path, "publish").expect(303)
    page = visitor.get(f"/products/{slug}").expect(200)
    assert "<h2>What</h2>" in page.text and "<em>tickets</em>" in page.text
    assert "Tickets & replies." in page.words
    assert audits(server, path) == ["product.added", "product.published"]
    assert f'href="{path}"' in admin.get(LIST).text


REFUSED = [
    ("name", "", "Type the product"), ("name", "x" * 81, "up to 80"),
    ("name", "A​b", "nobody sees"), ("slug", "", "1 to 63"),
    ("slug", "Has Space", "1 to 63"), ("slug", "-a", "1 to 63"),
    ("slug", "a" * 64, "1 to 63"), ("slug", "revio-api", "Another product"),
    ("summary", "x" * 201, "up to 200"),
    ("description", "x" * 10001, "up to 10,000"),
    ("description", "a\x07b", "control character"),
    ("base_url", "api.example", "Write the address"),
    ("base_url", "javascript:alert(1)", "Write the address"),
    ("base_url", "https://", "Write the address"),
    ("base_url", "https://a.example/", "slash at the end"),
    ("base_url", "https://a.example/?q", "Write the address"),
    ("example_path", "v1", "begins with a slash"),
    ("example_path", "/a b", "begins with a slash"),
    ("example_path", "/" + "x" * 200, "up to 200"),
    ("calls_a_minute", "", "Type how many"),
    ("calls_a_minute", "0", "from 1 to"), ("calls_a_minute", "-5", "from 1"),
    ("calls_a_minute", "1000000001", "from 1 to 1,000,000,000"),
    ("calls_a_minute", "9" * 400, "from 1"), ("calls_a_minute", "6x", "from"),
    ("calls_a_day", "0", "from 1 to"), ("calls_a_day", "10", "less than"),
    ("calls_a_second", "601", "less than"),
    ("calls_a_month", "599", "less than"),
    ("user_calls_a_minute", "601", "at most as many"),
    ("user_calls_a_minute", "0", "or leave it empty"), ("place", "-1", "from 0 to 9,999"),
    ("approval_delay", "10081", "from 0 to 10,080"),
]


@pytest.mark.parametrize("field, value, said", REFUSED)
def test_refused_and_kept(server, admin, field, value, said):
    fields = {"slug": next(_slugs), **DETAILS, "calls_a_day": "100,000",
              "approval": "checks", field: value}
    page = admin.get(f"{LIST}/new").expect(200)
    answer = put(admin, page, fields, "/new$").expect(422)
    assert said in answer.words
    wrong = re.findall(r'<li><a href="#(\w+)">', answer.text)
    assert field in wrong or "calls_a_minute" in wrong
    kept = answer.form("/new$").fields
    for name, typed in fields.items():
        if len(typed) < 300:
            assert kept[name].strip() == typed, name
    assert "needs_api_user" not in kept
    assert not server.sql("SELECT FROM product WHERE slug = %s",
                          (fields["slug"],)) or fields["slug"] == "revio-api"


def test_change(server, admin):
    path, slug = make(server, admin)
    page = admin.get(f"{path}/edit").expect(200)
    assert "slug" not in page.form("/edit$").fields
    admin.submit(page, {"name": "Case API", "calls_a_day": "100,000",
                        "calls_a_second": "20", "calls_a_month": "",
                        "slug": "other", "approval": "checks",
                        "user_calls_a_minute": "60",
                        "approval_delay": "30"}, "/edit$").expect(303)
    assert row(server, path, "name, slug, calls_a_second, calls_a_day, "
               "calls_a_month, user_calls_a_minute, approval, "
               "approval_delay_min") == (
        "Case API", slug, 20, 100000, None, 60, "checks", 30)
    page = server.client().get(f"/products/{slug}").expect(200)
    for said in ("Case API", "100,000", "Calls a second",
                 "A minute, of each API user"):
        assert said in page.words
    assert "each API user 60 a minute" in admin.get(path).words
    detail = server.sql(
        "SELECT detail FROM audit WHERE subject_id = %s AND action = "
        "'product.changed'", (path.rsplit("/", 1)[1],))[0][0]
    assert detail["calls_a_day"] == 100000 and detail["approval"] == "checks"
    assert detail["user_calls_a_minute"] == 60
    page = admin.get(f"{path}/edit")
    assert page.form("/edit$").fields["user_calls_a_minute"] == "60"
    admin.submit(page, {"user_calls_a_minute": ""}, "/edit$").expect(303)
    assert row(server, path, "user_calls_a_minute") == (None,)
    assert "each API user" not in admin.get(path).words


def test_preview_saves_nothing(server, admin):
    path, _ = make(server, admin)
    page = admin.get(f"{path}/edit").expect(200)
    text = ("# Big\n\n<script>alert(1)</script>\n\n[a](javascript:alert(1)) "
            "[b](https://b.example)")
    seen = admin.submit(page, {"description": text, "name": "Unsaved",
                               "do": "preview"}, "/edit$").expect(200)
    assert "<h3>Big</h3>" in seen.text
    assert "&lt;script&gt;" in seen.text and "<script>a" not in seen.text
    assert '<a href="https://b.example">b</a>' in seen.text
    assert 'href="javascript' not in seen.text
    kept = seen.form("/edit$").fields
    assert kept["description"].strip() == text and kept["name"] == "Unsaved"
    assert row(server, path, "name, version")[0] == "Ticket API"
    assert seen.form("/edit$").fields["version"] == page.form(
        "/edit$").fields["version"]


def test_the_later_of_two_admins_sees_both(server, admin, other):
    path, _ = make(server, admin)
    mine, theirs = admin.get(f"{path}/edit"), other.get(f"{path}/edit")
    other.submit(theirs, {"name": "Theirs <b>", "calls_a_day": "5000"},
                 "/edit$").expect(303)
    late = admin.submit(mine, {"name": "Mine", "summary": "Mine, too"},
                        "/edit$").expect(409)
    assert "Otto Admin was faster" in late.words
    assert "Theirs <b>" in late.words and "5000" in late.words
    kept = late.form("/edit$").fields
    assert kept["name"] == "Mine" and kept["summary"] == "Mine, too"
    assert row(server, path, "name") == ("Theirs <b>",)
    # Knowing that, it can be saved over the other's.
    admin.submit(late, {}, "/edit$").expect(303)
    assert row(server, path, "name") == ("Mine",)


def test_one_key_rule_stays_with_keys(server, admin):
    flows.client_with_key(server, "RULECO", "Rule Works")
    id = server.sql("SELECT id FROM product WHERE slug = 'revio-api'")[0][0]
    page = admin.get(f"{LIST}/{id}/edit").expect(200)
    fields = {k: v for k, v in page.form("/edit$").fields.items()
              if k != "one_key"}
    answer = admin.post(f"{LIST}/{id}/edit", fields).expect(422)
    assert "Clients have keys" in answer.words


# -- resources


def test_resources(server, admin):
    path, slug = make(server, admin)
    page = admin.get(f"{path}/resources").expect(200)
    assert len(re.findall(r'name="path_\d+"', page.text)) == 3
    more = admin.submit(page, {"name_0": "Tickets", "do": "add"},
                        "/resources$").expect(200)
    assert len(re.findall(r'name="path_\d+"', more.text)) == 4
    assert more.form("/resources$").fields["name_0"] == "Tickets"
    admin.submit(more, {"path_0": "/v1/tickets", "may_0": "GET",
                        "name_3": "Notes", "path_3": "/v1/notes",
                        "may_3": "DELETE", "note_3": "Short"},
                 "/resources$").expect(303)
    rows = "SELECT id, place, name, path, operations FROM product_resource " \
        "WHERE product_id = %s ORDER BY place"
    id = path.rsplit("/", 1)[1]
    first = server.sql(rows, (id,))
    assert [r[1:] for r in first] == [
        (1, "Tickets", "/v1/tickets", ["GET"]),
        (2, "Notes", "/v1/notes", ["DELETE"])]
    assert "/v1/notes" in server.client().get(f"/products/{slug}").words
    # One is taken away, the other keeps its id.
    page = admin.get(f"{path}/resources").expect(200)
    less = admin.submit(page, {"do": "remove_0"}, "/resources$").expect(200)
    assert less.form("/resources$").fields["path_0"] == "/v1/notes"
    admin.submit(less, {}, "/resources$").expect(303)
    assert server.sql(rows, (id,)) == [(first[1][0], 1, *first[1][2:])]
    assert audits(server, path)[-1] == "product.resources"


@pytest.mark.parametrize("fields, field, said", [
    ({"name_0": ""}, "name_0", "Type the resource"),
    ({"name_0": "x" * 61}, "name_0", "up to 60"),
    ({"note_0": "x" * 121}, "note_0", "up to 120"),
    ({"path_0": "v1"}, "path_0", "begins with a slash"),
    ({"path_0": "/"}, "path_0", "begins with a slash"),
    ({"path_0": "/a//b"}, "path_0", "begins with a slash"),
    ({"path_0": "/a/.."}, "path_0", "begins with a slash"),
    ({"path_0": "/a%2fb"}, "path_0", "begins with a slash"),
    ({"path_0": "/a?b"}, "path_0", "begins with a slash"),
    ({"path_0": "/a/{}"}, "path_0", "begins with a slash"),
    ({"path_0": "/a/{x}y"}, "path_0", "begins with a slash"),
    ({"path_0": "/a/{x.y}"}, "path_0", "begins with a slash"),
    ({"path_0": "/a/{" + "x" * 41 + "}"}, "path_0", "begins with a slash"),
    ({"path_0": "/a/{x}", "path_1": "/a/{y}", "name_1": "B", "may_1": "GET"},
     "path_1", "whatever its parameters are called"),
    ({"path_0": "/" + "x" * 200}, "path_0", "up to 200"),
    ({"may_0": "LOOK"}, "may_0", "at least one operation"),
    ({"path_1": "/v1/a", "name_1": "B", "may_1": "GET"}, "path_1",
     "Row 1 has this"),
])
def test_a_resource_refused_and_kept(server, admin, fields, field, said):
    path, _ = make(server, admin, publish=False)
    page = admin.get(f"{path}/resources").expect(200)
    typed = {"name_0": "A", "path_0": "/v1/a", "may_0": "GET", **fields}
    answer = put(admin, page, typed, "/resources$").expect(422)
    assert said in answer.words
    assert f'href="#{field}"' in answer.text and f'id="{field}"' in answer.text
    kept = answer.form("/resources$").fields
    for name, value in typed.items():
        if not name.startswith("may"):
            assert kept[name] == value
    assert server.sql("SELECT count(*) FROM product_resource WHERE "
                      "product_id = %s", (path.rsplit("/", 1)[1],)) == [(0,)]


def test_resources_of_another_product_stay(server, admin, other):
    path, _ = make(server, admin, publish=False)
    foreign = server.sql(
        "SELECT r.id, r.name FROM product_resource r JOIN product p ON p.id = "
        "r.product_id WHERE p.slug = 'revio-api' LIMIT 1")[0]
    page = admin.get(f"{path}/resources")
    late = other.get(f"{path}/resources")
    put(admin, page, {"id_0": foreign[0], "name_0": "Mine", "path_0": "/mine",
                      "may_0": "GET", "id_1": foreign[0], "name_1": "Two",
                      "path_1": "/two", "may_1": "GET", "id_60": "x",
                      "path_100": "/far"}, "/resources$").expect(303)
    assert server.sql("SELECT name FROM product_resource WHERE id = %s",
                      (foreign[0],)) == [(foreign[1],)]
    answer = put(other, late, {"name_0": "Late", "path_0": "/late",
                               "may_0": "PUT"}, "/resources$").expect(409)
    assert "Ida Admin was faster" in answer.words
    assert "/mine: GET" in answer.words
    assert answer.form("/resources$").fields["path_0"] == "/late"


def test_a_hundred_resources_and_no_more(server, admin):
    path, _ = make(server, admin, publish=False)
    fields = {}
    for i in range(100):
        fields |= {f"id_{i}": "", f"name_{i}": f"R{i}", f"note_{i}": "n",
                   f"path_{i}": f"/r/{i}"}
    page = admin.get(f"{path}/resources")
    form = page.form("/resources$")
    body = [("csrf", form.fields["csrf"]), ("version", form.fields["version"]),
            *fields.items()]
    body += [(f"may_{i}", op) for i in range(100)
             for op in ("GET", "POST", "PUT", "PATCH", "DELETE")]
    admin.post(form.action, body).expect(303)
    page = admin.get(f"{path}/resources").expect(200)
    assert "at most 100" in page.words and 'value="add"' not in page.text


# -- terms


def accept(browser, slug, name, **fields):
    path = f"/products/{slug}/subscribe"
    page = browser.get(path).expect(200)
    return browser.submit(page, {"name": name, **fields}, path)


def test_terms_are_accepted_with_the_request(server, admin):
    path, slug = make(server, admin)
    id = path.rsplit("/", 1)[1]
    server.client().get(f"/products/{slug}/terms").expect(404)
    post_terms(admin, path, "# One\n\nBe **kind**.").expect(303)
    assert "<strong>kind</strong>" in server.client().get(
        f"/products/{slug}/terms").expect(200).text
    ada = flows.contact(server, client="Terms Works")
    page = ada.get(f"/products/{slug}/subscribe").expect(200)
    assert "<h3>One</h3>" in page.text and "Version 1" in page.words
    answer = accept(ada, slug, "Terms Works-KEY").expect(422)
    assert "Tick that you accept" in answer.words
    assert answer.form("/subscribe$").fields["name"] == "Terms Works-KEY"
    # Another version while it was read: what was ticked does not count.
    post_terms(admin, path, "# Two").expect(303)
    answer = ada.submit(page, {"name": "Terms Works-KEY", "terms": "1"},
                        "/subscribe$").expect(422)
    assert "changed while you read" in answer.words
    assert "<h3>Two</h3>" in answer.text
    for odd in ("3", "0", "x", "-1", "9" * 40):
        accept(ada, slug, "Terms Works-KEY", terms=odd).expect(422)
    accept(ada, slug, "Terms Works-KEY", terms="2").expect(303)
    accepted = ("SELECT t.version, t.at = r.submitted_at, t.account_id = "
                "r.account_id FROM terms_acceptance t JOIN request r ON "
                "r.id = t.request_id WHERE t.product_id = %s")
    assert server.sql(accepted, (id,)) == [(2, True, True)]
    # A third one does not void it, and the second can still be read.
    post_terms(admin, path, "# Three").expect(303)
    assert server.sql(accepted, (id,)) == [(2, True, True)]
    old = admin.get(f"{path}/terms/2").expect(200)
    assert "<h2>Two</h2>" in old.text and "not the one" in old.words
    for none in ("0", "4", "x", "99999999999"):
        admin.get(f"{path}/terms/{none}").expect(404)
    number = server.sql("SELECT request_id FROM terms_acceptance WHERE "
                        "product_id = %s", (id,))[0][0]
    page = admin.get(f"/staff/requests/{number}").expect(200)
    assert "Terms accepted Version 2 , " in page.words
    # Taken away, nothing is asked.
    post_terms(admin, path, "").expect(303)
    bob = flows.contact(server, client="Free Works")
    accept(bob, slug, "Free Works-KEY").expect(303)
    assert server.sql(accepted, (id,)) == [(2, True, True)]
    # And the next one is the fourth.
    post_terms(admin, path, "# Four").expect(303)
    assert row(server, path, "terms_version") == (4,)


def post_terms(browser, path, text, **fields):
    page = browser.get(f"{path}/terms").expect(200)
    return browser.submit(page, {"terms": text, **fields}, "/terms$")


def test_terms_refused(server, admin, other):
    path, _ = make(server, admin, publish=False)
    for text, said in (("x" * 20001, "20,000"), ("a\x01", "control"),
                       ("[a]: /b", "Nothing of this"), ("", "as they stand")):
        answer = post_terms(admin, path, text).expect(422)
        assert said in answer.words
        if len(text) < 100:
            assert answer.form("/terms$").fields["terms"].strip() == text
    seen = post_terms(admin, path, "# Look", do="preview").expect(200)
    assert "<h3>Look</h3>" in seen.text
    assert row(server, path, "terms_version") == (None,)
    page = admin.get(f"{path}/terms")
    post_terms(other, path, "Theirs.").expect(303)
    late = admin.submit(page, {"terms": "Mine."}, "/terms$").expect(409)
    assert "<p>Theirs.</p>" in late.text
    assert late.form("/terms$").fields["terms"].strip() == "Mine."


# -- hiding and closing


def nudge(server):
    """Jobs are run at once when the courier starts."""
    server.stop_courier()
    server.start_courier()


def holder(server, admin, slug, code, client):
    """A contact whose client has a key for the product."""
    person = flows.contact(server, client=client)
    flows.request_key(person, f"{client}-KEY", slug)
    flows.approve(admin, flows.requests_in_queue(admin)[-1], code=code,
                  client=client).expect(303)
    return person


def test_hidden_is_for_those_who_hold_a_key(server, admin):
    path, slug = make(server, admin)
    person = holder(server, admin, slug, "HIDECO", "Hide Works")
    stranger = flows.contact(server, client="Stranger Works")
    late = admin.get(path)
    post(admin, path, "hide").expect(303)
    for browser in (server.client(), stranger):
        browser.get(f"/products/{slug}").expect(404)
        assert slug not in browser.get("/products").text
    stranger.get(f"/products/{slug}/subscribe").expect(404)
    page = person.get(f"/products/{slug}").expect(200)
    assert "You have a key" in page.words
    assert slug not in person.get("/products").text
    flows.show_key(person)
    # A form of before: nothing is done twice.
    answer = admin.submit(late, {}, "/hide$").expect(409)
    assert "was faster" in answer.words
    assert audits(server, path)[-1] == "product.hidden"
    # Closing does not show it to strangers either.
    day = datetime.date.today() + datetime.timedelta(days=30)
    post(admin, path, "close", day=str(day)).expect(303)
    stranger.get(f"/products/{slug}").expect(404)
    post(admin, path, "keep").expect(303)
    assert row(server, path, "state, closes_at") == ("hidden", None)
    post(admin, path, "publish").expect(303)
    stranger.get(f"/products/{slug}").expect(200)


@pytest.mark.parametrize("day, said", [
    ("", "a day of the calendar"), ("tomorrow", "a day of the calendar"),
    ("2026-13-01", "a day of the calendar"), ("2027-02-29", "a day of the calendar"),
    ("2020-01-01", "from tomorrow on"), ("2999-01-01", "within two years")])
def test_a_day_refused_and_kept(server, admin, day, said):
    path = f"{LIST}/" + server.sql(
        "SELECT id FROM product WHERE slug = 'revio-api'")[0][0]
    answer = post(admin, path, "close", day=day, note="Why <not>"
                  ).expect(422)
    assert said in answer.words
    kept = answer.form("/close$").fields
    assert (kept["day"], kept["note"]) == (day, "Why <not>")
    answer = post(admin, path, "close", day="2020-01-01", note="x" * 1001)
    assert "1000 characters" in answer.expect(422).words


def test_without_keys_it_closes_at_once(server, admin):
    path, slug = make(server, admin)
    person = flows.contact(server, client="Waiting Works")
    flows.request_key(person, "Waiting Works-KEY", slug)
    post(admin, path, "close").expect(303)
    assert row(server, path, "state") == ("closed",)
    assert "This product is closed" in server.client().get(
        f"/products/{slug}").expect(200).words
    # The courier answers the request that nobody can approve now.
    nudge(server)
    mail = server.mail.wait(person.email, "Waiting Works-KEY was not approved")
    assert "This product was closed" in mail.text
    assert server.sql(
        "SELECT r.state, r.decided_by FROM request r JOIN product p ON p.id = "
        "r.product_id WHERE p.slug = %s", (slug,)) == [("rejected", None)]
    post(admin, path, "publish").expect(303)
    flows.request_key(person, "Waiting Works-KEY", slug)


def test_closing_with_notice(server, admin):
    path, slug = make(server, admin, name="Ending API")
    person = holder(server, admin, slug, "ENDCO", "End Works")
    colleague = flows.contact(server, client="End Works")
    server.sql(
        "INSERT INTO membership (account_id, tenant_id, role, let_in_by) "
        "SELECT p.account_id, t.id, 'member', 'owner' FROM person p, tenant t "
        "WHERE p.email = %s AND t.code = 'ENDCO'", (colleague.email,))
    day = datetime.date.today() + datetime.timedelta(days=30)
    post(admin, path, "close", day=str(day), note="Use <Case> API."
         ).expect(303)
    assert row(server, path, "state") == ("closing",)
    nudge(server)
    for browser in (person, colleague):
        mail = server.mail.wait(browser.email, subject="Ending API closes on")
        assert "Use <Case> API." in mail.text and "End Works" in mail.text
    page = server.client().get(f"/products/{slug}").expect(200)
    assert "This product closes on" in page.words
    assert "/subscribe" not in page.text
    flows.show_key(person)
    # Stopped: those who were told are told.
    post(admin, path, "keep").expect(303)
    nudge(server)
    server.mail.wait(person.email, subject="Ending API goes on")
    assert row(server, path, "state, closing_note") == ("published", "")
    # And now in earnest: a week before, and on the day.
    post(admin, path, "close", day=str(day), note="").expect(303)
    id = path.rsplit("/", 1)[1]
    nudge(server)
    server.mail.wait(person.email, subject="Ending API closes on", count=2)
    server.sql("UPDATE product SET closes_at = now() + interval '6 days' "
               "WHERE id = %s", (id,))
    server.sql("UPDATE job j SET due = p.closes_at, done_at = now() - "
               "interval '30 days' FROM subscription s JOIN product p ON "
               "p.id = s.product_id WHERE s.id = j.subject AND p.id = %s",
               (id,))
    nudge(server)
    server.mail.wait(person.email, subject="Ending API closes in a week")
    server.sql("UPDATE product SET closes_at = now() WHERE id = %s", (id,))
    nudge(server)
    for browser in (person, colleague):
        server.mail.wait(browser.email, subject="Ending API is closed")
    assert row(server, path, "state") == ("closed",)
    assert server.sql("SELECT s.state, s.ended_at IS NOT NULL FROM "
                      "subscription s WHERE s.product_id = %s", (id,)
                      ) == [("cancelled", True)]
    assert server.sql(
        "SELECT e.actor_kind FROM audit e JOIN subscription s ON s.id = "
        "e.subject_id WHERE s.product_id = %s AND e.action = "
        "'subscription.cancelled'", (id,)) == [("system",)]
    assert audits(server, path)[-1] == "product.closed"
    assert "This product is closed" in person.get(f"/products/{slug}").words
    # Offered again, it is asked for anew.
    post(admin, path, "publish").expect(303)
    assert server.sql("SELECT state FROM subscription WHERE product_id = %s",
                      (id,)) == [("cancelled",)]


# -- the list


def test_pages_hold_every_product_once(server, admin):
    server.sql("INSERT INTO product (id, slug, name, state) SELECT "
               "gen_random_uuid(), 'many-' || n, 'Same name', 'hidden' "
               "FROM generate_series(1, 120) n")
    seen, path = [], LIST
    while path:
        page = admin.get(path).expect(200)
        seen += re.findall(r'<span class="sub">(many-\d+)</span>', page.text)
        found = re.search(r'href="([^"]+)" rel="next"', page.text)
        path = found and found.group(1)
    assert len(seen) == 120 == len(set(seen))
    for odd in ("x", "%00", "0" * 36):
        admin.get(f"{LIST}?after={odd}").expect(400 if odd == "%00" else 200)
    server.sql("DELETE FROM product WHERE slug LIKE 'many-%%'")
