"""Setting up one-time codes and signing in with them, in a real browser: every
page in all looks, and the QR code that the server drew."""

from lib import flows, totp


class Page:
    def __init__(self, browser):
        self.text = browser.driver.page_source


def test_from_set_up_to_sign_in(server, browser):
    email = flows.address("staff.example")
    server.ctl("staff", "add", email, "--name", "Sam Keeper", "--role",
               "staff", stdin=flows.PASSWORD + "\n")
    browser.open(server)
    browser.take_session(flows.sign_in(server, email))
    browser.go("/account/two-factor").inspect("two-factor-off")
    browser.press("Set it up")
    browser.inspect("two-factor-set-up")
    code = browser.find("svg.qr")
    assert code.size == {"width": 240, "height": 240}
    assert browser.find("svg.qr").accessible_name.startswith("QR code")
    browser.type("code", "12")
    browser.press_submit("/two-factor/set-up")
    assert browser.title.startswith("Error:")
    browser.inspect("two-factor-set-up-error")
    secret = totp.secret_on(Page(browser))
    browser.type("code", totp.code(secret, -1))
    browser.press_submit("/two-factor/set-up")
    codes = totp.recovery_codes_on(Page(browser))
    assert len(codes) == 10
    browser.inspect("two-factor-codes")
    browser.press("I have kept them")
    browser.inspect("two-factor-on")

    browser.forget()
    browser.go("/signin")
    browser.type("email", email).type("password", flows.PASSWORD)
    browser.press_submit("/signin")
    browser.inspect("second")
    browser.type("code", "000000")
    browser.press_submit("/signin/second")
    assert browser.title.startswith("Error:")
    browser.inspect("second-error")
    browser.type("code", totp.code(secret))
    browser.press_submit("/signin/second")
    assert browser.path == "/staff/queue"
