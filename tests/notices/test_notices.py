"""Notices beside mail: the bell, the list, what each person chooses, the daily
mail, and the way out of it by one click (RFC 8058)."""

import re
import uuid
import urllib.parse

import pytest
from lib import flows
from lib.base import ROOT, wait_until


@pytest.fixture(scope="module")
def keeper(server):
    return flows.staff(server)


def ask(server, keeper, **contact):
    """A contact with a request; its staff notice may be looked at."""
    one = flows.contact(server, client=contact.pop("client", "Altaworx"),
                        **contact)
    flows.request_key(one, "Altaworx-KEY")
    return one


def account(server, client):
    return server.sql("SELECT account_id FROM person WHERE email = %s",
                      (client.email,))[0][0]


def unread(page):
    found = re.search(r'class="bell-count">([^<]+)<', page.text)
    return found[1] if found else ""


def choose(client, **choices):
    page = client.get("/account/notices").expect(200)
    return client.submit(page, {f"mail_{kind}": choice for kind, choice
                                in choices.items()},
                         action="/account/notices").expect(303)


def queue(server, client, kind="request_approved", **params):
    """As slices do, inside of their statements."""
    pairs = ", ".join(f"'{k}', '{v}'" for k, v in params.items())
    return server.sql(f"SELECT mail_queue('{kind}', %s, NULL, "
                      f"jsonb_build_object({pairs}))",
                      (account(server, client),), role="latchkey_app")


def mails(server, client, kind=None):
    return server.sql(
        "SELECT count(*) FROM outbox WHERE account_id = %s AND kind = "
        "coalesce(%s, kind)", (account(server, client), kind))[0][0]


def test_what_a_mail_tells_is_a_notice(server, keeper):
    one = ask(server, keeper)
    flows.approve(keeper, flows.requests_in_queue(keeper)[-1],
                  code="ALTWORX", client="Altaworx").expect(303)
    page = one.get("/notices").expect(200)
    assert "Your request is approved: Altaworx-KEY" in page.words
    assert int(unread(page)) >= 1
    assert unread(one.get("/profile")) == unread(page)
    assert server.mail.wait(one.email, "is approved")
    # Opening it leads there, and marks it.
    before = int(unread(page))
    opens = [a for a in re.findall(r'action="(/notices/[^"]+/open)"',
                                   page.text)]
    answer = one.submit(page, action=opens[0]).expect(303)
    assert answer.location in ("/profile", "/people")
    assert unread(one.get("/notices")) == (str(before - 1) if before > 1
                                           else "")
    one.submit(one.get("/notices"), action=opens[0]).expect(303)


def test_staff_are_led_to_the_request(server, keeper):
    ask(server, keeper, client="Else")
    page = keeper.get("/notices").expect(200)
    assert "A request has come in" in page.words
    first = re.search(r'action="(/notices/[^"]+/open)"', page.text)[1]
    where = keeper.submit(page, action=first).expect(303).location
    assert re.fullmatch(r"/staff/requests/[0-9a-f-]{36}", where)
    keeper.get(where).expect(200)


def test_mark_all_and_pages(server):
    one = flows.contact(server)
    for n in range(70):
        queue(server, one, request_name=f"N{n}-KEY")
    page = one.get("/notices")
    assert unread(page) == "9+"
    seen = re.findall(r"N\d+-KEY", page.words)
    while 'rel="next"' in page.text:
        onward = re.search(r'href="(/notices\?before=[^"]+)"', page.text)[1]
        page = one.get(onward).expect(200)
        seen += re.findall(r"N\d+-KEY", page.words)
    assert list(dict.fromkeys(seen)) == [f"N{n}-KEY" for n in range(69, -1,
                                                                    -1)]
    page = one.get("/notices")
    queue(server, one, request_name="LATER-KEY")
    one.submit(page, action="/notices/read").expect(303)
    assert unread(one.get("/notices")) == "1"
    one.submit(one.get("/notices"), action="/notices/read").expect(303)
    page = one.get("/notices")
    assert unread(page) == "" and "Mark all" not in page.words


@pytest.mark.parametrize("before", ["x", "1.x", "-1." + str(uuid.uuid4()),
                                    "9" * 30 + "." + str(uuid.uuid4()), "."])
def test_a_place_that_is_none_begins_at_the_beginning(server, keeper, before):
    page = keeper.get("/notices?before=" + before).expect(200)
    assert 'rel="first"' not in page.text


