"""The main job as people do it, in a browser: a contact signs up and asks for
the key of his company, staff approve, the contact sees both keys; a second
contact is let in; and the ways that end otherwise.  With script, without it,
and with the keyboard alone."""

import re
import threading

from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from lib import flows

KEY = re.compile(r"[0-9a-f]{32}")
# 60 s of a page's script in half a second.
FASTER = """const slow = window.setTimeout;
window.setTimeout = (f, ms, ...more) => slow(f, ms / 120, ...more);"""


def sign_up(browser, server, email, name, client):
    """From the form to the profile, through the link in the mail."""
    browser.open(server, "/signup")
    browser.type("email", email).type("name", name).type("client", client)
    press_main(browser)
    browser.go(flows.verify_link(server, email))
    browser.type("password", flows.PASSWORD)
    press_main(browser)
    assert not browser.path.startswith("/verify"), browser.words


def press_main(browser):
    """The one blue button of the page."""
    page = browser.find("html")
    browser.find("main .btn-main").click()
    browser._left(page)


def sign_in(browser, server, email, password=flows.PASSWORD):
    browser.open(server, "/signin")
    browser.type("email", email).type("password", password)
    press_main(browser)
    assert "/signin" not in browser.path, browser.words


def sign_out(browser):
    browser.find(".menu summary").click()
    browser.press("Sign out")
    assert browser.path == "/"


def ask(browser, name=None):
    browser.go("/products")
    browser.press("Rev.io API")
    browser.press("Subscribe")
    if name is not None:
        browser.type("name", name)
    browser.press("Send request")


def shown_key(browser):
    """The value on the page that shows one: what a selection would copy."""
    text = browser.find("#key").get_property("textContent")
    assert KEY.fullmatch(text), text
    return text


def show(browser, slot):
    browser.go("/profile")
    browser.press(f"Show {slot} key")
    return shown_key(browser)


def new_staff(server, name="Tomas Okafor"):
    """Made by latchkeyctl with a password; the address."""
    email = flows.address("staff.example")
    server.ctl("staff", "add", email, "--name", name, "--role", "staff",
               stdin=flows.PASSWORD + "\n")
    return email


def open_request(browser, name):
    browser.go("/staff/queue")
    browser.press(name)
    assert browser.path.startswith("/staff/requests/")
    return browser.path


# ---- the main job ---------------------------------------------------------

def test_main_job(browser, server):
    email = "maya.dorsey@altaworx.example"
    keeper = new_staff(server)

    # 1. what it is, and signing up
    browser.open(server, "/")
    browser.press("How it works")
    chart = browser.find(".flow-wide")
    assert chart.is_displayed() and chart.get_dom_attribute("aria-label")
    assert "One key for each company" in browser.words
    browser.press("Products")
    assert "Rev.io API" in browser.words
    browser.press("Rev.io API")
    assert "Ocp-Apim-Subscription-Key" in browser.words
    browser.press("Sign up to ask for it")
    browser.type("email", email).type("name", "Maya Dorsey")
    browser.type("client", "Altaworks")
    press_main(browser)
    assert browser.title.startswith("Look into your mail")
    assert email in browser.words
    assert server.sql("SELECT count(*) FROM account WHERE kind = 'contact'"
                      ) == [(0,)]

    # 2. the mail, its link, once and only the newest
    first = flows.verify_link(server, email)
    browser.press("Send again")
    assert "A new mail is on its way" in browser.words
    link = flows.verify_link(server, email, count=2)
    assert link != first
    browser.go(first)
    assert browser.title.startswith("This link works no more")
    browser.go(link)
    assert browser.find("#name").get_property("value") == "Maya Dorsey"
    browser.type("client", "Altaworx")
    browser.type("password", "altaworx2026")
    press_main(browser)
    assert browser.title.startswith("Error: ")
    assert browser.find("#client").get_property("value") == "Altaworx"
    assert browser.find("#password").get_property("value") == ""
    browser.type("password", flows.PASSWORD)
    press_main(browser)
    assert "Maya Dorsey" in browser.words
    browser.go(link)
    assert browser.title.startswith("This link works no more")

    # 3. asking, with a proposed name that can be spoiled and corrected
    browser.go("/products/revio-api")
    browser.press("Subscribe")
    assert browser.find("#name").get_property("value") == "Altaworx-KEY"
    browser.type("name", "Altaworx key")
    browser.press("Send request")
    assert browser.title.startswith("Error: ")
    assert "Altaworx-KEY" in browser.find(".errors").text
    assert browser.find("#name").get_property("value") == "Altaworx key"
    browser.type("name", "Altaworx-KEY")
    browser.press("Send request")

    # 4. the profile tells where it stands
    assert browser.path == "/profile"
    for words in ("Altaworx-KEY", "Submitted", "left for our answer",
                  "A person checks it", "within 48 hours"):
        assert words in browser.words, words
    assert browser.find(".ring text").text == "48 h"
    sign_out(browser)
    browser.go("/profile")
    assert browser.path == "/signin?next=%2Fprofile"

    # 5. staff are told, look, approve
    told = server.mail.wait(keeper, "New request: Altaworx-KEY")
    assert "Maya Dorsey asks for a key" in told.text
    browser.type("email", keeper).type("password", flows.PASSWORD)
    press_main(browser)
    open_request(browser, "Altaworx-KEY")
    for words in ("Maya Dorsey", email, "Submitted", "1 to look at",
                  "The name has the right form", "The client is not known",
                  "No key exists yet", "A new client"):
        assert words in browser.words, words
    browser.type("code", "ALTWORX")
    browser.press("Approve and issue the key")
    assert browser.path == "/staff/queue", browser.words
    browser.press("Tenants")
    browser.press("Altaworx")
    assert browser.path == "/staff/tenants/ALTWORX"
    assert "Maya Dorsey" in browser.words and "Owner" in browser.words
    sign_out(browser)

    # 6. the contact is told and looks at both
    mail = server.mail.wait(email, "Altaworx-KEY is approved")
    assert not KEY.search(mail.text) and not KEY.search(mail.html)
    sign_in(browser, server, email)
    browser.go("/profile")
    assert "Active" in browser.words and "ALTWORX" in browser.words
    assert not KEY.search(browser.driver.page_source)
    # README.md shows a copy of it: tests/e2e/readme.png
    browser.look(960, "light")
    browser.shot("readme")
    browser.look(1280, "light")
    primary = show(browser, "primary")
    secondary = show(browser, "secondary")
    assert primary != secondary
    assert primary[-4:] in browser.go("/profile").words
    audit = server.sql("SELECT count(*) FROM audit"
                       " WHERE action = 'key.shown'")
    assert audit == [(2,)]


