"""A vendor's page for profile `partner-key`, from its top to its bottom: each
step is named by the sentence that it proves.  Keys are made on the portal's
pages; calls go to the gateway."""

import json
import re

import pytest

from lib import base, flows
from lib.gateway import Gateway
from lib.issued import coded

HEALTH, CONVERSATIONS = "/v1/health", "/v1/conversations"
SCOPES = (("health:read", "GET", HEALTH),
          ("conversation:read", "GET", CONVERSATIONS),
          ("conversation:write", "POST", CONVERSATIONS))
HELPDESK = ("health:read", "conversation:read")


class Walk:
    def __init__(self, server):
        self.server = server
        self.owner = flows.scoped_client(server, "partner-key", SCOPES)
        self.member = flows.colleague(server, self.owner)
        self.subscription = self.owner.subscription
        # Partner B has a subscription to the same product.
        self.other = flows.scoped_client(server, "partner-key", ("x:read",))
        self.other.subscription = flows.subscribe(server, self.other.code,
                                                  self.owner.slug)
        server.sql("UPDATE product SET calls_a_minute = 1000000")
        self.gateway = Gateway(server, **{
            "X-Latchkey-Product": self.owner.slug,
            "X-Latchkey-Environment": "live"})
        self.text = flows.issued_key(self.owner, self.subscription, "First",
                                     ["health:read"])
        self.becomes(200, self.text)

    def list(self, browser=None):
        return (browser or self.owner).get(
            f"/subscriptions/{self.subscription}").expect(200)

    def deed(self, name, deed, **fields):
        return flows.issued_deed(self.owner, self.subscription, name, deed,
                                 **fields)

    def call(self, *headers, path=HEALTH, method="GET"):
        return self.gateway.ask("/check/envoy" + path, method, headers)

    def status(self, text, **more):
        return self.call(("x-api-key", text), **more).status

    def becomes(self, status, text):
        base.wait_until(lambda: self.status(text) == status, 10, str(status))


def code_of(answer):
    return json.loads(answer.text)["code"]


@pytest.fixture(scope="module")
def walk(server):
    one = Walk(server)
    yield one
    one.gateway.close()


# -- its beginning; Sending the key


def test_the_value_of_the_x_api_key_http_header(walk):
    """"Every Public API request must include the API key as the value of the
    x-api-key HTTP header." - "GET /v1/health HTTP/1.1 ... x-api-key: ..."."""
    assert walk.status(walk.text) == 200
    assert "in the header x-api-key" in walk.list().words


def test_a_key_issued_to_partner_a_cannot_read_partner_bs_data(walk):
    """"Keys are tenant-scoped"."""
    theirs = flows.issued_key(walk.other, walk.other.subscription, "Theirs",
                              ["health:read"])
    walk.becomes(200, theirs)
    for text, code in ((walk.text, walk.owner.code),
                       (theirs, walk.other.code)):
        told = walk.call(("x-api-key", text)).headers
        assert told["x-latchkey-tenant"] == code
    walk.other.get(f"/subscriptions/{walk.subscription}").expect(404)


def test_authorization_bearer_is_not_supported(walk):
    """"Sending the key via Authorization: Bearer ... is not supported."."""
    answer = walk.call(("Authorization", f"Bearer {walk.text}"))
    assert answer.status == 403 and code_of(answer) == "missing_key"


def test_sending_no_key_returns_403_forbidden(walk):
    assert walk.call().status == 403


def test_a_key_the_gateway_does_not_recognise_also_returns_403(walk):
    """"Sending a key the gateway does not recognise also returns 403
    Forbidden."."""
    for key in ("nonsense", coded("pk"), "f" * 32):
        answer = walk.call(("x-api-key", key))
        assert answer.status == 403 and code_of(answer) == "unknown_key"
    assert walk.status(walk.text) == 200


# -- Getting a key


