"""The audit as staff and owners look through it: filters, pages, exports of
many rows in little memory, and plans that go down an index."""

import csv
import io
import json
import re
import socket
import time
from pathlib import Path

import pytest
from lib import base, flows
from lib.base import tail, wait_until

ROWS = 300_000
FILL = f"""
    SET session_replication_role = replica;
    INSERT INTO tenant (id, code, name, name_folded, slug)
      SELECT md5('t' || n)::uuid, 'T' || n, 'Client ' || n, 'client ' || n,
        't' || n FROM generate_series(1, 300) AS n;
    INSERT INTO account (id, kind, password_hash)
      SELECT md5('a' || n)::uuid, 'contact', 'x'
      FROM generate_series(1, 300) AS n;
    INSERT INTO person (account_id, email, email_folded, email_domain, name,
        client)
      SELECT md5('a' || n)::uuid, 'p' || n || '@many.example',
        'p' || n || '@many.example', 'many.example', 'Person ' || n, 'Many'
      FROM generate_series(1, 300) AS n;
    INSERT INTO audit (at, tenant_id, actor_kind, actor_id, action,
        subject_kind, subject_id, detail)
      SELECT now() - interval '1 day' - ({ROWS} - n) * interval '1 minute',
        CASE WHEN n % 4 > 0 THEN md5('t' || n % 300 + 1)::uuid END,
        CASE WHEN n % 10 > 0 THEN 'account' ELSE 'system' END,
        CASE WHEN n % 10 > 0 THEN md5('a' || n % 300 + 1)::uuid END,
        CASE WHEN n % 1000 = 0 THEN 'tenant.imported'
          WHEN n % 3 = 0 THEN 'session.started' ELSE 'key.shown' END,
        'subscription', md5('s' || n)::uuid, '{{"slot": "primary"}}'
      FROM generate_series(1, {ROWS}) AS n;
    ANALYZE audit; ANALYZE tenant; ANALYZE account; ANALYZE person"""


@pytest.fixture(scope="module")
def keeper(server):
    return flows.staff(server)


@pytest.fixture(scope="module")
def one(server, keeper):
    """A client with a key that its owner looked at."""
    owner = flows.contact(server, name="=Ada")
    flows.request_key(owner, "Altaworx-KEY")
    flows.approve(keeper, flows.requests_in_queue(keeper)[-1],
                  code="ALTWORX", client="Altaworx").expect(303)
    flows.show_key(owner)
    return owner


def rows_of(page):
    """Texts of the table's rows."""
    return [re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", row)).strip()
            for row in re.findall(r"<tr role=\"row\"><th role=\"rowheader\".*?"
                                  r"</tr>", page.text, re.S)]


def test_staff_see_all_and_filter(server, keeper, one):
    page = keeper.get("/staff/audit").expect(200)
    assert any("Looked at a key: Altaworx-KEY slot primary" in row
               for row in rows_of(page))
    assert any("Approved a request" in row for row in rows_of(page))

    def found(query):
        return rows_of(keeper.get("/staff/audit?" + query).expect(200))

    assert all("Looked at a key" in row for row in found("action=key.shown"))
    assert found("action=key.shown")
    assert all("Altaworx" in row for row in found("tenant=altworx"))
    assert len(found("tenant=altworx&action=key.shown")) == 1
    assert found(f"actor={one.email}")
    assert all("=Ada" in row for row in found(f"actor={one.email}"))
    assert found(f"actor={one.email}&tenant=ALTWORX&action=key.shown")
    assert all("An operator" in row for row in found("actor=operator"))
    assert found("actor=operator")
    day = time.strftime("%Y-%m-%d", time.gmtime())
    assert found(f"from={day}&to={day}")
    assert not found("to=2020-01-01") and not found("from=2099-01-01")
    for nothing in ("tenant=NOBODY", "actor=nobody@nowhere.example",
                    "action=no.such", "tenant=NOBODY&actor=system"):
        assert not found(nothing), nothing
        assert "Nothing found" in keeper.get(
            "/staff/audit?" + nothing).text


