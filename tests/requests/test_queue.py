"""The queue over HTTP: filters, order, pages, search, who has taken what,
saved filters, a pasted key, and several decisions at once."""

import base64
import re
import uuid

import pytest
from lib import flows, http

ROW = re.compile(r'<tr role="row" id="r-([0-9a-f-]{36})">')
NAMES = re.compile(r'<a href="/staff/requests/[0-9a-f-]{36}"><bdi dir="ltr">'
                   r'([^<]*)</bdi>')

MADE = """
    WITH made AS (SELECT n, gen_random_uuid() AS account,
            gen_random_uuid() AS request, %(client)s || ' ' || n AS client
        FROM generate_series(1, %(count)s) AS n),
    a AS (INSERT INTO account (id, kind, password_hash)
        SELECT account, 'contact', '*' FROM made RETURNING id),
    p AS (INSERT INTO person (account_id, email, email_folded,
            email_domain, name, client)
        SELECT account, account || '@' || %(domain)s,
            account || '@' || %(domain)s, %(domain)s, 'Maya Dorsey', client
        FROM made RETURNING 1)
    INSERT INTO request (id, account_id, product_id, name, client_folded,
        submitted_at, due_at, state, decided_at, reason)
    SELECT request, account, (SELECT id FROM product WHERE slug = %(slug)s),
        client || '-KEY', lower(replace(client, ' ', '')),
        now() - (%(age)s - n * 0.01) * interval '1 hour',
        now() + (n * 0.01 + %(due)s) * interval '1 hour', %(state)s,
        CASE WHEN %(state)s <> 'submitted' THEN now() END, 'x'
    FROM made RETURNING id::text"""


def make(server, client, count=1, **fields):
    """Ids of fresh requests, the oldest first."""
    values = dict(client=client, count=count, slug="revio-api", age=52, due=-4,
                  state="submitted", domain="queue.example")
    return [row[0] for row in server.sql(MADE, {**values, **fields})]


def rows(page):
    return ROW.findall(page.text)


def names(page):
    return [http.html.unescape(n) for n in NAMES.findall(page.text)]


def queue(browser, query=""):
    return browser.get("/staff/queue" + (query and "?" + query)).expect(200)


def all_pages(browser, query):
    """Ids on all pages, and how many pages these are."""
    found, pages = [], 0
    page = queue(browser, query)
    while True:
        found += rows(page)
        pages += 1
        more = re.search(r'href="/staff/queue\?([^"]*)" rel="next"', page.text)
        if not more:
            return found, pages
        page = queue(browser, http.html.unescape(more[1]))


def csrf(browser):
    return browser.get("/account").expect(200).form("/signout").fields["csrf"]


def post(browser, path, *pairs, **fields):
    """A form in which a name may stand several times."""
    body = [("csrf", csrf(browser)), *pairs, *fields.items()]
    return browser.request("POST", path, http.urllib.parse.urlencode(body))


@pytest.fixture(scope="module")
def desk(server):
    """A member of staff, a second product and 130 requests."""
    keeper = flows.staff(server)
    keeper.id = server.sql("SELECT account_id FROM person WHERE email = %s",
                           (keeper.email,))[0][0]
    server.sql("INSERT INTO product (id, slug, name) VALUES "
               "(gen_random_uuid(), 'second', 'Second API')")
    make(server, "Many", 120)
    make(server, "Late", 3, age=90, due=-30, slug="second")
    make(server, "Early", 3, age=1, due=40)
    make(server, "Gone", 4, state="rejected")
    return keeper


@pytest.mark.parametrize("sort,order", [
    ("oldest", "submitted_at, id"), ("newest", "submitted_at DESC, id DESC"),
    ("due", "due_at, id"), ("name", 'lower(name) COLLATE "C", id')])
@pytest.mark.parametrize("state,where", [
    ("us", "state = 'submitted' AND waiting_on = 'staff'"),
    ("open", "state = 'submitted'"), ("any", "true"),
    ("decided", "state <> 'submitted'"), ("rejected", "state = 'rejected'")])