def test_nobody_reads_or_marks_those_of_others(server, keeper):
    one, other = flows.contact(server), flows.contact(server)
    queue(server, one, request_name="SECRET-KEY")
    assert "SECRET" not in other.get("/notices").text
    own = server.sql("SELECT id FROM notice WHERE account_id = %s",
                     (account(server, one),))[0][0]
    csrf = other.get("/notices").form("/signout").fields["csrf"]
    for id_ in (own, str(uuid.uuid4()), "x", "%00", "a" * 36):
        answer = other.post(f"/notices/{id_}/open", {"csrf": csrf})
        assert answer.status in (400, 404), id_
    other.post("/notices/read", {"csrf": csrf, "until": "9" * 40}).expect(303)
    assert server.sql("SELECT read_at FROM notice WHERE id = %s",
                      (own,)) == [(None,)]
    other.post(f"/notices/{own}/open", {}).expect(403)


def test_notices_hold_no_names_of_people_and_no_reasons(server):
    one = flows.contact(server)
    queue(server, one, "request_rejected", request_name="R-KEY",
          reason="secret words", person="Bob", email="bob@x.example", by="Sam")
    assert server.sql("SELECT params FROM notice WHERE account_id = %s",
                      (account(server, one),)) == [({"request_name":
                                                     "R-KEY"},)]


def test_mail_may_be_turned_off_by_kind(server):
    one = flows.contact(server)
    before = mails(server, one)
    choose(one, request_approved="off", request_rejected="daily")
    page = one.get("/account/notices?done=saved").expect(200)
    assert "Saved" in page.words
    form = page.form("/account/notices").fields
    assert form["mail_request_approved"] == "off"
    assert form["mail_request_rejected"] == "daily"
    assert form["mail_request_shared"] == "now"
    for kind in ("request_approved", "request_rejected", "request_shared"):
        assert queue(server, one, kind, request_name="K-KEY")[0][0]
    assert mails(server, one) == before + 1
    assert unread(one.get("/notices")) == "3"
    choose(one, request_approved="now")
    queue(server, one, request_name="K-KEY")
    assert mails(server, one, "request_approved") == 1


def test_security_mail_always_comes(server):
    one = flows.contact(server)
    page = one.get("/account/notices")
    for kind in ("password_changed", "new_device", "factor_removed",
                 "owner_contact_joined", "seat_planned", "verify",
                 "request_submitted_staff"):
        assert f"mail_{kind}" not in page.text
    csrf = page.form("/account/notices").fields["csrf"]
    one.post("/account/notices", {
        "csrf": csrf, "mail_password_changed": "off", "mail_new_device": "off",
        "mail_nonsense": "off", "mail_request_shared": "never"}).expect(303)
    assert server.sql("SELECT count(*) FROM mail_choice WHERE account_id = "
                      "%s", (account(server, one),)) == [(0,)]
    # Not even by SQL of the portal's role.
    server.sql("INSERT INTO mail_choice VALUES (%s, 'password_changed', "
               "'off')", (account(server, one),), role="latchkey_app")
    queue(server, one, "password_changed")
    assert mails(server, one, "password_changed") == 1
    assert unread(one.get("/notices")) == "1"


def test_the_daily_mail(server):
    one, other = flows.contact(server), flows.contact(server)
    for client in (one, other):
        choose(client, request_approved="daily", request_shared="daily",
               request_rejected="off")
    for n in range(23):
        queue(server, one, request_name=f"D{n}-KEY")
    queue(server, other, "request_shared", request_name="<O>-KEY")
    queue(server, other, "request_rejected", request_name="Not-KEY")

    def jobs():
        server.stop_courier()
        server.start_courier()
    jobs()
    wait_until(lambda: any(line["event"] == "start"
                           for line in server.log("courier")), 10)
    assert not server.mail.to(one.email, "today")
    server.sql("UPDATE notice SET at = at - interval '2 days'")
    jobs()
    mail = server.mail.wait(one.email, "today")
    assert "D0-KEY" in mail.text and "D19-KEY" in mail.text
    assert "D20-KEY" not in mail.text and "3 more" in mail.text
    assert "23 today" in mail.subject
    mail = server.mail.wait(other.email, "today")
    assert "<O>-KEY" in mail.text and "&lt;O&gt;-KEY" in mail.html
    assert "Not-KEY" not in mail.text
    # Once.
    jobs()
    assert server.sql("SELECT count(*) FROM notice WHERE digest = 'due'"
                      ) == [(0,)]
    assert mails(server, one, "digest") == 1


def header(server, client, subject):
    """The link of a mail, as the mail program reads it."""
    head = server.mail.wait(client.email, subject).raw.split(b"\r\n\r\n")[0]
    lines = head.decode().split("\r\n")
    post = [x for x in lines if x.startswith("List-Unsubscribe-Post:")]
    link = [x for x in lines if x.startswith("List-Unsubscribe:")]
    assert len(post) == len(link) <= 1
    if not link:
        return None
    assert post == ["List-Unsubscribe-Post: List-Unsubscribe=One-Click"]
    return re.fullmatch(r"List-Unsubscribe: <([^>]+)>", link[0])[1]


