"""An app with one-time codes (RFC 6238), for tests."""

import base64
import hashlib
import hmac
import re
import struct
import time


def code(secret, drift=0, at=None):
    """The six digits of a secret in base32, `drift` steps from now; not in
    the last seconds of a step, so that it is still that step when it is
    sent."""
    if at is None and time.time() % 30 > 26:
        time.sleep(30.1 - time.time() % 30)
    counter = int(time.time() if at is None else at) // 30 + drift
    digest = hmac.new(base64.b32decode(secret.replace(" ", "")),
                      struct.pack(">Q", counter), hashlib.sha1).digest()
    at = digest[-1] & 15
    number = struct.unpack(">I", digest[at:at + 4])[0] & 0x7fffffff
    return f"{number % 10 ** 6:06d}"


def secret_on(page):
    return re.search(r'<code id="secret"[^>]*>([A-Z2-7 ]+)</code>',
                     page.text).group(1).replace(" ", "")


def recovery_codes_on(page):
    return re.findall(r"<code>((?:[0-9a-z]{4}-){5}[0-9a-z]{4})</code>",
                      page.text)


def set_up(browser):
    """Turns the app on for somebody freshly signed in; (secret, codes).  The
    code of the last step is used, so that the present one is still good."""
    page = browser.get("/account/two-factor/set-up").expect(200)
    secret = secret_on(page)
    answer = browser.submit(page, {"code": code(secret, -1)},
                            "/two-factor/set-up$").expect(200)
    return secret, recovery_codes_on(answer)
