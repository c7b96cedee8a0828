"""The pages of the desk beside the queue, looked at as test_pages.py does it:
threads, consent, reasons."""

from lib import flows
from e2e.test_pages import look


def test_desk(make_server, browser):
    """Asking back, consent, reasons: both sides of each."""
    server = make_server()
    keeper = flows.staff(server, name="Tomas Okafor")
    owner = flows.asker(server, "Altaworx")
    flows.approve(keeper, owner.path, code="ALTWORX", client="Altaworx"
                  ).expect(303)
    asker = flows.asker(server, "Altavorx", domain="gmail.com")

    browser.open(server).take_session(keeper)
    browser.go(asker.path)
    look(browser, "request-similar", "Altavorx-KEY", 200)
    for details in browser.find_all("details.disclose summary"):
        details.click()
    look(browser, "request-forms", "Altavorx-KEY")
    browser.press("Send the question")
    look(browser, "request-question-error", "Error: ", 422)
    browser.type("question", "Is this Altaworx in the US,\nor Altaworx UK?")
    browser.press("Send the question")
    look(browser, "request-waits", "Altavorx-KEY", 200)
    browser.find("form[action$='/consent']")
    keeper.submit(keeper.get(asker.path), {"tenant": "ALTWORX"}, "/consent$"
                  ).expect(303)
    browser.go(asker.path)
    look(browser, "request-owners-asked", "Altavorx-KEY", 200)

    browser.take_session(asker)
    browser.go("/profile")
    look(browser, "profile-question", "Profile", 200)
    browser.go(asker.own)
    look(browser, "mine-question", "Request Altavorx-KEY", 200)
    browser.press("Send the answer")
    look(browser, "mine-error", "Error: ", 422)
    browser.type("text", "In the US.")
    browser.press("Send the answer")
    look(browser, "mine-answered", "Request Altavorx-KEY", 200)

    browser.take_session(owner)
    consent = "/consents/" + server.sql("SELECT id::text FROM "
                                        "request_consent")[0][0]
    browser.go(consent)
    look(browser, "consent", "May Ada Byron", 200)
    browser.press("Send the answer")
    look(browser, "consent-error", "Error: ", 422)
    browser.find("#a-yes").click()
    browser.press("Send the answer")
    look(browser, "consent-given", "May Ada Byron", 200)

    browser.take_session(keeper)
    browser.go(asker.path)
    look(browser, "request-consent", "Altavorx-KEY", 200)
    flows.reject(keeper, asker.path, "Ask your colleague.").expect(303)
    browser.go("/staff/times")
    look(browser, "times", "Time to decision", 200)
    browser.go("/staff/reasons")
    look(browser, "reasons", "Reasons", 200)
    browser.press("Add it")
    look(browser, "reasons-error", "Error: ", 422)
    browser.take_session(asker)
    browser.go(asker.own)
    look(browser, "mine-rejected", "Request Altavorx-KEY", 200)