@pytest.mark.parametrize("form", ["urlencoded", "multipart"])
def test_one_click_without_cookie(server, form):
    one = flows.contact(server)
    queue(server, one, request_name="K-KEY",
          product="Rev.io API")
    link = header(server, one, "is approved")
    path = urllib.parse.urlsplit(link).path
    assert link.startswith(server.url + "/unsubscribe/")
    # Scanners of mail follow links: that ends nothing.
    anybody = server.client()
    page = anybody.get(path).expect(200)
    assert "Stop this mail?" in page.words
    assert not server.sql("SELECT FROM mail_choice WHERE account_id = %s",
                          (account(server, one),))
    body, kind = ("List-Unsubscribe=One-Click",
                  "application/x-www-form-urlencoded")
    if form == "multipart":
        body = ('--x\r\nContent-Disposition: form-data; name='
                '"List-Unsubscribe"\r\n\r\nOne-Click\r\n--x--\r\n')
        kind = "multipart/form-data; boundary=x"
    for _ in range(2):
        anybody.request("POST", path, body, {"Content-Type": kind}).expect(
            200)
    assert server.sql("SELECT kind, choice FROM mail_choice WHERE account_id "
                      "= %s", (account(server, one),)) == [
                          ("request_approved", "off")]
    queue(server, one, request_name="K-KEY")
    assert mails(server, one, "request_approved") == 1


def test_the_link_of_the_daily_mail_ends_it(server):
    one = flows.contact(server)
    choose(one, request_approved="daily", request_shared="daily",
           request_rejected="off")
    server.sql("SELECT mail_queue('digest', %s, NULL, '{\"count\": \"1\", "
               "\"lines\": \"x\"}')", (account(server, one),))
    page = server.client().get(urllib.parse.urlsplit(
        header(server, one, "1 today")).path)
    answer = server.client().submit(page, action="/unsubscribe/").expect(200)
    assert "no daily mail" in answer.words
    assert set(server.sql("SELECT choice FROM mail_choice WHERE account_id = "
                          "%s", (account(server, one),))) == {("off",)}


def test_links_that_are_none(server):
    one, other = flows.contact(server), flows.contact(server)
    queue(server, one, request_name="K-KEY")
    path = urllib.parse.urlsplit(header(server, one, "is approved")).path
    _, _, who, kind, token = path.split("/")
    client = server.client()
    for bad in (f"/unsubscribe/{account(server, other)}/{kind}/{token}",
                f"/unsubscribe/{who}/request_shared/{token}",
                f"/unsubscribe/{who}/{kind}/{'A' * 43}",
                f"/unsubscribe/{who}/{'a' * 200}/{token}",
                f"/unsubscribe/x/{kind}/{token}"):
        assert client.get(bad).status == 404
        assert client.request("POST", bad, "List-Unsubscribe=One-Click", {
            "Content-Type": "application/x-www-form-urlencoded"}
            ).status == 404
    assert not server.sql("SELECT FROM mail_choice WHERE account_id IN "
                          "(%s, %s)", (account(server, one),
                                       account(server, other)))


def test_mail_that_always_comes_has_no_such_header(server):
    one = flows.contact(server)
    queue(server, one, "password_changed")
    assert header(server, one, "password") is None


def test_with_the_person_the_notices_go(server):
    one = flows.contact(server)
    queue(server, one, request_name="K-KEY")
    choose(one, request_approved="off")
    who = account(server, one)
    server.sql("DELETE FROM person WHERE account_id = %s", (who,))
    for table in ("notice", "mail_choice"):
        assert server.sql(f"SELECT count(*) FROM {table} WHERE account_id = "
                          "%s", (who,)) == [(0,)]


def test_every_kind_is_a_mail(server):
    """Words are for kinds that there are; an optional one has a template."""
    kinds = {row[0] for row in server.sql("SELECT kind FROM mail_kind")}
    table = (ROOT / "app/mail/mail_render.c").read_text()
    for kind in kinds:
        assert f'{{ "{kind}", LINK' in table, kind
        assert (ROOT / f"templates/mail/{kind}.txt").exists(), kind


def test_the_bell_costs_no_statement_of_its_own(server):
    """It comes with the session, from an index that holds the unread alone."""
    plan = server.sql("""
        SET enable_seqscan = off;
        EXPLAIN SELECT count(*) FROM (SELECT FROM notice n
        WHERE n.account_id = gen_random_uuid() AND n.read_at IS NULL
        LIMIT 10) AS unread""")
    assert "notice_unread" in str(plan)


def test_the_portal_can_not_make_notices(server):
    import psycopg2
    for statement in ("INSERT INTO notice (id, account_id, kind, params) "
                      "VALUES (gen_random_uuid(), gen_random_uuid(), "
                      "'new_device', '{}')", "DELETE FROM notice",
                      "UPDATE notice SET kind = kind",
                      "UPDATE mail_kind SET optional = true",
                      "SELECT notice_digests()"):
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            server.sql(statement, role="latchkey_app")
