"""Debian's Chromium, headless: widths, colour schemes, screenshots, axe-core,
and a record of everything that the page's own CSP refused."""

import base64
import functools
import os
import subprocess

from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from lib.base import ROOT, build_dir

AXE = "axe-core@4.14.1"
FLAGS = ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage",
         "--disable-gpu", "--hide-scrollbars", "--force-device-scale-factor=1",
         "--disable-background-networking", "--disable-component-update",
         "--disable-sync", "--no-first-run", "--lang=en-GB")

# Runs in every document before the page's own scripts and outside of its CSP.
RECORDER = """
window.__csp = []; window.__err = [];
document.addEventListener('securitypolicyviolation', e => __csp.push(
    [e.effectiveDirective, e.blockedURI, e.sourceFile + ':' + e.lineNumber]));
addEventListener('error', e => __err.push(String(e.message)));
addEventListener('unhandledrejection', e => __err.push(String(e.reason)));
"""


@functools.cache
def axe_source():
    done = subprocess.run(
        [ROOT / "tests/lib/npm.sh", AXE], cwd=ROOT, text=True, check=True,
        stdout=subprocess.PIPE, stdin=subprocess.DEVNULL,
        env={**os.environ, "O": str(build_dir())})
    return (ROOT / done.stdout.strip() / "axe.min.js").read_text()


class Browser:
    def __init__(self, profile, shots=None):
        options = Options()
        for flag in (*FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        options.binary_location = "/usr/bin/chromium"
        options.accept_insecure_certs = True
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(
            service=Service("/usr/bin/chromedriver"), options=options)
        self.driver.set_page_load_timeout(30)
        self.cdp("Page.addScriptToEvaluateOnNewDocument", source=RECORDER)
        self.shots = shots or ROOT / "var/shots"
        self.base = ""
        self.width, self.scheme = 1280, "light"
        self.look(1280, "light")

    def close(self):
        self.driver.quit()

    def cdp(self, command, **arguments):
        return self.driver.execute_cdp_cmd(command, arguments)

    def look(self, width=None, scheme=None):
        """The width in px and "light" or "dark", from now on."""
        self.width, self.scheme = width or self.width, scheme or self.scheme
        self.cdp("Emulation.setDeviceMetricsOverride", width=self.width,
                 height=740 if self.width < 600 else 800, deviceScaleFactor=1,
                 mobile=self.width < 600)
        self.cdp("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": self.scheme},
            {"name": "prefers-reduced-motion", "value": "reduce"}])

    def javascript(self, on):
        self.cdp("Emulation.setScriptExecutionDisabled", value=not on)

    # -- going about

    def open(self, server, path="/"):
        self.base = server.url
        self.driver.get(self.base + path)
        return self

    def go(self, path):
        self.driver.get(self.base + path)
        return self

    @property
    def path(self):
        return self.driver.current_url[len(self.base):]

    @property
    def title(self):
        return self.driver.title

    @property
    def words(self):
        return self.driver.find_element(By.TAG_NAME, "body").text

    def find(self, css):
        return self.driver.find_element(By.CSS_SELECTOR, css)

    def find_all(self, css):
        return self.driver.find_elements(By.CSS_SELECTOR, css)

    def wait(self, condition, what="", timeout_s=10):
        # A page that goes while it is looked at is looked at again.
        return WebDriverWait(
            self.driver, timeout_s, 0.05,
            ignored_exceptions=[StaleElementReferenceException]).until(
            lambda _: condition(), what)

    def type(self, name, text):
        box = self.find(f"[name={name}]")
        box.clear()
        box.send_keys(text)
        return self

    def press(self, label):
        """The visible button or link with this label (its accessible name
        starts with it); waits until the page behind it is there."""
        for element in self.find_all("button, a, summary"):
            name = element.accessible_name or element.text
            if element.is_displayed() and name.strip().startswith(label):
                page = self.find("html")
                navigates = element.tag_name == "a" or (
                    element.tag_name == "button"
                    and element.get_dom_attribute("type") != "button")
                element.click()
                if navigates:
                    self._left(page)
                return self
        raise AssertionError(f"nothing to press is called '{label}' on "
                             f"{self.path}:\n{self.words[:800]}")

    def press_submit(self, action):
        """The submit button of the one form whose action holds this."""
        forms = [f for f in self.find_all("form[method=post]")
                 if action in f.get_dom_attribute("action")]
        assert len(forms) == 1, (
            f"{len(forms)} forms for {action} on {self.path}:\n"
            f"{self.words[:800]}")
        button = forms[0].find_element(By.CSS_SELECTOR, "button[type=submit]")
        page = self.find("html")
        self.driver.execute_script(
            "arguments[0].scrollIntoView({block: 'center'})", button)
        button.click()
        self._left(page)
        return self

    def _left(self, page):
        def gone():
            try:
                page.is_enabled()
                return False
            except Exception:  # stale: its document is gone
                return self.driver.execute_script(
                    "return document.readyState") == "complete"
        try:
            self.wait(gone, timeout_s=10)
        except Exception as error:
            raise AssertionError(f"still on {self.path}") from error

    def take_session(self, client):
        """Goes on as the HTTP client that is signed in already."""
        self.driver.get(self.base + "/livez")
        for name, value in client.cookies.items():
            self.driver.add_cookie({"name": name, "value": value,
                                    "path": "/", "httpOnly": True})
        return self

    def forget(self):
        """No cookies any more, and no complaints of an earlier page."""
        self.cdp("Network.clearBrowserCookies")
        self.driver.get_log("browser")
        return self

    # -- what tests look for

    def shot(self, name):
        """var/shots/NAME-WIDTH-SCHEME.png, the whole page."""
        os.makedirs(self.shots, exist_ok=True)
        picture = self.cdp("Page.captureScreenshot", format="png",
                           captureBeyondViewport=True)["data"]
        path = self.shots / f"{name}-{self.width}-{self.scheme}.png"
        path.write_bytes(base64.b64decode(picture))
        return path

    def axe(self):
        """Findings of axe-core, each as one readable text."""
        # Not as a <script>, which the page's CSP would refuse.
        self.driver.execute_script(axe_source())
        result = self.driver.execute_async_script("""
            const done = arguments[arguments.length - 1];
            axe.run(document, {resultTypes: ['violations']})
                .then(r => done(r.violations), e => done(String(e)));""")
        assert not isinstance(result, str), result
        return [f"{v['id']} ({v['impact']}): {v['help']}: {n['html'][:160]}"
                for v in result for n in v["nodes"]]

    def refused(self):
        """What the CSP refused and what scripts threw since the page began."""
        csp, errors = self.driver.execute_script(
            "return [window.__csp, window.__err]")
        return [f"CSP {' '.join(map(str, v))}" for v in csp or []] + [
            f"error {e}" for e in errors or []]

    def overflow(self):
        """Pixels by which the page is wider than what look() asked for: the
        window of a phone grows with its page."""
        return self.driver.execute_script(
            "return document.documentElement.scrollWidth") - self.width

    def inspect(self, name, widths=(360, 1280), schemes=("light", "dark")):
        """Screenshots of all looks; the page must be without a finding."""
        findings = []
        for width in widths:
            for scheme in schemes:
                self.look(width, scheme)
                self.shot(name)
                findings += [f"{width} {scheme}: {f}" for f in self.axe()]
                if self.overflow() > 0:
                    findings.append(f"{width} {scheme}: sideways scroll of "
                                    f"{self.overflow()} px")
        findings += self.refused()
        self.look(1280, "light")
        assert not findings, f"{name}:\n" + "\n".join(findings)