def test_in_the_portal_under_settings_integrations_developer(walk):
    """"Authorized admin users create keys in the ProVision portal under
    Settings -> Integrations -> Developer." - "1. Open the Developer tab."."""
    page = walk.owner.get("/keys").expect(200)
    assert "Settings → Integrations → Developer" in page.words
    assert f'href="/subscriptions/{walk.subscription}"' in page.text
    page = walk.list()
    assert re.search(r"Settings\s+Integrations\s+Developer", page.words)
    assert "<h1>Developer</h1>" in page.text


def test_if_you_do_not_see_the_developer_tab_ask_an_admin(walk):
    """"If you do not see the Developer tab, ask a ProVision admin on your team
    to grant access or create a key for you."."""
    page = walk.list(walk.member)
    assert not page.has_form("/issued$") and "First" not in page.words
    assert ("Ask one of them to grant you access under People, or to create a "
            "key for you.") in page.words
    flows.grant_keys(walk.server, walk.owner, walk.member)


def test_click_create_key(walk):
    """"2. Click Create key."."""
    page = walk.list(walk.member)
    assert re.search(r'<a class="[^"]*" href="#new">Create key</a>', page.text)
    assert page.has_form("/issued$")


def test_enter_a_name_and_select_the_operation_scopes(walk):
    """"3. Enter a name and select the operation scopes the integration
    needs."."""
    assert re.findall(r'name="scope" value="([^"]*)"',
                      walk.list(walk.member).text) == [s[0] for s in SCOPES]
    for name, scopes in (("", HELPDESK), ("Helpdesk", ())):
        flows.make_issued(walk.member, walk.subscription, name,
                          scopes).expect(422)


def test_copy_the_full_key_from_the_one_time_reveal_dialog(walk):
    """"4. Copy the full key from the one-time reveal dialog and store it in
    your secret manager."."""
    answer = flows.make_issued(walk.member, walk.subscription, "Helpdesk",
                               HELPDESK).expect(200)
    assert "This is the only time that it is shown" in answer.words
    assert "Store it now in a secret store." in answer.words
    walk.text = flows.issued_text(answer)
    walk.becomes(200, walk.text)


def test_the_full_key_value_is_shown_only_at_creation(walk):
    for browser in (walk.owner, walk.member):
        for page in (walk.list(browser), flows.issued_page(
                browser, walk.subscription, "Helpdesk")):
            assert walk.text not in page.text
            assert walk.text[:8] in page.words


def test_choose_the_minimum_scopes_needed_for_your_use_case(walk):
    """Advice, which the page gives; nothing is chosen before."""
    page = walk.list()
    assert "Choose the least that the integration needs." in page.words
    assert not re.search(r'name="scope"[^>]* checked', page.text)


def test_for_help_choosing_scopes_email(walk):
    """"For help choosing scopes, email help@..."."""
    assert re.search(r'href="mailto:[^"]+@[^"]+"', walk.list().text)


def test_keys_are_partner_scoped_not_per_user(walk):
    """"Any integration using the key acts on behalf of your partner tenant."
    - whoever made it may leave."""
    page = walk.member.get("/people").expect(200)
    walk.member.submit(page, {}, "/people/leave$").expect(303)
    walk.member.get(f"/subscriptions/{walk.subscription}").expect(404)
    page = flows.issued_page(walk.owner, walk.subscription, "Helpdesk")
    assert "The key goes on" in page.words
    # What was said before of a newer key was read after they left.
    walk.becomes(200, flows.issued_key(walk.owner, walk.subscription,
                                       "Second", ["health:read"]))
    answer = walk.call(("x-api-key", walk.text), path=CONVERSATIONS)
    assert answer.status == 200
    assert answer.headers["x-latchkey-tenant"] == walk.owner.code


# -- Rotation and revocation


