"""The pages of issued keys, in all looks: see test_pages.py."""

from e2e.test_pages import NAMES, look
from lib import flows

SCOPES = ("conversation:read", "conversation:write", "x" * 64)


def test_partner_keys(make_server, browser):
    """Made, shown once, refused, regenerated, revoked; and for who makes
    none."""
    server = make_server()
    owner = flows.scoped_client(server, "partner-key", SCOPES)
    member = flows.colleague(server, owner)
    place = f"/subscriptions/{owner.subscription}"
    browser.open(server).take_session(owner)
    browser.go("/keys")
    look(browser, "keys-all", "Keys", 200)
    browser.go(place)
    look(browser, "keys-issued-empty", "Developer", 200)
    for word in range(3):
        browser.find(f"#scope-{word}").click()
    browser.press_submit("/issued")
    look(browser, "keys-issued-error", "Error: Developer", 422)
    browser.type("name", "N" * 60).press_submit("/issued")
    look(browser, "keys-issued-shown", None, 200)
    browser.driver.refresh()
    look(browser, "keys-issued-again")
    flows.issued_key(owner, owner.subscription, NAMES[1][0],
                     ["conversation:read"])
    page = owner.get(place)
    path = page.text.split('href="/issued-keys/')[1].split('"')[0]
    browser.go(f"/issued-keys/{path}")
    look(browser, "keys-issued-one", None, 200)
    browser.find("#overlap-86400").click()
    browser.press("Regenerate key")
    look(browser, "keys-issued-regenerated", None, 200)
    browser.go(f"/issued-keys/{path}")
    look(browser, "keys-issued-old", None, 200)
    browser.type("name", "").press("Save")
    look(browser, "keys-issued-change-error", "Error: ", 422)
    browser.go(place)
    browser.press("Revoke")
    look(browser, "keys-issued-revoked", "Developer", 200)
    assert "REVOKED" in browser.words
    browser.forget().take_session(member)
    browser.go(place)
    look(browser, "keys-issued-member", "Developer", 200)


def test_user_and_exchange_keys(make_server, browser):
    """With a last day, paused, and what carries its maker's permissions."""
    server = make_server()
    owner = flows.scoped_client(server, "user-key", (
        ("read:customer", "GET", "/customers"),
        ("write:customer", "POST", "/customers")))
    flows.issued_key(owner, owner.subscription, "Nightly", ["read:customer"],
                     expires="2030-12-31")
    browser.open(server).take_session(owner)
    browser.go(f"/subscriptions/{owner.subscription}")
    browser.press("Deactivate")
    look(browser, "keys-user", "API Keys", 200)
    assert "Deactivated" in browser.words
    other = flows.scoped_client(server, "exchange", ())
    flows.issued_key(other, other.subscription, "Machine")
    browser.forget().take_session(other)
    browser.go(f"/subscriptions/{other.subscription}")
    look(browser, "keys-exchange", "API Management", 200)
