"""The small scripts, each on a page of its own that is marked as the templates
mark theirs, under the portal's Content-Security-Policy."""

import http.server
import threading

import pytest
from lib import base

CSP = ("default-src 'none'; script-src 'self'; style-src 'self'; "
       "img-src 'self'; connect-src 'self'; form-action 'self'; "
       "base-uri 'none'; frame-ancestors 'none'")
PAGES = {
    "copy": """<div><output id="key"><span>3f9a1c77</span><span>e02b4d58</span
        ></output></div><div><button type="button" data-copy="key" hidden>Copy
        key</button><span role="status"></span></div>""",
    "password": """<form method="get" action="/password"><input id="password"
        type="password"><button type="button" data-reveal="password" hidden
        >Show</button><button id="send">Send</button></form>""",
    "name": """<form><input id="name" value="Altaworx-KEY"
        data-name-check="live"></form><p id="live" role="status"></p>""",
    "hide": """<div data-hide-after="1"><output id="key">3f9a1c77</output
        ></div><button type="button" data-hide-with>Copy</button>
        <p data-hide-show hidden>Hidden</p>""",
    "keep": """<div data-hide-after="0"><output id="key">3f9a1c77</output
        ></div><p data-hide-show hidden>Hidden</p>""",
}
SCRIPT = {"keep": "hide"}


class Pages:
    """Serves PAGES with the scripts of assets/ as they are."""

    def __init__(self):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                name = self.path.split("?")[0].strip("/")
                if name.endswith(".js"):
                    kind = "text/javascript"
                    text = (base.ROOT / "assets" / name).read_text()
                elif name in PAGES:
                    kind = "text/html; charset=utf-8"
                    text = ("<!doctype html><html lang=en><title>x</title>"
                            f"<script src='/{SCRIPT.get(name, name)}.js' "
                            f"defer></script>{PAGES[name]}")
                else:
                    return self.send_error(404)
                body = text.encode()
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Security-Policy", CSP)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def close(self):
        self.http.shutdown()
        self.http.server_close()


@pytest.fixture(scope="module")
def pages():
    one = Pages()
    yield one
    one.close()


@pytest.fixture
def on(browser, pages):
    """on("copy") opens that page; at the end nothing was refused."""
    def go(name):
        browser.open(pages, f"/{name}")
        return browser
    yield go
    assert browser.refused() == []


def test_copy_takes_the_key_without_the_gaps(on, pages):
    page = on("copy")
    page.cdp("Browser.grantPermissions", origin=pages.url,
             permissions=["clipboardReadWrite", "clipboardSanitizedWrite"])
    button = page.find("[data-copy]")
    assert button.is_displayed()
    button.click()
    page.wait(lambda: page.find("[role=status]").text == "Copied")
    assert page.driver.execute_async_script(
        "navigator.clipboard.readText().then(arguments[0])"
    ) == "3f9a1c77e02b4d58"


def test_copy_works_where_the_clipboard_is_refused(on):
    page = on("copy")
    page.driver.execute_script(
        "Object.defineProperty(navigator, 'clipboard', {value: undefined});")
    page.find("[data-copy]").click()
    page.wait(lambda: page.find("[role=status]").text == "Copied")
    assert page.driver.execute_script(
        "return String(getSelection())").replace("\n", "") == (
            "3f9a1c77e02b4d58")


def test_buttons_stay_hidden_without_script(browser, pages):
    browser.javascript(False)
    try:
        for name, css in (("copy", "[data-copy]"),
                          ("password", "[data-reveal]")):
            browser.open(pages, f"/{name}")
            assert not browser.find(css).is_displayed()
    finally:
        browser.javascript(True)


def test_password_is_shown_and_hidden_again_before_it_is_sent(on):
    page = on("password")
    field, button = page.find("#password"), page.find("[data-reveal]")
    assert (field.get_attribute("type"),
            button.get_attribute("aria-pressed")) == ("password", "false")
    button.click()
    assert (field.get_attribute("type"),
            button.get_attribute("aria-pressed")) == ("text", "true")
    button.click()
    assert field.get_attribute("type") == "password"
    button.click()
    page.driver.execute_script("""
        const form = document.querySelector('form');
        form.addEventListener('submit', e => e.preventDefault());""")
    page.find("#send").click()
    assert field.get_attribute("type") == "password"


@pytest.mark.parametrize("typed, said", [
    ("Altaworx UK-KEY", "This name fits."),
    ("O'Neil & Sons No. 1-KEY", "This name fits."),
    ("Nordlys & Sønner-KEY", "This name fits."),
    ("شركة النور-KEY", "This name fits."),
    ("हिन्दी-KEY", "This name fits."),
    ("  Altaworx   UK-KEY ", "This name fits."),
    ("Al-KEY", "This name fits."),
    ("x" * 64 + "-KEY", "This name fits."),
    ("A-KEY", "must stand before -KEY"),
    ("-KEY", "must stand before -KEY"),
    ("x" * 65 + "-KEY", "has 65 characters; 64 is the most"),
    ("&.-KEY", "A letter or digit must"),
    ("Altaworx½-KEY", "“½” can’t be part"),
    ("Altaworx", "must end in -KEY"),
    ("Altaworx-key", "in capital letters"),
    ("Altaworx -KEY", "No space before -KEY"),
    ("Altaworx/UK-KEY", "“/” can’t be part"),
    ("Altaworx_UK-KEY", "“_” can’t be part"),
    ("Altaworx 🔑-KEY", "“🔑” can’t be part"),
])
def test_name_is_checked_as_the_server_does(on, typed, said):
    page = on("name")
    page.driver.execute_script("""
        const field = document.querySelector('#name');
        field.value = arguments[0];
        field.dispatchEvent(new Event('blur'));""", typed)
    assert said in page.find("#live").text


def test_nobody_is_corrected_in_the_middle_of_a_word(on):
    page = on("name")
    page.find("#name").send_keys("x")
    assert page.find("#live").text == ""
    page.wait(lambda: "must end in -KEY" in page.find("#live").text)


def shown(page):
    return page.driver.execute_script(
        "return document.documentElement.textContent.includes('3f9a1c77')")


def test_a_shown_key_goes_when_its_time_is_over(on):
    page = on("hide")
    assert shown(page)
    page.wait(lambda: not shown(page), timeout_s=4)
    assert page.find_all("[data-hide-with]") == []
    assert page.find("[data-hide-show]").is_displayed()


@pytest.mark.parametrize("name, event, stays", [
    ("hide", "visibilitychange", False),
    ("keep", "visibilitychange", True),
    ("hide", "pagehide", False),
    ("keep", "pagehide", False),
])
def test_a_shown_key_goes_when_its_page_is_left(on, name, event, stays):
    page = on(name)
    assert shown(page)
    page.driver.execute_script("""
        Object.defineProperty(document, 'visibilityState',
            {value: 'hidden'});
        const target = arguments[0] === 'pagehide' ? window : document;
        target.dispatchEvent(new Event(arguments[0]));""", event)
    assert shown(page) == stays


def test_a_kept_key_has_no_time(on):
    page = on("keep")
    # A timer of its own, of a second as on the page "hide", would be over.
    page.driver.execute_async_script("setTimeout(arguments[0], 1100)")
    assert shown(page)
