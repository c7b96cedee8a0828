"""The browser's checks find what they are there to find."""

import http.server
import threading
import types

import pytest
from lib.base import free_port

POLICY = "default-src 'none'; style-src 'self'; script-src 'self'"
PAGE = b"""<!doctype html><html lang="en"><title>Faults</title>
<h1>Faults</h1><img src="/a.png"><p style="width: 3000px">wide?</p>
<script>window.ran = true</script><table width="3000"><tr><td>x</table>"""


@pytest.fixture
def faulty():
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Security-Policy", POLICY)
            self.end_headers()
            self.wfile.write(PAGE)

        def log_message(self, *_):
            pass
    port = free_port()
    one = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=one.serve_forever)
    thread.start()
    yield types.SimpleNamespace(url=f"http://127.0.0.1:{port}")
    one.shutdown()
    thread.join()
    one.server_close()


def test_faults_are_found(faulty, browser, folder):
    browser.shots, before = folder, browser.shots
    try:
        browser.open(faulty)
        with pytest.raises(AssertionError) as found:
            browser.inspect("faults")
    finally:
        browser.shots = before
    said = str(found.value)
    assert "image-alt" in said
    assert "CSP script-src" in said
    assert "CSP style-src" in said
    assert "360 light: sideways scroll" in said
    assert "1280 dark: sideways scroll" in said
    assert {p.name for p in folder.iterdir()} == {
        f"faults-{width}-{scheme}.png" for width in (360, 1280)
        for scheme in ("light", "dark")}
    assert browser.driver.execute_script("return window.ran") is None
