"""A small HTTP client that behaves like a browser where it matters (cookies,
forms with their hidden fields, Origin) and shows everything else as it is; and
raw sockets, for what no browser would send."""

import html.parser
import http.client
import re
import socket
import ssl
import time
import urllib.parse
from dataclasses import dataclass, field


@dataclass
class Form:
    method: str
    action: str
    fields: dict = field(default_factory=dict)
    buttons: list = field(default_factory=list)


class _Page(html.parser.HTMLParser):
    """Collects forms (with what a browser would send) and the visible text."""

    def __init__(self):
        super().__init__()
        self.forms, self.form = [], None
        self.select = self.textarea = self.option = None
        self.words, self.silent, self.title = [], 0, ""
        self.in_title = False

    def handle_starttag(self, tag, attrs):
        a = {k: v if v is not None else "" for k, v in attrs}
        if tag in ("script", "style"):
            self.silent += 1
        elif tag == "title":
            self.in_title = True
        elif tag == "form":
            self.form = Form(a.get("method", "get").upper(),
                             a.get("action", ""))
            self.forms.append(self.form)
        elif self.form is None or "disabled" in a:
            return
        elif tag == "input" and "name" in a:
            kind = a.get("type", "text")
            if kind in ("checkbox", "radio"):
                if "checked" in a:
                    self.form.fields[a["name"]] = a.get("value", "on")
            elif kind != "submit":
                self.form.fields[a["name"]] = a.get("value", "")
        elif tag == "button":
            self.form.buttons.append((a.get("name"), a.get("value", "")))
        elif tag == "textarea" and "name" in a:
            self.textarea = a["name"]
            self.form.fields[self.textarea] = ""
        elif tag == "select" and "name" in a:
            self.select = a["name"]
        elif tag == "option" and self.select:
            value = a.get("value", "")
            if "selected" in a or self.select not in self.form.fields:
                self.form.fields[self.select] = value

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag):
        if tag in ("script", "style"):
            self.silent -= 1
        elif tag == "title":
            self.in_title = False
        elif tag == "form":
            self.form = None
        elif tag == "textarea":
            self.textarea = None
        elif tag == "select":
            self.select = None

    def handle_data(self, data):
        if self.in_title:
            self.title += data
        elif self.textarea and self.form:
            self.form.fields[self.textarea] += data
        if not self.silent and not self.in_title:
            self.words.append(data)


class Response:
    def __init__(self, method, path, status, headers, body):
        self.method, self.path, self.status = method, path, status
        self.headers, self.body = headers, body
        self._page = None

    @property
    def text(self):
        return self.body.decode("utf-8", "replace")

    @property
    def location(self):
        """Of a redirect; only paths of our own are ever sent."""
        return self.headers.get("Location")

    @property
    def page(self):
        if self._page is None:
            self._page = _Page()
            self._page.feed(self.text)
        return self._page

    @property
    def words(self):
        """What a reader sees, with white space squeezed."""
        return re.sub(r"\s+", " ", " ".join(self.page.words)).strip()

    @property
    def title(self):
        return re.sub(r"\s+", " ", self.page.title).strip()

    @property
    def forms(self):
        return self.page.forms

    def form(self, action=None):
        """The one POST form, or the one whose action matches the pattern."""
        found = [f for f in self.forms if f.method == "POST" and (
            re.search(action, f.action) if action
            else "signout" not in f.action)]
        assert found, (f"no form {action or ''} on {self.path} "
                       f"({self.status}): {[f.action for f in self.forms]}\n"
                       f"{self.words[:600]}")
        return found[0]

    def has_form(self, action):
        return any(re.search(action, f.action) for f in self.forms)

    def expect(self, status):
        assert self.status == status, (
            f"{self.method} {self.path}: {self.status}, not {status}\n"
            f"{self.location or ''}\n{self.words[:1500]}")
        return self

    def __repr__(self):
        return f"<{self.method} {self.path}: {self.status}>"