def test_choose_the_key_and_select_regenerate_key(walk):
    """"To rotate a key, open Settings -> Integrations -> Developer, choose the
    key, and select Regenerate key." - "Deploy the new secret to your
    integration before deleting the old value": both work for 24 hours."""
    page = flows.issued_page(walk.owner, walk.subscription, "Helpdesk")
    assert "Regenerate key" in page.words and "24 hours" in page.words
    old = walk.text
    answer = walk.deed("Helpdesk", "regenerate", overlap="86400").expect(200)
    walk.text = flows.issued_text(answer)
    assert walk.text != old
    walk.becomes(200, walk.text)
    assert walk.status(old) == 200
    assert walk.status(walk.text, path=CONVERSATIONS) == 200
    assert walk.server.sql(
        "SELECT v.ends_at BETWEEN now() + interval '23 hours 50 minutes' AND "
        "now() + interval '24 hours' FROM subscription_key v JOIN issued_key "
        "k ON k.id = v.key_id WHERE k.name = 'Helpdesk' AND v.state = 'old'"
    ) == [(True,)]
    walk.deed("Helpdesk", "end").expect(303)
    walk.becomes(403, old)
    assert walk.status(walk.text) == 200


def test_if_you_lose_it_use_regenerate_key(walk):
    """"... on the Developer tab to issue a new secret." - with the old one
    ended at once, and the new one shown once."""
    old = walk.text
    walk.text = flows.issued_text(
        walk.deed("Helpdesk", "regenerate", overlap="0").expect(200))
    walk.becomes(403, old)
    walk.becomes(200, walk.text)
    assert walk.text not in walk.list().text


# -- What the key proves, of a key that still lives


def test_tenancy(walk):
    """"The key is bound to a partnerId in our internal database, and that is
    the only tenant the request can read or write."."""
    answer = walk.call(("x-api-key", walk.text),
                       ("X-Latchkey-Tenant", walk.other.code))
    assert answer.status == 200
    assert answer.headers["x-latchkey-tenant"] == walk.owner.code


def test_allowed_operations(walk):
    """"The key carries a list of operation scopes (for example
    conversation:read) that gate each endpoint"."""
    answer = walk.call(("x-api-key", walk.text), path=CONVERSATIONS)
    assert answer.headers["x-latchkey-scopes"].split() == list(HELPDESK)
    answer = walk.call(("x-api-key", walk.text), path=CONVERSATIONS,
                       method="POST")
    assert answer.status == 403
    assert "needs scope conversation:write" in answer.text


def test_throttle_bucket(walk):
    """"The key counts against a per-key rate limit enforced at the API
    gateway"."""
    text = flows.issued_key(walk.owner, walk.subscription, "Busy",
                            ["health:read"])
    answer = walk.call(("x-api-key", text))
    assert '"key-minute";q=200;w=60' in answer.headers["ratelimit-policy"]
    assert {walk.status(text) for _ in range(199)} == {200}
    walk.becomes(429, text)
    assert walk.status(walk.text) == 200


# -- the rest of Rotation and revocation, which ends the keys


def test_to_revoke_a_key_immediately_choose_revoke_key_from_the_row(walk):
    """"Revoked keys stay visible in the list with a REVOKED label but can no
    longer authenticate requests."."""
    assert "Revoke key" in walk.list().words
    walk.deed("Helpdesk", "revoke").expect(303)
    walk.becomes(403, walk.text)
    assert code_of(walk.call(("x-api-key", walk.text))) == "key_revoked"
    row = re.search(r"<tr [^>]*>(?:(?!</tr>).)*<bdi>Helpdesk<.*?</tr>",
                    walk.list().text, re.S)
    assert row and "REVOKED" in row[0] and walk.text[:8] in row[0]


def test_email_with_the_first_eight_characters_and_revoke_now(walk):
    """"If a key is leaked and you cannot sign in to the portal, email ... with
    the prefix of the key (the first eight characters) and the words "REVOKE
    NOW" in the subject line." - staff revoke it by these."""
    text = flows.issued_key(walk.owner, walk.subscription, "Leaked",
                            ["health:read"])
    walk.becomes(200, text)
    keeper = flows.staff(walk.server)
    page = keeper.get("/staff/keys").expect(200)
    page = keeper.submit(page, {"key": text[:8]}, "/staff/keys$").expect(200)
    assert "Leaked" in page.words and text not in page.text
    keeper.submit(page, {"reason": "REVOKE NOW, by mail"},
                  "/revoke$").expect(303)
    walk.becomes(403, text)
    assert code_of(walk.call(("x-api-key", text))) == "key_revoked"
