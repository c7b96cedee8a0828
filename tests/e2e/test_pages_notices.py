"""The pages of notices, in every state, as test_pages.py looks at all."""

from e2e.test_pages import LONG, look, person  # noqa: F401
from lib import flows


def test_notices(server, person):  # noqa: F811
    browser = person(flows.contact(server, client="Quiet"))
    browser.go("/notices")
    look(browser, "notices-none", "Notices", 200)
    owner, keeper = flows.client_with_key(server, "NOTICED", LONG)
    browser = person(owner)
    browser.go("/notices")
    assert browser.find(".bell-count").text
    look(browser, "notices", "Notices", 200)
    browser.go("/account/notices")
    look(browser, "notices-choices", "What comes by mail", 200)
    browser.press("Save")
    look(browser, "notices-choices-saved", "What comes by mail", 200)
    who = server.sql("SELECT account_id FROM person WHERE email = %s",
                     (owner.email,))[0][0]
    mail = server.mail.wait(owner.email, "is approved")
    link = mail.parsed["List-Unsubscribe"].strip("<>")
    assert str(who) in link
    browser.go(link[len(server.url):])
    look(browser, "notices-leave", "Stop this mail?", 200)
    browser.press("Stop it")
    look(browser, "notices-left", "No more of this mail", 200)
    browser = person(keeper)
    browser.go("/notices")
    look(browser, "notices-staff", "Notices", 200)