def test_key_is_copied_and_hidden_again(browser, server):
    owner, _ = flows.client_with_key(server, "COPY", "Copy Works")
    browser.open(server).take_session(owner)
    value = show(browser, "primary")
    browser.press("Copy key")
    browser.wait(lambda: "Copied" in browser.words)
    browser.cdp("Browser.grantPermissions", permissions=[
        "clipboardReadWrite", "clipboardSanitizedWrite"])
    assert browser.driver.execute_async_script(
        "const done = arguments[0];"
        "navigator.clipboard.readText().then(done, e => done(String(e)))"
    ) == value

    # sent again by loading the page anew: its nonce is used
    browser.driver.refresh()
    assert browser.title.startswith("Shown already"), browser.words
    assert value not in browser.driver.page_source
    browser.press("Back to your profile")

    # after its time it is gone from the page, not just covered
    script = browser.cdp("Page.addScriptToEvaluateOnNewDocument",
                         source=FASTER)["identifier"]
    try:
        browser.press("Show secondary key")
        hidden = browser.find("[data-hide-show]")
        browser.wait(hidden.is_displayed, "hidden after its time")
        assert "The key is hidden" in browser.words
        assert not KEY.search(browser.driver.page_source)
        assert not browser.find_all("#key")
    finally:
        browser.cdp("Page.removeScriptToEvaluateOnNewDocument",
                    identifier=script)

    # who needs longer says so, and it stays
    browser.go("/profile")
    browser.press("Show primary key")
    browser.press("Keep it visible")
    assert shown_key(browser) == value
    assert "stays visible" in browser.words
    # and it doesn't come back by going back
    browser.press("Hide now")
    browser.driver.back()
    assert value not in browser.driver.page_source

    # where script is off, the answer itself leads away
    page = owner.get("/profile").expect(200)
    answer = owner.submit(page, action="/keys/primary/show$").expect(200)
    assert answer.headers["Refresh"] == "60; url=/profile"
    assert "no-store" in answer.headers["Cache-Control"]


