"""The pages of what was called, empty and full: see test_pages.py."""

import pytest
from e2e.test_pages import look, person  # noqa: F401
from lib import flows


@pytest.fixture(scope="module")
def people(server):
    return flows.client_with_key(server)


FILL = """
    WITH s AS (SELECT id FROM subscription), n AS (
        SELECT n, o FROM generate_series(0, 25) AS n,
        unnest(ARRAY['allowed', 'rate_limited', 'not_permitted']) AS o),
    h AS (INSERT INTO usage_hour SELECT id, date_trunc('hour', now())
            - n * interval '1 hour', '00000000-0000-0000-0000-000000000000',
            o, 1 + n * CASE o WHEN 'allowed' THEN 4321 ELSE 55 END
        FROM s, n)
    INSERT INTO usage_day SELECT id, current_date - n,
        '00000000-0000-0000-0000-000000000000', o,
        1 + n * CASE o WHEN 'allowed' THEN 4321 ELSE 55 END FROM s, n
"""
USER = """
    INSERT INTO api_user (id, tenant_id, username, vendor, vendor_folded,
        integration, created_by, last_used_at, last_used_address)
    SELECT gen_random_uuid(), m.tenant_id, 'FORTAPI', 'FORT, Inc.',
        'fort, inc.', 'Ticket sync', m.account_id, now(), '192.0.2.7'
    FROM membership m RETURNING id
"""


def test_usage(server, people, person):  # noqa: F811
    owner, keeper = people
    browser = person(owner)
    browser.go("/usage")
    look(browser, "usage-none", "Usage")
    browser = person(keeper)
    browser.go("/staff/usage")
    look(browser, "usage-staff-none", "Usage")
    server.sql(FILL)
    server.sql("INSERT INTO usage_count SELECT id, current_date, 1000000, "
               "date_trunc('month', now())::date, 250000 FROM subscription")
    server.sql("UPDATE tenant SET calls_a_day = 100000, "
               "calls_a_month = 1000000")
    browser = person(owner)
    for span in ("24h", "7d", "30d", "12m"):
        browser.go(f"/usage?span={span}")
        look(browser, f"usage-{span}", "Usage")
    assert "Too many at once" in browser.words
    rows = owner.get("/usage/export?span=24h").expect(200).text.splitlines()
    assert rows[0] == "time,subscription,api_user,outcome,calls"
    # 24 hours of three outcomes.
    assert len(rows) == 1 + 24 * 3
    # One API user's calls stand on its own page.
    user = server.sql(USER)[0][0]
    browser.go(f"/api-users/{user}")
    look(browser, "api-user-no-calls", "FORTAPI@ALTWORX")
    server.sql("UPDATE usage_hour SET api_user_id = %s", (user,))
    server.sql("UPDATE usage_day SET api_user_id = %s", (user,))
    browser.go(f"/api-users/{user}?span=24h")
    look(browser, "api-user-calls", "FORTAPI@ALTWORX")
    assert "Calls in 24 hours" in browser.words
    browser = person(keeper)
    browser.go("/staff/usage")
    look(browser, "usage-staff", "Usage")