class Client:
    """One browser: keeps cookies and one connection."""

    def __init__(self, url, headers=None, timeout_s=30, ca=None):
        parts = urllib.parse.urlsplit(url)
        self.origin = f"{parts.scheme}://{parts.netloc}"
        self.secure = parts.scheme == "https"
        self.host, self.port = parts.hostname, parts.port
        self.cookies = {}
        self.cookie_lines = []      # every Set-Cookie, as it came
        self.headers = dict(headers or {})
        self.timeout_s = timeout_s
        self.ca = ca
        self.connection = None
        self.used = 0               # monotonic

    def _connect(self):
        # The name may mean ::1 as well; everything here listens on IPv4.
        host = "127.0.0.1" if self.host == "localhost" else self.host
        if not self.secure:
            return http.client.HTTPConnection(host, self.port,
                                              timeout=self.timeout_s)
        context = ssl.create_default_context(
            cafile=str(self.ca) if self.ca else None)
        if not self.ca:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        else:
            context.check_hostname = False
        return http.client.HTTPSConnection(host, self.port, context=context,
                                           timeout=self.timeout_s)

    def close(self):
        if self.connection:
            self.connection.close()
            self.connection = None

    def request(self, method, path, body=None, headers=None):
        """One request, no redirects followed.  A kept connection that the
        server closed meanwhile is opened again, but only for a request that
        changes nothing."""
        # The server closes one that was idle for 20 s, maybe right now.
        if time.monotonic() - self.used > 10:
            self.close()
        self.used = time.monotonic()
        send = {"Host": f"{self.host}:{self.port}", **self.headers}
        if self.cookies:
            send["Cookie"] = "; ".join(f"{k}={v}"
                                       for k, v in self.cookies.items())
        if method == "POST":
            send["Origin"] = self.origin
            send["Content-Type"] = "application/x-www-form-urlencoded"
            self.close()
        for name, value in (headers or {}).items():
            send.pop(name, None)
            if value is not None:
                send[name] = value
        for attempt in (1, 2):
            fresh = self.connection is None
            if fresh:
                self.connection = self._connect()
            try:
                self.connection.request(method, path, body, send)
                answer = self.connection.getresponse()
                data = answer.read()
                break
            except (http.client.HTTPException, ConnectionError) as error:
                self.close()
                if fresh or method == "POST" or attempt == 2:
                    if isinstance(error, OSError):
                        raise
                    raise ConnectionError(repr(error)) from error
            except OSError:
                self.close()
                raise
        if answer.will_close:
            self.close()
        self._take_cookies(answer.headers)
        return Response(method, path, answer.status, answer.headers, data)

    def _take_cookies(self, headers):
        for line in headers.get_all("Set-Cookie") or []:
            self.cookie_lines.append(line)
            pair, *attributes = [p.strip() for p in line.split(";")]
            name, _, value = pair.partition("=")
            gone = any(a.lower() == "max-age=0" for a in attributes)
            if gone or not value:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value

    def get(self, path, **kwargs):
        return self.request("GET", path, **kwargs)

    def post(self, path, fields=None, **kwargs):
        """Exactly these fields: a pair list or a dict."""
        return self.request("POST", path,
                            urllib.parse.urlencode(fields or {}), **kwargs)

    def submit(self, page, fields=None, action=None, **kwargs):
        """Sends a form of a page as a browser would, with some fields set."""
        form = page.form(action)
        values = {**form.fields, **(fields or {})}
        return self.post(form.action or page.path, values, **kwargs)

    def follow(self, response):
        """The page behind a 303."""
        response.expect(303)
        return self.get(response.location)


class Raw:
    """One TCP connection on which anything can be said."""

    def __init__(self, host, port, timeout_s=10, context=None, name=None):
        self.socket = socket.create_connection((host, port), timeout_s)
        if context:
            self.socket = context.wrap_socket(self.socket,
                                              server_hostname=name or host)
        self.buffer = b""

    def send(self, data):
        if isinstance(data, str):
            data = data.replace("\r\n", "\n").replace("\n", "\r\n").encode()
        self.socket.sendall(data)
        return self

    def _more(self):
        data = self.socket.recv(65536)
        self.buffer += data
        return bool(data)

    def answer(self, head=False):
        """The next answer, whole; None when the connection ends before."""
        while b"\r\n\r\n" not in self.buffer:
            try:
                if not self._more():
                    return None
            except ConnectionResetError:
                return None
        block, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        first, *lines = block.decode("latin-1").split("\r\n")
        headers = http.client.HTTPMessage()
        for line in lines:
            name, _, value = line.partition(":")
            headers[name] = value.strip()
        status = int(first.split(" ")[1])
        size = 0
        if not head and status not in (204, 304):
            size = int(headers.get("Content-Length", 0))
        while len(self.buffer) < size:
            if not self._more():
                raise AssertionError("the answer's body was cut")
        body, self.buffer = self.buffer[:size], self.buffer[size:]
        return Response("", "", status, headers, body)

    def is_closed(self, within_s=5):
        """Does the server end the connection, with nothing more to say?"""
        self.socket.settimeout(within_s)
        try:
            return not self.buffer and self.socket.recv(1) == b""
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
