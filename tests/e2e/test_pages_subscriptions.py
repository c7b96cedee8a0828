"""Subscriptions and the rotation of their keys, as test_pages.py looks at all
pages."""

from e2e.test_pages import ARABIC, LONG, look
from lib import flows


def test_subscriptions(make_server, browser):
    server = make_server()
    keeper = flows.staff(server, name="Tomas Okafor")
    browser.open(server).take_session(keeper)
    browser.go("/staff/subscriptions")
    look(browser, "subscriptions-empty", "Subscriptions", 200)
    owner, _ = flows.client_with_key(server, "ALTWORX", "Altaworx")
    flows.client_with_key(server, "LONG", LONG)
    flows.client_with_key(server, "ARABIC", ARABIC)
    server.sql("UPDATE subscription_key SET last_used_at = now() - interval "
               "'3 minutes', last_used_address = '2001:db8::17' "
               "WHERE slot = 'primary'")
    row = server.sql("SELECT id FROM subscription WHERE name = "
                     "'Altaworx-KEY'")[0][0]
    browser.go(f"/staff/subscriptions/{row}")
    look(browser, "subscription-active", "Altaworx-KEY", 200)
    browser.press("Set when it ends")
    browser.press_submit("/expiry")
    look(browser, "subscription-expiry-error", "Error: ", 422)
    csrf = keeper.get("/account").form("signout").fields["csrf"]
    for verb, fields in (
            ("expiry", {"day": "2028-02-29", "was": "0",
                        "reason": "The trial is for two years."}),
            ("suspend", {"reason": "The bills of May to September are "
                         "unpaid.\n\nWe wrote to you three times."})):
        keeper.post(f"/staff/subscriptions/{row}/{verb}",
                    {"csrf": csrf, **fields}).expect(303)
    browser.go(f"/staff/subscriptions/{row}")
    look(browser, "subscription-suspended", "Altaworx-KEY", 200)
    browser.go("/staff/subscriptions")
    look(browser, "subscriptions", "Subscriptions", 200)
    browser.forget().take_session(owner)
    browser.go("/profile")
    look(browser, "profile-suspended-why", "Profile", 200)
    browser.press("Cancel this subscription")
    look(browser, "subscription-give-up", "Cancel Altaworx-KEY", 200)
    browser.type("name", "Altaworx")
    browser.press_submit("/cancel")
    look(browser, "subscription-give-up-error", "Error: ", 422)
    browser.type("name", "Altaworx-KEY").type("reason", "We leave.")
    browser.press_submit("/cancel")
    browser.go("/profile")
    look(browser, "profile-cancelled-why", "Profile", 200)
    browser.go(f"/subscriptions/{row}/cancel")
    look(browser, "subscription-given-up", "Cancel Altaworx-KEY", 409)
    browser.forget().take_session(keeper)
    browser.go(f"/staff/subscriptions/{row}")
    look(browser, "subscription-cancelled", "Altaworx-KEY", 200)


def test_rotation(make_server, browser):
    server = make_server()
    owner, keeper = flows.client_with_key(server, "ALTWORX", "Altaworx")
    browser.open(server).take_session(owner)
    row = server.sql("SELECT id FROM subscription")[0][0]
    browser.go(f"/subscriptions/{row}")
    look(browser, "keys", "Keys of Altaworx-KEY", 200)
    browser.find("#primary details summary").click()
    look(browser, "keys-regenerate", "Keys of Altaworx-KEY", 200)
    browser.find("label[for=primary-u]").click()
    browser.press_submit("/keys/primary/regenerate")
    look(browser, "keys-regenerate-error", "Error: ", 422)
    browser.find("label[for=primary-24]").click()
    browser.press_submit("/keys/primary/regenerate")
    look(browser, "key-regenerated", "Primary key", 200)
    server.sql("UPDATE subscription_key SET last_used_at = now() - interval "
               "'12 minutes', last_used_address = '2001:db8:1234:5678::17' "
               "WHERE state = 'old' OR slot = 'secondary'")
    browser.go(f"/subscriptions/{row}")
    look(browser, "keys-old-value", "Keys of Altaworx-KEY", 200)
    stale = owner.get(f"/subscriptions/{row}")
    owner.submit(stale, action="/keys/end$").expect(303)
    browser.press_submit("/keys/end")
    look(browser, "keys-late", "Error: ", 409)
    browser.forget().take_session(keeper)
    browser.go(f"/staff/subscriptions/{row}")
    browser.press("Revoke a key")
    look(browser, "subscription-revoke", "Altaworx-KEY", 200)
    browser.press_submit("/revoke")
    look(browser, "subscription-revoke-error", "Error: ", 422)
    key = flows.show_key(owner)
    browser.go("/staff/keys")
    look(browser, "key-find", "A key was found in public", 200)
    browser.type("key", "nonsense").press_submit("/staff/keys")
    look(browser, "key-find-error", "Error: ", 422)
    browser.type("key", key[:8]).press_submit("/staff/keys")
    look(browser, "key-found", "A key was found in public", 200)
    browser.type("key", "0" * 8).press_submit("/staff/keys")
    look(browser, "key-none-of-ours", "A key was found in public", 200)