@pytest.mark.parametrize("query, says", [
    ("from=yesterday", "as in 2026-11-22"), ("from=2026-13-01", "as in"),
    ("to=2026-11-2", "as in"), ("from=2026-11-22&to=2026-11-20", "before the"),
    ("actor=ada", "e-mail address, or"), ("tenant=" + "A" * 33, "32"),
])
def test_filters_that_are_none(keeper, one, query, says):
    page = keeper.get("/staff/audit?" + query).expect(422)
    assert says in page.text and page.title.startswith("Error: ")
    keeper.get(f"/staff/audit/export?format=csv&{query}").expect(404)


@pytest.mark.parametrize("query", [
    "before=1.2.3", "before=x", "before=-1.5", "before=99999999999999999999.1",
    "before=1.99999999999999999999", "actor=%00", "tenant=%ff",
    "tenant=" + "x" * 3000, "action=%27%3b--", "actor=%25", "tenant=_",
])
def test_hostile_queries(keeper, one, query):
    assert keeper.get("/staff/audit?" + query).status in (200, 400, 414, 422)


def test_owners_see_theirs_and_no_staff_by_name(server, keeper, one):
    page = one.get("/audit").expect(200)
    assert any("Looked at a key" in row for row in rows_of(page))
    assert any("Approved a request" in row and "Staff" in row
               for row in rows_of(page))
    assert "Sam Keeper" not in page.text and "/staff/" not in page.text
    other = flows.contact(server, client="Else")
    other.get("/audit").expect(404)
    other.get("/audit/export?format=csv").expect(404)
    assert all("Altaworx" in row or "Ada" in row or "Staff" in row
               for row in rows_of(one.get("/audit?tenant=T1")))
    assert one.get("/audit?tenant=NOBODY").expect(200).text.count("<tr") > 1
    table = list(csv.reader(io.StringIO(
        one.get("/audit/export?format=csv").expect(200).text)))
    assert {row[2] for row in table[1:]} == {"ALTWORX"}
    assert "Sam Keeper" not in str(table)
    staffs = [row for row in table if row[6] == "request.approved"]
    assert staffs[0][4] == "" and staffs[0][5] == "Staff"
    keeper.get("/audit").expect(404)


def test_rows_of_a_client_that_was_merged(server, keeper, one):
    """They stay the old client's, and are found under the new one."""
    server.sql("""
        SET session_replication_role = replica;
        INSERT INTO tenant (id, code, name, name_folded, slug, state, ended_at,
            merged_into)
          SELECT gen_random_uuid(), 'OLDWORX', 'Old', 'old', 'old', 'merged',
            now(), id FROM tenant WHERE code = 'ALTWORX';
        INSERT INTO tenant_alias (code, tenant_id)
          SELECT 'OLDWORX', id FROM tenant WHERE code = 'ALTWORX'""",
               role="postgres")
    server.sql("SELECT audit_write(id, 'system', NULL, 'tenant.imported', "
               "'tenant', id) FROM tenant WHERE code = 'OLDWORX'")
    for page in (keeper.get("/staff/audit?tenant=ALTWORX"),
                 keeper.get("/staff/audit?tenant=OLDWORX"), one.get("/audit")):
        rows = rows_of(page)
        assert any("Imported a client" in row for row in rows), rows
        assert any("Looked at a key" in row for row in rows)


def test_export_as_csv_and_json_lines(keeper, one):
    answer = keeper.get("/staff/audit/export?format=csv&tenant=ALTWORX")
    answer.expect(200)
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer.headers["Content-Disposition"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert "\r\n" in answer.text
    table = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    shown = [row for row in table if row["action"] == "key.shown"]
    assert shown[0]["words"] == "Looked at a key"
    # No spreadsheet takes a name for a formula.
    assert shown[0]["actor"] == "'=Ada"
    assert json.loads(shown[0]["detail"])["slot"] == "primary"
    answer = keeper.get("/staff/audit/export?format=jsonl&tenant=ALTWORX")
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert [str(line["id"]) for line in lines] == [row["id"] for row in table]
    assert next(line for line in lines if line["action"] == "key.shown")[
        "actor"] == "=Ada"
    for bad in ("", "?format=xls", "?format="):
        keeper.get("/staff/audit/export" + bad).expect(404)
    # Nothing found is a file all the same.
    empty = keeper.get("/staff/audit/export?format=csv&tenant=NOBODY")
    assert empty.expect(200).text.startswith("at,id,client,")
    assert keeper.get("/staff/audit/export?format=jsonl&tenant=NOBODY"
                      ).expect(200).text == ""


def test_head_of_an_export(keeper, one):
    answer = keeper.request("HEAD", "/staff/audit/export?format=csv")
    assert answer.status == 200 and answer.body == b""


# ---- many rows --------------------------------------------------------------

@pytest.fixture(scope="module")
def many(cluster):
    from lib.server import Server
    # AddressSanitizer would keep what was freed, and all of that be measured.
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ASAN_OPTIONS", base.clean_env()["ASAN_OPTIONS"] +
                     ":quarantine_size_mb=0:thread_local_quarantine_size_kb=0")
        server = Server(cluster)
    server.sql(FILL, role="postgres")
    yield server, flows.staff(server)
    server.close()


