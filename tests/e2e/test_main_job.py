"""The main job in a real browser, from the home page to both keys, as a
contact and as staff see it.  Every page on the way is photographed in all
looks (var/shots) and must be without a finding of axe-core, without anything
that its CSP refused, and without a sideways scroll."""

import re

import pytest
from lib import flows
from lib.flows import PASSWORD

EMAIL = "ada@altaworx.example"


def test_from_home_to_both_keys(server, browser):
    ask(server, browser)
    confirm(server, browser)
    subscribe(browser)
    contact = cookies_of(browser)
    keeper = flows.staff(server)
    approve(server, browser, keeper)
    shows_both_keys(server, browser, contact)


def ask(server, browser):
    """Home, the catalogue, sign-up; the mail is awaited."""
    browser.open(server)
    browser.inspect("home")
    browser.go("/how-it-works").inspect("how-it-works")
    browser.go("/products").inspect("products")
    browser.press("Rev.io API")
    assert browser.path == "/products/revio-api"
    browser.inspect("product")
    browser.go("/signup").inspect("signup")
    browser.type("email", "ada@").type("name", "Ada Byron")
    browser.press_submit("/signup")
    assert browser.title.startswith("Error:")
    assert browser.find("[name=name]").get_property("value") == "Ada Byron"
    browser.inspect("signup-error")
    browser.type("email", EMAIL).type("client", "Altaworx")
    browser.press_submit("/signup")
    assert EMAIL in browser.words
    browser.inspect("signup-sent")


def confirm(server, browser):
    """The link in the mail, a password, and then one is signed in."""
    browser.go(flows.verify_link(server, EMAIL))
    assert browser.find("[name=client]").get_property("value") == "Altaworx"
    browser.inspect("verify")
    browser.type("password", "password1234")
    browser.press_submit("/verify/")
    assert browser.title.startswith("Error:")
    browser.inspect("verify-error")
    browser.type("password", PASSWORD)
    browser.press_submit("/verify/")
    assert "Ada Byron" in browser.driver.page_source
    browser.go("/profile").inspect("profile-empty")
    browser.go("/account").inspect("account")


def subscribe(browser):
    """A bad name is explained, a good one is accepted."""
    path = "/products/revio-api/subscribe"
    browser.go(path)
    assert browser.find("[name=name]").get_property("value") == "Altaworx-KEY"
    browser.inspect("subscribe")
    browser.type("name", "Altaworx")
    browser.press_submit(path)
    assert browser.title.startswith("Error:")
    assert "Altaworx-KEY" in browser.words
    browser.inspect("subscribe-error")
    browser.type("name", "Altaworx-KEY")
    browser.press_submit(path)
    browser.go("/profile")
    assert "Submitted" in browser.words and "47" in browser.words
    browser.inspect("profile-submitted")


def approve(server, browser, keeper):
    browser.forget().open(server, "/livez").take_session(keeper)
    browser.go("/staff/queue").inspect("queue")
    browser.go(flows.requests_in_queue(keeper)[0]).inspect("request")
    browser.type("code", "ALTWORX")
    browser.press_submit("/approve")
    assert flows.requests_in_queue(keeper) == []
    server.mail.wait(EMAIL, "approved")
    browser.go("/staff/queue").inspect("queue-empty")
    browser.go("/staff/tenants").inspect("tenants")
    browser.go("/staff/tenants/ALTWORX").inspect("tenant")


def shows_both_keys(server, browser, contact):
    browser.forget()
    give(browser, contact)
    keys = set()
    for slot in ("primary", "secondary"):
        browser.go("/profile")
        assert not re.search(r"[0-9a-f]{32}", browser.driver.page_source)
        if slot == "primary":
            browser.inspect("profile-active")
        browser.press_submit(f"/keys/{slot}/show")
        key = re.sub(r"\s", "", browser.find("#key").text)
        assert re.fullmatch(r"[0-9a-f]{32}", key)
        keys.add(key)
        if slot == "primary":
            browser.inspect("key-shown")
    assert len(keys) == 2
    browser.go("/profile")
    assert not any(key in browser.driver.page_source for key in keys)


def cookies_of(browser):
    return {c["name"]: c["value"] for c in browser.driver.get_cookies()}


def give(browser, cookies):
    for name, value in cookies.items():
        browser.driver.add_cookie({"name": name, "value": value, "path": "/",
                                   "httpOnly": True})


@pytest.mark.parametrize("path,name", [
    ("/signin", "signin"), ("/terms", "terms"),
    ("/nothing/like/it", "404")])
def test_other_pages_of_everybody(server, browser, path, name):
    browser.open(server, path).inspect(name)


def test_works_without_javascript(server, browser):
    email = flows.address()
    browser.javascript(False)
    try:
        browser.open(server, "/signup")
        browser.type("email", email).type("name", "Noah Script")
        browser.type("client", "Plain & Sons")
        browser.press_submit("/signup")
        assert email in browser.words
        browser.go(flows.verify_link(server, email))
        browser.type("password", PASSWORD)
        browser.press_submit("/verify/")
        browser.go("/products/revio-api/subscribe")
        browser.press_submit("/subscribe")
        browser.go("/profile")
        assert "Plain & Sons-KEY" in browser.words
    finally:
        browser.javascript(True)
