"""The gateway's listener, asked as gateways ask it."""

import http.client
import json

from lib import flows

KEY = "Ocp-Apim-Subscription-Key"
CODES = {"missing_key": 401, "unknown_key": 401, "missing_api_user": 401,
         "bad_api_user": 401, "suspended": 403, "expired": 403,
         "api_user_disabled": 403, "not_permitted": 403,
         "rate_limited": 429, "quota_exceeded": 429,
         "unavailable": 503, "unknown_gateway": 403}


def key_of(server):
    """The key of a new client, on products that ask for no API user and have no
    limit that a test would reach."""
    owner = flows.client_with_key(server)[0]
    server.sql("UPDATE product SET needs_api_user = false, "
               "calls_a_minute = 1000000, calls_a_day = NULL")
    return flows.show_key(owner)


class Gateway:
    """One connection to the listener."""

    def __init__(self, server, **headers):
        self.http = http.client.HTTPConnection("127.0.0.1",
                                               server.gateway_port, timeout=10)
        self.headers = headers

    def ask(self, path, method="GET", headers=()):
        self.http.putrequest(method, path, skip_accept_encoding=True)
        if method in ("POST", "PUT", "PATCH"):
            self.http.putheader("Content-Length", "0")
        for name, value in [*self.headers.items(), *headers]:
            self.http.putheader(name, value)
        self.http.endheaders()
        answer = self.http.getresponse()
        answer.text = answer.read().decode()
        return answer

    def check(self, key, method="GET", uri="/contacts", headers=()):
        """What is said of a call: "allowed", or the code of the problem."""
        answer = self.ask("/check", headers=[
            ("X-Forwarded-Method", method), ("X-Forwarded-Uri", uri),
            *([(KEY, key)] if key else []), *headers])
        return code_of(answer)

    def close(self):
        self.http.close()


def code_of(answer):
    if answer.status == 200:
        assert answer.text == ""
        return "allowed"
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    problem = json.loads(answer.text)
    assert set(problem) - {"violated-policies"} == {
        "type", "title", "status", "detail", "code"}
    assert problem["status"] == answer.status == CODES[problem["code"]]
    assert answer.headers["x-latchkey-code"] == problem["code"]
    return problem["code"]