def pss(server):
    """kB of all the portal's processes."""
    return sum(int(re.search(r"^Pss:\s+(\d+)", Path(
        f"/proc/{pid}/smaps_rollup").read_text(), re.M)[1])
               for pid in [server.portal.pid, *server.workers()])


def ask(server, client, path, version="1.1"):
    """The raw connection, after the head of the answer."""
    raw = server.raw(timeout_s=60)
    cookies = "; ".join(f"{k}={v}" for k, v in client.cookies.items())
    raw.send(f"GET {path} HTTP/{version}\nHost: localhost:{server.port}\n"
             f"Cookie: {cookies}\n\n")
    while b"\r\n\r\n" not in raw.buffer:
        assert raw._more()
    head, raw.buffer = raw.buffer.split(b"\r\n\r\n", 1)
    assert b" 200 " in head.split(b"\r\n")[0], head
    return raw, head.decode().lower()


def test_an_export_takes_little_memory_and_lets_others_pass(many):
    server, keeper = many
    keeper.get("/staff/audit/export?format=csv&tenant=T1").expect(200)
    before = highest = pss(server)
    raw, head = ask(server, keeper, "/staff/audit/export?format=csv")
    assert "transfer-encoding: chunked" in head and "content-length" not in head
    size = len(raw.buffer)
    last, slowest, looked = raw.buffer, 0, time.monotonic()
    while data := raw.socket.recv(1 << 20):
        size += len(data)
        last = (last + data)[-64:]
        if time.monotonic() - looked > 0.3:
            highest = max(highest, pss(server))
            began = time.monotonic()
            keeper.get("/staff/audit?action=key.shown").expect(200)
            looked = time.monotonic()
            slowest = max(slowest, looked - began)
    assert last.endswith(b"\r\n0\r\n\r\n")
    assert size > ROWS * 150
    assert highest - before < 8 * 1024, (before, highest)
    assert slowest < 2
    raw.close()


def test_every_row_is_exported_once(many):
    server, keeper = many
    answer = keeper.get("/staff/audit/export?format=jsonl&action=key.shown")
    ids = [json.loads(line)["id"] for line in answer.text.splitlines()]
    assert ids == sorted(set(ids), reverse=True)
    assert len(ids) == server.sql("SELECT count(*) FROM audit "
                                  "WHERE action = 'key.shown'")[0][0]


def test_http_1_0_is_not_chunked(many):
    server, keeper = many
    raw, head = ask(server, keeper,
                    "/staff/audit/export?format=jsonl&tenant=T1", "1.0")
    assert "transfer-encoding" not in head
    body = raw.buffer
    while data := raw.socket.recv(1 << 20):
        body += data
    assert all(json.loads(line) for line in body.splitlines())
    raw.close()


def streaming(server):
    return server.sql("SELECT count(*) FROM pg_stat_activity WHERE "
                      "query LIKE 'WITH x AS%%501%%' AND "
                      "state_change > now() - interval '300 ms'")[0][0]