def test_every_page_of_every_order(server, desk, sort, order, state, where):
    found, pages = all_pages(desk, f"state={state}&sort={sort}")
    assert found == [row[0] for row in server.sql(
        f"SELECT id::text FROM request WHERE {where} ORDER BY {order}")]
    assert pages == -(-len(found) // 50)


def test_one_product(server, desk):
    found, _ = all_pages(desk, "product=second&sort=name")
    assert len(found) == 3
    assert names(queue(desk, "product=second&sort=name")) == [
        "Late 1-KEY", "Late 2-KEY", "Late 3-KEY"]
    assert len(rows(queue(desk, "product=none-of-ours"))) == 50


def test_overdue(server, desk):
    late = {row[0] for row in server.sql(
        "SELECT id::text FROM request WHERE state = 'submitted' "
        "AND due_at < now()")}
    for sort in ("oldest", "due", "name"):
        assert set(all_pages(desk, f"overdue=1&sort={sort}")[0]) == late
    assert rows(queue(desk, "overdue=1&state=rejected")) == []


def test_waiting_for_the_contact(server, desk):
    one, = make(server, "Asked")
    server.sql("UPDATE request SET waiting_on = 'contact' WHERE id = %s",
               (one,))
    assert rows(queue(desk, "state=contact")) == [one]
    assert "Waits for the contact" in queue(desk, "state=contact").words
    assert one not in all_pages(desk, "state=us")[0]
    assert one in all_pages(desk, "state=open")[0]
    server.sql("DELETE FROM request WHERE id = %s", (one,))


def test_what_is_decided_meanwhile_hides_nothing(server, desk):
    """The page goes on behind the last row, wherever that is by then."""
    made = make(server, "Shift", 60, age=900)
    first = queue(desk)
    assert rows(first) == made[:50]
    server.sql("UPDATE request SET state = 'rejected', reason = 'x', "
               "decided_at = now() WHERE id = ANY(%s::uuid[])", (made[:50],))
    more = re.search(r'\?([^"]*)" rel="next"', first.text)[1]
    assert rows(queue(desk, http.html.unescape(more)))[:10] == made[50:]
    server.sql("DELETE FROM request_note WHERE request_id = "
               "ANY(%s::uuid[])", (made,))
    server.sql("DELETE FROM request WHERE id = ANY(%s::uuid[])", (made,))


def cursor(text):
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.mark.parametrize("after", [
    "z", "z" * 600, "%00", cursor("o.1.x"), cursor("n.1." + "0" * 36),
    cursor(f"o.-1.{uuid.UUID(int=1)}"), cursor(f"o..{uuid.UUID(int=1)}"),
    cursor(f"o.1\0.{uuid.UUID(int=1)}"), cursor(f"n.1.{uuid.UUID(int=1)}"),
    cursor("o." + "9" * 30 + f".{uuid.UUID(int=1)}"), "a\u202eb"],
    ids=lambda after: after[:12])
def test_bad_cursors(desk, after):
    answer = desk.get("/staff/queue?after=" + http.urllib.parse.quote(
        after, safe="%"))
    assert answer.status in (200, 400), answer
    if answer.status == 200 and len(after) < 600:
        assert "Back to the first page" in answer.words
    page = desk.get("/staff/queue?sort=name&after="
                    + cursor(f"n.'; DROP.{uuid.UUID(int=1)}")).expect(200)
    assert rows(page)


@pytest.mark.parametrize("query", [
    "state=x&sort=y&product=%27&mine=2&overdue=on", "state=us&state=any",
    "sort=" + "a" * 900, "q=" + "a" * 900, "q=%01", "q=%F0%9F%94%91",
    "q=" + "%25" * 40, "after=&q="], ids=lambda query: query[:12])
def test_hostile_filters(desk, query):
    desk.get("/staff/queue?" + query).expect(200)
    desk.get("/staff/queue?q=%ff").expect(400)


def test_counts(server, desk):
    page = queue(desk)
    waiting = server.sql("SELECT count(*) FROM request WHERE standing = 'us'"
                         )[0][0]
    assert f"{waiting} requests waiting for us, the oldest first" \
        in page.words
    assert f"Waiting for us {waiting}" in page.words
    made = make(server, "Heap", 1100, state="withdrawn")
    page = queue(desk, "state=withdrawn")
    assert "1,000+ requests withdrawn" in page.words
    assert "Decided 1,000+" in page.words
    server.sql("DELETE FROM request WHERE id = ANY(%s::uuid[])", (made,))


# -- search


@pytest.fixture(scope="module")
def findable(server, desk):
    """A client with a key, found by name, code, address and key."""
    owner = flows.contact(server, flows.address("zebra-mail.example"),
                          name="Quentin Xylo", client="Zebra Works")
    flows.request_key(owner, "Zebra & Works-KEY")
    one = server.sql("SELECT id::text FROM request WHERE name = "
                     "'Zebra & Works-KEY'")[0][0]
    flows.approve(desk, f"/staff/requests/{one}", tenant="", code="ZEB-7",
                  client="Zebra Works").expect(303)
    owner.asked = one
    return owner


@pytest.mark.parametrize("typed", [
    "zebra", "ZEBRA & W", "ebra", "zeb-7", "Quentin", "xylo", "zebra-mail.ex",
    "ze", "Z", "zebra works"])
def test_search_finds(desk, findable, typed):
    page = queue(desk, "q=" + http.urllib.parse.quote(typed))
    assert findable.asked in rows(page), page.words[:600]
    assert http.html.escape(typed) in page.text


def test_search_by_address(desk, findable):
    assert rows(queue(desk, "q=" + findable.email.upper())) == [
        findable.asked]


@pytest.mark.parametrize("typed", ["%", "_", "%%%", "___", "z%a", "ze_ra",
                                   "\\", "\\\\\\", "ebr", "'"])
def test_signs_of_like_are_plain(desk, findable, typed):
    found = rows(queue(desk, "q=" + http.urllib.parse.quote(typed)))
    assert (findable.asked in found) == (typed == "ebr")


def test_percent_and_underscore_are_found(server, desk):
    make(server, "50% off_line")
    for typed in ("0% o", "f_l", "50", "5"):
        page = queue(desk, "q=" + http.urllib.parse.quote(typed))
        assert "50% off_line 1-KEY" in names(page), typed


def test_last_four(server, desk, findable):
    last4 = flows.show_key(findable)[-4:]
    assert findable.asked in rows(queue(desk, f"q={last4.upper()}"))


def test_search_within_a_state(desk, findable):
    page = queue(desk, "q=zebra&state=us")
    assert rows(page) == [] and "look among all" in page.words
    link = re.search(r'href="([^"]*)">look among all', page.text)[1]
    assert findable.asked in rows(desk.get(http.html.unescape(link)))


def test_at_most_200_by_rank(server, desk):
    made = make(server, "Abundant", 230)
    server.sql("UPDATE request SET name = 'Abundant-KEY' WHERE id = %s",
               (made[77],))
    found, pages = all_pages(desk, "q=abundant")
    assert pages == 4 and len(set(found)) == len(found) == 200
    assert found[0] == made[77]
    server.sql("DELETE FROM request WHERE id = ANY(%s::uuid[])", (made,))


# -- a whole key


def test_a_pasted_key_is_not_searched(server, desk, findable):
    key = flows.show_key(findable)
    for text in (key, key.upper(), f"x {key}", " ".join(
            key[i:i + 8] for i in range(0, 32, 8))):
        page = queue(desk, "q=" + http.urllib.parse.quote(text))
        assert "That was a whole key" in page.words
        assert key[:20] not in page.text.lower().replace(" ", "")
    assert key not in server.settled_log()


def test_whose_key(server, desk, findable):
    for slot in ("primary", "secondary"):
        key = flows.show_key(findable, slot)
        spaced = "  " + " ".join(key[i:i + 8] for i in range(0, 32, 8))
        for text in (key, key.upper(), spaced):
            page = desk.submit(queue(desk), {"key": text}, "/queue/key$")
            page.expect(200)
            assert f"the {slot} key of Zebra & Works-KEY" in page.words
            assert "/staff/tenants/ZEB-7" in page.text
            assert key not in page.text and page.headers[
                "Cache-Control"] == "no-store"
    page = desk.submit(queue(desk), {"key": "0" * 32}, "/queue/key$")
    assert "Nobody’s key" in page.expect(200).words
    for text in ("", "x" * 32, key + "0", key[:31], "a" * 60000):
        page = desk.submit(queue(desk), {"key": text}, "/queue/key$")
        assert "A key has 32 characters" in page.expect(422).words
        assert key[:31] not in page.text, "what was typed is a secret"
    assert key not in server.settled_log()


# -- taking


def test_take_and_let_go(server, desk):
    one, = make(server, "Taken", age=2000)
    other = flows.staff(server, name="Ines Blum")
    page = queue(desk, "sort=due&product=revio-api")
    assert f"/staff/requests/{one}/take" in page.text
    done = post(desk, f"/staff/requests/{one}/take", sort="due",
                product="revio-api")
    assert done.expect(303).location == \
        f"/staff/queue?product=revio-api&sort=due#r-{one}"
    assert rows(queue(desk, "state=open&mine=1")) == [one]
    assert rows(queue(desk, "state=open&mine=1&product=revio-api")) == [one]
    assert rows(queue(other, "state=open&mine=1")) == []
    assert "Sam Keeper" in queue(other, "sort=oldest").words

    # who saw nobody on it learns who has it; who saw that takes it over
    late = post(other, f"/staff/requests/{one}/take")
    assert "Sam Keeper has Taken 1-KEY" in late.expect(409).words
    post(other, f"/staff/requests/{one}/let-go").expect(409)
    post(other, f"/staff/requests/{one}/take",
         **{"from": str(desk.id)}).expect(303)
    late = post(desk, f"/staff/requests/{one}/let-go")
    assert "Ines Blum has" in late.expect(409).words
    post(other, f"/staff/requests/{one}/let-go").expect(303)
    post(other, f"/staff/requests/{one}/let-go").expect(409)
    assert [row[0] for row in server.sql(
        "SELECT action FROM audit WHERE subject_id = %s ORDER BY id",
        (one,))] == ["request.taken", "request.taken", "request.let_go"]

    post(desk, f"/staff/requests/{one}/take", **{"from": "x"}).expect(422)
    post(desk, f"/staff/requests/{uuid.uuid4()}/take").expect(404)
    post(desk, "/staff/requests/nonsense/take").expect(404)
    server.sql("UPDATE request SET state = 'withdrawn', decided_at = now() "
               "WHERE id = %s", (one,))
    late = post(desk, f"/staff/requests/{one}/take").expect(409)
    assert "withdrew" in late.words


# -- saved filters


def test_saved_filters(server, desk):
    other = flows.staff(server)
    page = queue(desk, "state=open&product=second&sort=due")
    done = desk.submit(page, {"name": " Second,  soon "}, "/filters$")
    assert done.expect(303).location == \
        "/staff/queue?state=open&product=second&sort=due"
    assert "Second, soon" in queue(desk).words
    assert "Second, soon" not in queue(other).words
    # a name is there once
    page = queue(desk, "overdue=1")
    desk.submit(page, {"name": "Second, soon"}, "/filters$").expect(303)
    assert server.sql("SELECT filter FROM queue_filter") == [("overdue=1",)]
    for name in ("", "  ", "x" * 41, "a\u202eb", "a\x07b"):
        page = desk.submit(queue(desk, "overdue=1&sort=name"),
                           {"name": name}, "/filters$").expect(422)
        assert "Write a name" in page.words
    number = server.sql("SELECT id FROM queue_filter")[0][0]
    post(other, f"/staff/queue/filters/{number}/delete").expect(404)
    post(desk, f"/staff/queue/filters/{uuid.uuid4()}/delete").expect(404)
    post(desk, "/staff/queue/filters/x/delete").expect(404)
    post(desk, f"/staff/queue/filters/{number}/delete").expect(303)
    for n in range(20):
        post(desk, "/staff/queue/filters", name=f"f{n}",
             sort="due").expect(303)
    full = post(desk, "/staff/queue/filters", name="more", sort="due")
    assert "20 saved filters" in full.expect(422).words
    post(desk, "/staff/queue/filters", name="f7", sort="name").expect(303)
    server.sql("DELETE FROM queue_filter")


# -- several at once


def known(server, code, people, domain=True):
    """Ids of requests of that many people of a client that is known."""
    server.sql("INSERT INTO tenant (id, code, name, name_folded, slug) VALUES "
               "(gen_random_uuid(), %s, %s, %s, %s)",
               (code, code, f"{code.lower()}1", code.lower()))
    if domain:
        server.sql("INSERT INTO tenant_domain SELECT id, %s FROM tenant WHERE "
                   "code = %s", (f"{code.lower()}.example", code))
    return make(server, code, people, domain=f"{code.lower()}.example")


def results(page):
    """{id: its result}"""
    return dict(re.findall(
        r'href="/staff/requests/([0-9a-f-]{36})">.*?<span class="sub">([^<]*)'
        r'</span></span></td>', page.expect(200).text))


def mails(server, kind, requests):
    """To those who sent these requests."""
    return server.sql(
        "SELECT count(*) FROM outbox o JOIN request r USING (account_id) "
        "WHERE o.kind = %s AND r.id = ANY(%s::uuid[])", (kind, requests)
    )[0][0]


def test_bulk_approve(server, desk):
    fits, = known(server, "BULKA", 1)
    new, = make(server, "Unheard")
    reasonless, = known(server, "BULKB", 1, domain=False)
    gone, = make(server, "Away", state="withdrawn")
    holder, = known(server, "BULKC", 1)
    post(desk, "/staff/queue/decide", ("id", holder),
         do="approve").expect(200)
    again, = make(server, "BULKC", domain="bulkc.example")
    page = post(desk, "/staff/queue/decide", ("id", fits), ("id", new),
                ("id", reasonless), ("id", gone), ("id", again),
                ("id", fits), ("id", "x"), ("id", str(uuid.uuid4())),
                do="approve", state="open")
    said = results(page)
    assert list(said) == [fits, new, reasonless, gone, again]
    assert "Approved for BULKA" in said[fits]
    assert "client is not known" in said[new]
    assert "needs a reason" in said[reasonless]
    assert "withdrew it" in said[gone]
    assert "has a key already" in said[again]
    assert "1 approved" in page.title and "state=open" in page.text
    assert dict(server.sql(
        "SELECT id::text, state FROM request WHERE id = ANY(%s::uuid[])",
        ([fits, new, reasonless, gone, again],))) == {
            fits: "approved", new: "submitted", reasonless: "submitted",
            gone: "withdrawn", again: "submitted"}
    # sent again it changes nothing, and with a reason the one more is done
    page = post(desk, "/staff/queue/decide", ("id", fits),
                ("id", reasonless), do="approve", reason="known by phone")
    said = results(page)
    assert "was faster and approved it" in said[fits]
    assert "Approved for BULKB" in said[reasonless]
    assert mails(server, "request_approved", [fits, reasonless]) == 2


def test_near_misses_stand_in_the_list(server, desk):
    """Who would be a new client but has nearly the name of one."""
    flows.add_tenant(server, "BRIGHTCO", "Brightwater Telecom")
    flows.asker(server, "Brightwatre Telecom", domain="bright.example")
    flows.asker(server, "Quixotic Zebra", domain="zebra.example")
    page = desk.get("/staff/queue?q=bright").expect(200)
    assert re.search(r"Like BRIGHTCO, [4-9]\d per cent", page.words)
    page = desk.get("/staff/queue?q=quixotic").expect(200)
    assert "Would be a new client" in page.words and "per cent" not in \
        page.words
    # a client that is closed is nobody's near miss
    server.sql("UPDATE tenant SET state = 'closed', ended_at = now() "
               "WHERE code = 'BRIGHTCO'")
    page = desk.get("/staff/queue?q=bright").expect(200)
    assert "per cent" not in page.words


def test_bulk_reject(server, desk):
    made = make(server, "Refuse", 4, age=3000)
    refused = post(desk, "/staff/queue/decide", ("id", made[0]),
                   ("id", made[2]), do="reject", reason="  ", sort="name")
    assert "Say why" in refused.expect(422).words
    refused = post(desk, "/staff/queue/decide", ("id", made[0]),
                   ("id", made[2]), do="reject", reason="x" * 1001)
    page = refused.expect(422)
    assert "up to 1000 characters" in page.words and "x" * 1001 in page.text
    ticked = re.findall(r'value="([0-9a-f-]{36})" checked', page.text)
    assert ticked == [made[0], made[2]]
    for fields in ({"do": "approve"}, {"do": "reject", "reason": "x"}, {}):
        page = post(desk, "/staff/queue/decide", **fields).expect(422)
        assert "Tick the requests" in page.words
    page = post(desk, "/staff/queue/decide", ("id", made[0]), do="eat")
    assert "Choose whether" in page.expect(422).words
    page = post(desk, "/staff/queue/decide", *(("id", m) for m in made),
                do="reject", reason="Not <b>ours</b>")
    assert list(results(page)) == made
    assert server.sql("SELECT DISTINCT state, reason FROM request WHERE id = "
                      "ANY(%s::uuid[])", (made,)) == [
                          ("rejected", "Not <b>ours</b>")]
    assert mails(server, "request_rejected", made) == 4


def test_bulk_reject_with_a_canned_reason(server, desk):
    """One that is often given stands for all ticked, with what was typed."""
    made = make(server, "Canned", 3)
    canned = str(server.sql("SELECT id, text FROM canned_reason "
                            "WHERE title = 'Ask a colleague'")[0][0])
    words = server.sql("SELECT text FROM canned_reason WHERE id = %s",
                       (canned,))[0][0]
    page = desk.get("/staff/queue?q=Canned").expect(200)
    assert f'<option value="{canned}">Ask a colleague' in page.text
    # what was chosen stays chosen while something else is mended
    page = post(desk, "/staff/queue/decide", do="reject", canned=canned)
    assert f'value="{canned}" selected' in page.expect(422).text
    # a reason that is gone is no reason
    page = post(desk, "/staff/queue/decide", ("id", made[0]), do="reject",
                canned=str(uuid.uuid4()), reason="x")
    assert "Say why" in page.expect(422).words
    post(desk, "/staff/queue/decide", ("id", made[0]), ("id", made[1]),
         do="reject", canned=canned).expect(200)
    post(desk, "/staff/queue/decide", ("id", made[2]), do="reject",
         canned=canned, reason="Ask Ida.").expect(200)
    assert dict(server.sql("SELECT id::text, reason FROM request "
                           "WHERE id = ANY(%s::uuid[])", (made,))) == {
        made[0]: words, made[1]: words, made[2]: f"{words}\n\nAsk Ida."}


def test_bulk_needs_a_fresh_sign_in(server, desk):
    one, = make(server, "Stale")
    token = csrf(desk)
    server.sql("UPDATE session SET fresh_at = now() - interval '1 hour' "
               "WHERE account_id = %s", (desk.id,))
    body = [("csrf", token), ("id", one), ("do", "reject"), ("reason", "x")]
    page = desk.request("POST", "/staff/queue/decide",
                        http.urllib.parse.urlencode(body))
    assert "Is it you" in page.expect(200).title
    assert server.sql("SELECT state FROM request WHERE id = %s",
                      (one,)) == [("submitted",)]
    page = desk.submit(page, {"password": flows.PASSWORD}, "/decide$")
    assert list(results(page)) == [one]


# -- what came in meanwhile


def test_news(server, desk):
    page = queue(desk, "product=second")
    query = http.html.unescape(re.search(r'data-news="([^"]*)"',
                                         page.text)[1])

    def count():
        answer = desk.get("/staff/queue/news?" + query).expect(200)
        assert answer.headers["Content-Type"] == "application/json"
        return answer.text
    assert count() == '{"count":0}'
    make(server, "Fresh", 2, age=-0.1)
    assert count() == '{"count":0}', "another product"
    made = make(server, "Fresh", 2, age=-0.1, slug="second")
    assert count() == '{"count":2}'
    server.sql("UPDATE request SET state = 'withdrawn', decided_at = now() "
               "WHERE id = %s", (made[0],))
    assert count() == '{"count":1}'
    for since in ("", "x", "-1", "1" * 30):
        desk.get(f"/staff/queue/news?since={since}").expect(422)
    assert "data-news" not in queue(desk, "state=rejected").text
