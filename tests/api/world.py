"""What the tests of the API share: a client of it that holds every answer
against the document, tokens, and two clients with people."""

import datetime
import importlib.util
import itertools
import json
import re
import sys

import jsonschema
from lib import flows
from lib.base import ROOT

_numbers = itertools.count(1)


def _document():
    sys.dont_write_bytecode = True
    spec = importlib.util.spec_from_file_location(
        "openapi", ROOT / "app/api/openapi.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.document()


DOCUMENT = _document()
FORMATS = jsonschema.FormatChecker()
CONTACT = ("read requests:write keys:reveal keys:rotate api-users:write "
           "api-users:secret").split()
STAFF = ("queue:read queue:decide tenants:read keys:find keys:revoke "
         "audit:read").split()


def operation_of(method, path):
    """(pattern, operation) of the document; None for none."""
    path = path.partition("?")[0].removeprefix("/api/v1")
    for pattern, methods in DOCUMENT["paths"].items():
        regex = re.sub(r"\{\w+\}", "[^/]+", pattern)
        if re.fullmatch(regex, path) and method.lower() in methods:
            return pattern, methods[method.lower()]
    return None


def check(schema, value):
    jsonschema.validate(
        value, {**schema, "components": DOCUMENT["components"]},
        cls=jsonschema.Draft202012Validator, format_checker=FORMATS)


class Api:
    """Calls with a token; `seen` are the operations that succeeded."""

    seen = set()

    def __init__(self, server, token=None):
        self.server, self.token = server, token
        self.http = server.client()

    def call(self, method, path, body=None, headers=None, raw=None):
        send = {"Authorization": f"Bearer {self.token}" if self.token
                else None, "Origin": None,
                "Content-Type": None, **(headers or {})}
        if body is not None or raw is not None:
            send = {"Content-Type": "application/json", **{
                k: v for k, v in send.items() if v is not None}}
        else:
            send = {k: v for k, v in send.items() if v is not None}
        data = raw if raw is not None else \
            None if body is None else json.dumps(body)
        if data is None and method in ("POST", "PUT", "PATCH"):
            data = ""
        self.http.close()
        answer = self.http.request(method, "/api/v1" + path, data, {
            **({"Origin": None, "Content-Type": None}), **send})
        self.hold(method, path, answer)
        return answer

    def hold(self, method, path, answer):
        """What came is as the document says."""
        assert answer.headers["Cache-Control"] == "no-store", answer
        assert "Set-Cookie" not in answer.headers
        kind = answer.headers.get("Content-Type")
        if answer.status >= 400:
            assert kind == "application/problem+json", (answer, kind)
            answer.json = json.loads(answer.text)
            assert answer.json["status"] == answer.status
            answer.code = answer.json["code"]
            check({"$ref": "#/components/schemas/Problem"}, answer.json)
            return
        found = operation_of(method, path)
        assert found, f"{method} {path} is not in the document"
        pattern, operation = found
        assert str(answer.status) in operation["responses"], answer
        said = operation["responses"][str(answer.status)]
        if "content" not in said:
            assert answer.body == b"" and kind is None
        else:
            assert kind == "application/json"
            answer.json = json.loads(answer.text)
            check(said["content"]["application/json"]["schema"], answer.json)
        Api.seen.add((method.lower(), pattern))

    def get(self, path, **kwargs):
        return self.call("GET", path, **kwargs)

    def post(self, path, body=None, **kwargs):
        return self.call("POST", path, body, **kwargs)

    def fails(self, method, path, status, code, body=None, **kwargs):
        answer = self.call(method, path, body, **kwargs)
        assert (answer.status, answer.code) == (status, code), answer.text
        return answer


def token_of(server, browser, scopes, days=30):
    """Made on its page."""
    form = browser.get("/account/tokens").expect(200).form("/tokens$")
    day = datetime.datetime.now(datetime.timezone.utc) \
        + datetime.timedelta(days)
    answer = browser.post("/account/tokens", [
        ("csrf", form.fields["csrf"]), ("nonce", form.fields["nonce"]),
        ("name", f"Token {next(_numbers)}"),
        ("expires", day.strftime("%Y-%m-%d")),
        *(("scope", scope) for scope in scopes)]).expect(200)
    return re.search(r"\blk_[0-9A-Za-z]{36}\b", answer.words)[0]


def api_of(server, browser, scopes=None):
    if scopes is None:
        kind = server.sql(
            "SELECT coalesce(staff_role, 'contact') FROM account JOIN person "
            "ON account_id = id WHERE email = %s", (browser.email,))[0][0]
        scopes = CONTACT if kind == "contact" else STAFF + (
            ["tenants:write"] if kind == "admin" else [])
    return Api(server, token_of(server, browser, scopes))


class World:
    """Two clients with keys; of the first owner, manager and member."""

    def __init__(self, server):
        self.server = server
        self.owner, self.keeper = flows.client_with_key(server, "ALTWORX",
                                                        "Altaworx")
        self.people = {"owner": self.owner}
        for role in ("manager", "member"):
            self.people[role] = flows.contact(server, client="Altaworx")
            server.sql("INSERT INTO membership (account_id, tenant_id, role, "
                       "let_in_by) SELECT account_id, t.id, %s, 'owner' FROM "
                       "person, tenant t WHERE email = %s AND t.code = "
                       "'ALTWORX'", (role, self.people[role].email))
        self.stranger = flows.contact(server, client="Other Works")
        flows.request_key(self.stranger, "Other Works-KEY")
        flows.approve(self.keeper, flows.requests_in_queue(self.keeper)[-1],
                      code="OTHER", client="Other Works").expect(303)
        self.admin = flows.staff(server, role="admin", name="Ida Admin")
        self.api = {role: api_of(server, browser)
                    for role, browser in self.people.items()}
        self.api["stranger"] = api_of(server, self.stranger)
        self.api["staff"] = api_of(server, self.keeper)
        self.api["admin"] = api_of(server, self.admin)
        self.id = self.one("SELECT s.id FROM subscription s JOIN tenant t ON "
                           "t.id = s.tenant_id WHERE t.code = 'ALTWORX'")
        self.path = f"/subscriptions/{self.id}"

    def one(self, query, *params):
        rows = self.server.sql(query, params)
        return rows[0][0] if rows else None

    def key_id(self, slot="primary"):
        return self.one("SELECT id FROM subscription_key WHERE slot = %s AND "
                        "state = 'current' AND subscription_id = %s", slot,
                        self.id)