def test_second_contact_shares_the_key(browser, server):
    owner, keeper = flows.client_with_key(server, "SHARED", "Shared Ltd")
    email = flows.address("shared.example")
    sign_up(browser, server, email, "Omar Reyes", "SHARED")
    # the proposed name is of what he typed; he knows the company otherwise
    ask(browser, "Shared Ltd.-KEY")
    assert "Submitted" in browser.words, browser.words
    contact = browser.driver.get_cookies()

    browser.forget().take_session(keeper)
    open_request(browser, "Shared Ltd.-KEY")
    assert "Share the existing key" in browser.words
    assert "Approve and issue the key" not in browser.words
    browser.press("Share the existing key")
    assert browser.title.startswith("Error: "), browser.words
    assert "mail domain" in browser.find(".errors").text
    browser.type("reason", "Omar is known to us by telephone.")
    browser.press("Share the existing key")
    assert not browser.title.startswith("Error: "), browser.words

    # the owner knows at once, without having been asked
    told = server.mail.wait(owner.email, "Omar Reyes can see the key")
    assert email in told.text
    assert not KEY.search(told.text)

    browser.forget()
    for cookie in contact:
        browser.driver.add_cookie(cookie)
    browser.go("/profile")
    assert "Member" in browser.words
    seen = [show(browser, slot) for slot in ("primary", "secondary")]
    browser.forget().take_session(owner)
    assert [show(browser, slot) for slot in ("primary", "secondary")] == seen
    assert server.sql("SELECT count(*) FROM subscription s JOIN tenant t"
                      " ON t.id = s.tenant_id WHERE t.code = 'SHARED'"
                      ) == [(1,)]


def test_rejected_with_a_reason(browser, server):
    contact = flows.contact(server, client="Nobody Inc")
    keeper = flows.staff(server)
    flows.request_key(contact, "Nobody Inc-KEY")
    browser.open(server).take_session(keeper)
    path = open_request(browser, "Nobody Inc-KEY")
    browser.find(".btn-risk.btn-wide").click()
    browser.press("Reject request")
    assert browser.title.startswith("Error: ")
    assert "Say why" in browser.find(".errors").text
    browser.find("#reject_reason").send_keys(
        "We know no company of this name; ask your account manager.")
    browser.press("Reject request")
    assert "Rejected" in browser.go(path).words
    assert "Nothing to decide any more" in browser.words

    mail = server.mail.wait(contact.email, "Nobody Inc-KEY was not approved")
    assert "ask your account manager" in mail.text
    browser.forget().take_session(contact)
    browser.go("/profile")
    assert "ask your account manager" in browser.words
    assert "Sam Keeper rejected it" in browser.words
    browser.press("Send a new request")
    assert browser.path == "/products/revio-api/subscribe"


def test_withdrawn(browser, server):
    contact = flows.contact(server, client="Withdrawn Plc")
    flows.request_key(contact, "Withdrawn Plc-KEY")
    browser.open(server).take_session(contact)
    browser.go("/profile")
    browser.press("Withdraw request")
    browser.press("Yes, withdraw it")
    assert browser.path == "/profile"
    assert "It was withdrawn" in browser.words
    keeper = flows.staff(server)
    assert "Withdrawn Plc" not in keeper.get("/staff/queue").expect(200).words
    browser.press("Send a new request")
    browser.press("Send request")
    assert "Submitted" in browser.words


def test_the_slower_of_two_staff_reads_who_was_faster(browser, server):
    contact = flows.contact(server, client="Race Ltd")
    first, second = flows.staff(server, name="Tomas Okafor"), \
        flows.staff(server, name="Ines Blum")
    flows.request_key(contact, "Race Ltd-KEY")
    browser.open(server).take_session(second)
    path = open_request(browser, "Race Ltd-KEY")
    flows.approve(first, path, code="RACE", client="Race Ltd").expect(303)
    browser.type("code", "RACE")
    browser.press("Approve and issue the key")
    assert "Somebody was faster" in browser.title
    assert "Tomas Okafor approved Race Ltd-KEY" in browser.words
    assert "before you" in browser.words
    browser.press("Look at the request")
    assert "Nothing to decide any more" in browser.words


