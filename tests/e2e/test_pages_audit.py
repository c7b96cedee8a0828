"""The pages of the audit, in every state, as test_pages.py looks at all."""

from e2e.test_pages import LONG, look, person  # noqa: F401
from lib import flows


def test_audit(server, person):  # noqa: F811
    owner, keeper = flows.client_with_key(server, "AUDITED", LONG)
    flows.show_key(owner)
    browser = person(keeper)
    browser.go("/staff/audit")
    look(browser, "audit-staff", "Audit", 200)
    browser.go("/staff/audit?tenant=AUDITED&action=key.shown")
    assert "Looked at a key" in browser.words
    browser.go("/staff/audit?tenant=NOBODY")
    look(browser, "audit-nothing", "Audit", 200)
    browser.go("/staff/audit?actor=ada&from=2026-11-22&to=2026-11-20")
    look(browser, "audit-error", "Error: Audit", 422)
    browser = person(owner)
    browser.go("/people").press("who did what")
    look(browser, "audit-owner", "Audit", 200)
