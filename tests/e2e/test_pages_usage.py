"""The pages of what was called, empty and full: see test_pages.py."""

import re

import pytest
from e2e.test_pages import look, person  # noqa: F401
from lib import flows
from selenium.webdriver.common.keys import Keys


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
MANY = """
    WITH t AS (INSERT INTO tenant (id, code, name, name_folded, slug)
        SELECT gen_random_uuid(), 'MANY' || n, 'Many ' || n, 'many ' || n,
            'many-' || n FROM generate_series(1, 51) AS n RETURNING id, code),
    s AS (INSERT INTO subscription (id, tenant_id, product_id, one_key, name)
        SELECT gen_random_uuid(), t.id, p.id, p.one_key_per_tenant,
            t.code || '-KEY' FROM t, product p WHERE p.slug = 'revio-api'
        RETURNING id)
    INSERT INTO usage_count SELECT s.id, (now() AT TIME ZONE 'UTC')::date, 5,
        date_trunc('month', now() AT TIME ZONE 'UTC')::date, 5 FROM s
"""
USER = """
    INSERT INTO api_user (id, tenant_id, username, vendor, vendor_folded,
        integration, created_by, last_used_at, last_used_address)
    SELECT gen_random_uuid(), m.tenant_id, 'FORTAPI', 'FORT, Inc.',
        'fort, inc.', 'Ticket sync', m.account_id, now(), '192.0.2.7'
    FROM membership m RETURNING id
"""


def drawn(browser):
    """The chart that answers is there, and the still one is gone."""
    browser.wait(lambda: browser.find_all("[data-plot] canvas"), "the chart")
    assert not browser.find("[data-plot-still]").is_displayed()


def chart_by_keys(browser):
    """Each bar says its numbers, which are those of the table."""
    drawn(browser)
    chart = browser.find("[role=slider]")
    table = [[cell.text for cell in row.find_elements("css selector", "th, td")]
             for row in browser.find_all("#calls-table tbody tr")]
    assert chart.get_attribute("aria-valuemax") == str(len(table) - 1)
    here = len(table) - 1
    for key, step in ((Keys.HOME, -len(table)), (Keys.ARROW_RIGHT, 1),
                      (Keys.ARROW_RIGHT, 1), (Keys.ARROW_LEFT, -1),
                      (Keys.END, len(table)), (Keys.ARROW_RIGHT, 1),
                      (Keys.ARROW_LEFT, -1)):
        here = min(max(here + step, 0), len(table) - 1)
        chart.send_keys(key)
        time, allowed, refused = table[here]
        said = f"{time}: {allowed} allowed, {refused} refused"
        assert chart.get_attribute("aria-valuetext") == said
        assert chart.get_attribute("aria-valuenow") == str(here)
        assert browser.find("[data-plot] > p").text == said


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
        drawn(browser)
        look(browser, f"usage-{span}", "Usage")
    assert "Too many at once" in browser.words
    chart_by_keys(browser)
    # Without scripts there is the picture of the server's.
    browser.javascript(False)
    browser.go("/usage?span=12m")
    assert not browser.find_all("canvas")
    assert browser.find("[data-plot-still]").is_displayed()
    assert not browser.find("[data-plot]").is_displayed()
    browser.javascript(True)
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
    drawn(browser)
    look(browser, "api-user-calls", "FORTAPI@ALTWORX")
    assert "Calls in 24 hours" in browser.words
    browser = person(keeper)
    browser.go("/staff/usage")
    look(browser, "usage-staff", "Usage")
    assert "Altaworx" in browser.words
    # Pages go on behind a row; an odd address is that of the first.
    page = keeper.get("/staff/usage?calls=1e9&top=x&unused=%3B").expect(200)
    assert "First page" not in page.words and "Altaworx" in page.words
    page = keeper.get(f"/staff/usage?calls=250000&top={'0' * 8}-0000-0000-0000"
                      f"-{'0' * 12}").expect(200)
    assert "No more of them" in page.words and "First page" in page.words
    server.sql("UPDATE usage_count SET month_calls = 0")
    page = keeper.get("/staff/usage").expect(200)
    assert "Nobody has called yet this month" in page.words
    # The 51st is on the next page.
    server.sql(MANY)
    page = keeper.get("/staff/usage").expect(200)
    assert page.text.count("/staff/tenants/MANY") == 50
    path = re.search(r'href="(/staff/usage\?calls=[^"]+)" rel="next"',
                     page.text)[1].replace("&amp;", "&")
    page = keeper.get(path).expect(200)
    assert page.text.count("/staff/tenants/MANY") == 1