def test_a_reader_who_stops_is_waited_for_and_one_who_leaves_is_not(many):
    """Backpressure: what nobody takes is not made; a connection that is cut
    ends the work; and the portal is well afterwards."""
    server, keeper = many

    def ended():
        return [line["status"] for line in server.log() if line.get("route")
                == "/staff/audit/export"].count("200")
    raws = [ask(server, keeper, "/staff/audit/export?format=csv")[0]
            for _ in range(8)]
    wait_until(lambda: streaming(server) == 0, 10, "all wait for readers")
    before = ended()    # those of other tests have been told by now
    memory = pss(server)
    # The ninth in this worker is told to come again.
    keeper.get("/staff/audit/export?format=csv").expect(503)
    asleep = raws.pop()
    for raw in raws:
        raw.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                              b"\1\0\0\0\0\0\0\0")
        raw.close()
    wait_until(lambda: keeper.get(
        "/staff/audit/export?format=jsonl&tenant=T1").status == 200, 10,
        "places for streams")
    assert pss(server) < memory + 4096
    # The last of them stays connected and takes nothing: it is let go of,
    # too, after half a minute, and what it was sent is no whole answer.
    wait_until(lambda: ended() >= before + 8 + 1, 90, "all have ended")
    body = asleep.buffer
    try:
        while data := asleep.socket.recv(1 << 20):
            body = (body + data)[-64:]
    except ConnectionResetError:
        pass
    assert not body.endswith(b"0\r\n\r\n")
    asleep.close()
    assert pss(server) < memory + 4096


def test_a_failure_on_the_way_is_no_whole_answer(many):
    """The database goes while rows are read: the last chunk never comes."""
    server, keeper = many
    raw, _ = ask(server, keeper, "/staff/audit/export?format=csv")
    server.sql("ALTER TABLE audit RENAME TO audit_away", role="postgres")
    try:
        body = raw.buffer
        while data := raw.socket.recv(1 << 20):
            body += data
        assert not body.endswith(b"0\r\n\r\n")
    finally:
        server.sql("ALTER TABLE audit_away RENAME TO audit", role="postgres")
    raw.close()
    wait_until(lambda: keeper.get("/staff/audit").status == 200, 10)


PLANS = ["", "tenant=T7", "tenant=T7&action=key.shown",
         "tenant=T7&actor=p7@many.example", "actor=p9@many.example",
         "actor=p9@many.example&action=session.started", "actor=system",
         "actor=system&action=tenant.imported", "action=tenant.imported",
         "action=key.shown", "from=2026-01-01&to=2026-02-01",
         "tenant=T7&from=2026-03-01", "action=tenant.imported&to=2026-06-01"]


def test_every_filter_goes_down_an_index(many):
    """As PostgreSQL itself tells of the portal's statements, with what each
    node of a plan really read."""
    server, keeper = many
    server.stop_portal()
    for setting in ("session_preload_libraries = 'auto_explain'",
                    "auto_explain.log_min_duration = 0",
                    "auto_explain.log_analyze = on"):
        server.sql(f"ALTER DATABASE {server.database} SET {setting}",
                   role="postgres")
    server.start_portal()
    log = server.cluster.dir / "postgres.log"
    start = log.stat().st_size
    deep = []
    for query in PLANS:
        page = keeper.get(f"/staff/audit?{query}").expect(200)
        # The second page goes on at its cursor.
        onward = re.search(r'href="(/staff/audit\?[^"]*before=[^"]*)"',
                           page.text)
        if onward:
            keeper.get(onward[1].replace("&amp;", "&")).expect(200)
        deep.append(len(rows_of(page)))
    assert sum(n == 50 for n in deep) >= 9, dict(zip(PLANS, deep))
    at = server.sql("SELECT (extract(epoch FROM at) * 1000000)::bigint, id "
                    f"FROM audit WHERE id = {ROWS // 2}")[0]
    keeper.get(f"/staff/audit?before={at[0]}.{at[1]}").expect(200)
    text = log.read_bytes()[start:].decode(errors="replace")
    plans = [plan for plan in re.split(r"(?=Query Text: )", text)
             if "FROM audit a WHERE" in plan[:600]]
    assert len(plans) >= len(PLANS), tail(log)
    for plan in plans:
        plan = plan.split(" LOG:  ")[0]
        assert "Seq Scan on audit" not in plan, plan
        assert re.search(r"(using|Scan on) audit_\w+", plan), plan
        for rows, loops in re.findall(r"rows=(\d+) loops=(\d+)\)", plan):
            assert int(rows) * int(loops) <= 2000, plan
        for removed in re.findall(r"Rows Removed by \w+: (\d+)", plan):
            assert int(removed) <= 5000, plan