def test_two_staff_at_the_same_moment(browser, server):
    """Both have the page open and press; one key, and one page that says who
    was faster, whoever that was."""
    contact = flows.contact(server, client="Moment Ltd")
    people = {"Tomas Okafor": None, "Ines Blum": None}
    for name in people:
        people[name] = flows.staff(server, name=name)
    flows.request_key(contact, "Moment Ltd-KEY")
    path = flows.requests_in_queue(people["Ines Blum"])[-1]
    pages = {n: b.get(path).expect(200) for n, b in people.items()}
    answers, gate = {}, threading.Barrier(2)

    def press(name):
        gate.wait()
        answers[name] = people[name].submit(
            pages[name], {"code": "MOMENT", "client": "Moment Ltd"},
            "/approve$")
    threads = [threading.Thread(target=press, args=(n,)) for n in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(a.status for a in answers.values()) == [303, 409], answers
    loser = next(n for n, a in answers.items() if a.status == 409)
    winner = next(n for n in people if n != loser)
    assert f"{winner} approved Moment Ltd-KEY" in answers[loser].words
    assert server.sql("SELECT count(*) FROM subscription WHERE name ="
                      " 'Moment Ltd-KEY'") == [(1,)]
    # and in a browser the page can be come back from
    browser.open(server).take_session(people[loser]).go(path)
    assert f"{winner} approved the request" in browser.words


# ---- without script -------------------------------------------------------

def test_without_script(browser, server):
    email, keeper = flows.address("plain.example"), new_staff(server)
    browser.javascript(False)
    try:
        browser.open(server, "/signup")
        browser.type("email", email).type("name", "Pia Lind")
        browser.type("client", "Plain")
        press_main(browser)
        browser.go(flows.verify_link(server, email))
        assert not [b for b in browser.find_all("[data-reveal]")
                    if b.is_displayed()]
        browser.type("password", flows.PASSWORD)
        press_main(browser)
        ask(browser)
        assert "Submitted" in browser.words
        sign_out(browser)
        sign_in(browser, server, keeper)
        open_request(browser, "Plain-KEY")
        browser.type("code", "PLAIN")
        browser.press("Approve and issue the key")
        sign_out(browser)
        sign_in(browser, server, email)
        values = {show(browser, s) for s in ("primary", "secondary")}
        assert len(values) == 2
        assert not browser.find("[data-copy]").is_displayed()
        browser.press("Keep it visible")
        assert shown_key(browser) in values
    finally:
        browser.javascript(True)


# ---- with the keyboard alone ----------------------------------------------

def tab_to(browser, css=None, label=None):
    """Presses Tab until the control has the focus, as people do."""
    for _ in range(60):
        ActionChains(browser.driver).send_keys(Keys.TAB).perform()
        here = browser.driver.switch_to.active_element
        if css and browser.driver.execute_script(
                "return arguments[0].matches(arguments[1])", here, css):
            break
        if label and here.accessible_name.strip().startswith(label):
            break
    else:
        raise AssertionError(f"Tab never comes to {css or label} on "
                             f"{browser.path}")
    outline = here.value_of_css_property("outline-style")
    shadow = here.value_of_css_property("box-shadow")
    assert outline != "none" or shadow != "none", (
        f"{css or label} on {browser.path} shows no focus")
    return here


def keys(browser, *what):
    ActionChains(browser.driver).send_keys(*what).perform()


def select_all(browser):
    ActionChains(browser.driver).key_down(Keys.CONTROL).send_keys("a").key_up(
        Keys.CONTROL).perform()


def enter(browser, key=Keys.ENTER):
    page = browser.find("html")
    keys(browser, key)
    browser._left(page)


def key_sign_in(browser, email):
    tab_to(browser, "#email")
    keys(browser, email)
    tab_to(browser, "#password")
    keys(browser, flows.PASSWORD)
    enter(browser)


def test_with_the_keyboard_alone(browser, server):
    contact = flows.contact(server, client="Keyed")
    keeper = new_staff(server)

    browser.open(server, "/products/revio-api")
    # the first stop leads past the header
    tab_to(browser, ".skip")
    keys(browser, Keys.ENTER)
    browser.wait(lambda: browser.driver.execute_script(
        "return document.activeElement.id") == "main")
    tab_to(browser, label="Sign in")
    enter(browser)
    key_sign_in(browser, contact.email)
    assert browser.path == "/products/revio-api"
    tab_to(browser, label="Subscribe")
    enter(browser)
    tab_to(browser, "#name")
    keys(browser, "x")           # typed over what is selected by Tab
    tab_to(browser, label="Send request")
    enter(browser, Keys.SPACE)
    # the focus is on what is wrong, and leads to the field
    assert browser.driver.switch_to.active_element.get_dom_attribute(
        "class") == "errors"
    tab_to(browser, ".errors a")
    keys(browser, Keys.ENTER)
    browser.wait(lambda: browser.driver.execute_script(
        "return document.activeElement.id") == "name")
    select_all(browser)
    keys(browser, "Keyed-KEY")
    enter(browser)
    assert browser.path == "/profile"
    # signing out, in the menu
    tab_to(browser, ".menu summary")
    keys(browser, Keys.SPACE)
    tab_to(browser, label="Sign out")
    enter(browser)

    tab_to(browser, label="Sign in")
    enter(browser)
    key_sign_in(browser, keeper)
    assert browser.path == "/staff/queue"
    tab_to(browser, label="Keyed-KEY")
    enter(browser)
    tab_to(browser, "#code")
    select_all(browser)
    keys(browser, "KEYED")
    tab_to(browser, label="Approve and issue")
    enter(browser, Keys.SPACE)
    assert not browser.title.startswith("Error: "), browser.words

    browser.forget().take_session(contact)
    browser.go("/profile")
    tab_to(browser, label="Show primary key")
    enter(browser, Keys.SPACE)
    value = shown_key(browser)
    tab_to(browser, label="Copy key")
    keys(browser, Keys.SPACE)
    browser.wait(lambda: "Copied" in browser.words)
    tab_to(browser, label="Hide now")
    enter(browser)
    assert browser.path == "/profile"
    assert value not in browser.driver.page_source
