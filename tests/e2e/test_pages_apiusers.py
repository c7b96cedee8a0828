"""The pages of API users in every state: see test_pages.py."""

import sys

import pytest
from e2e.test_pages import ARABIC, LONG, look, person  # noqa: F401
from lib import flows
from lib.base import ROOT

sys.path.insert(0, str(ROOT / "tests/apiusers"))
from world import Client  # noqa: E402


@pytest.fixture(scope="module")
def admin(server):
    return flows.staff(server, role="admin", name="Ida Admin")


@pytest.fixture(scope="module")
def client(server, admin):
    return Client(server, admin)


def many(server, client):
    """One in each state, and one that fills every column."""
    fort = client.made(
        "FORTAPI", vendor="FORT", contact_name="Ines Vega",
        contact_email="ines@fort.example", note="Ask Ines first.",
        integration="Ticket sync")
    idle = client.made("ODINSYNC", vendor=ARABIC, integration="Backups")
    wide = client.made("W" * 32, vendor=LONG, integration="x" * 80,
                       contact_email="i" * 60 + "@fort.example",
                       note="y" * 1000)
    off = client.made("OFF", role=client.role("read-only"))
    client.act(off, "disable").expect(303)
    server.sql("UPDATE api_user SET last_used_at = now(), last_used_address "
               "= '2001:db8:1234:5678:9abc:def0:1234:5678' WHERE id = %s",
               (fort,))
    server.sql("UPDATE api_user SET created_at = now() - interval '100 days'"
               ", last_used_at = now() - interval '74 days' WHERE id = %s",
               (idle,))
    server.sql("UPDATE api_user_password SET created_at = now() - interval "
               "'104 days' WHERE api_user_id IN (%s, %s)", (idle, wide))
    return fort, wide, off


def test_api_users(server, client, person):  # noqa: F811
    browser = person(client.owner)
    browser.go("/api-users")
    look(browser, "api-users-none", "API users")
    browser.press("Make the user and its password")
    look(browser, "api-users-refused", "Error: API users")
    fort, wide, off = many(server, client)
    browser.go("/api-users")
    look(browser, "api-users", "API users")
    browser.go(f"/api-users/{fort}")
    look(browser, "api-user", "FORTAPI")
    browser.go(f"/api-users/{fort}?m=DELETE&path=/billing/api/v1/contacts/7")
    look(browser, "api-user-yes", "FORTAPI")
    browser.go(f"/api-users/{fort}?m=POST&path=/billing/..;/invoices")
    look(browser, "api-user-no", "FORTAPI")
    browser.go(f"/api-users/{fort}")
    browser.press("Make a new password")
    look(browser, "api-user-password", "Password of FORTAPI")
    browser.go(f"/api-users/{fort}")
    browser.press("Make the link")
    look(browser, "api-user-link", "Link for FORTAPI")
    link = browser.find_all("#link")[0].text
    browser.go(f"/api-users/{wide}")
    look(browser, "api-user-wide", "WWWW")
    browser.go(f"/api-users/{wide}/details")
    look(browser, "api-user-details", "Details of WWWW")
    browser.find_all("#vendor")[0].clear()
    browser.press("Save the details")
    look(browser, "api-user-details-refused", "Error: Details of")
    browser.go("/api-users?q=fort")
    look(browser, "api-users-found", "API users")
    browser.go("/api-users?q=nobody")
    look(browser, "api-users-none-found", "API users")
    browser.go(f"/api-users/{off}")
    look(browser, "api-user-disabled", "OFF")
    browser = person(None)
    browser.go(link[link.index("/hand-over/"):])
    look(browser, "hand-over", "Your access")
    browser.press("Make the password")
    look(browser, "handed-over", "Your API user")
    browser.go(link[link.index("/hand-over/"):])
    look(browser, "hand-over-gone", "This link works no more", 410)


def test_roles(server, client, person):  # noqa: F811
    browser = person(client.owner)
    browser.go("/api-roles")
    look(browser, "api-roles", "Roles")
    browser.go(f"/api-roles/{client.role('billing')}")
    look(browser, "api-role", "Role Billing")
    browser.find_all("#name")[0].clear()
    browser.press("Save the role")
    look(browser, "api-role-refused", "Error: Role")


def test_staff(server, admin, client, person):  # noqa: F811
    user = client.made("STAFFED", contact_email="ines@fort.example")
    browser = person(admin)
    browser.go(f"/staff/tenants/{client.code}/api-users")
    look(browser, "staff-api-users", "API users of")
    browser.go(f"/staff/api-users/{user}")
    look(browser, "staff-api-user", "STAFFED")
    browser.press("Disable this user")
    look(browser, "staff-api-user-refused", "Error: STAFFED")
    browser.go(f"/staff/tenants/{client.code}/api-roles")
    look(browser, "staff-api-roles", "Roles of")
    browser.go(f"/staff/tenants/{client.code}/api-roles/"
               f"{client.role('billing')}")
    look(browser, "staff-api-role", "Role Billing")
