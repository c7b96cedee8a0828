"""Roles: the matrix, what it lets through, what widens it, and what nobody
can grant."""

import html
import re
import sys
import threading
import urllib.parse
from pathlib import Path

import pytest
from lib import flows

sys.path.insert(0, str(Path(__file__).resolve().parent))
from world import Client, nobody  # noqa: E402

CONTACTS, INVOICES = "/billing/api/v1/contacts", "/billing/api/v1/invoices"


@pytest.fixture(scope="module")
def keeper(server):
    return flows.staff(server)


@pytest.fixture(scope="module")
def client(server, keeper):
    return Client(server, keeper)


def resource(client, path):
    return client.one("SELECT id FROM product_resource WHERE path = %s", path)


def save(client, role, grants=(), by=None, page=None, **fields):
    """Grants are "/path OPERATION"."""
    by = by or client.owner
    page = page or by.get(f"/api-roles/{role}").expect(200)
    form = page.form(f"/api-roles/{role}$")
    values = {k: v for k, v in form.fields.items() if k != "p"}
    pairs = list({**values, **fields}.items())
    for grant in grants:
        path, operation = grant.split()
        pairs.append(("p", f"{resource(client, path) or path}:{operation}"))
    return by.post(form.action, pairs)


def new_role(client, name):
    page = client.owner.get("/api-roles").expect(200)
    answer = client.owner.submit(page, {"name": name}, "/api-roles$")
    return answer.expect(303).location.split("/")[2].split("?")[0]


def ask(client, user, method, path):
    page = client.owner.get(f"/api-users/{user}?" + urllib.parse.urlencode(
        {"m": method, "path": path})).expect(200)
    return page.words.split(" do this?")[1][:400]


def test_may_it_do_this(client):
    user = client.made("ASKED", role=client.role("read-only"))
    assert "Yes, the call would be let through For the data of all " \
        "accounts" in ask(client, user, "GET", f"{CONTACTS}/7")
    said = ask(client, user, "DELETE", f"{CONTACTS}/7")
    assert "No, the call would be refused" in said and \
        f"No role of it allows DELETE on {CONTACTS}" in said
    assert "not_permitted" in said
    assert "could be read in more than one way" in ask(
        client, user, "GET", f"{CONTACTS}/..%2finvoices")
    assert "No resource of your products" in ask(client, user, "GET", "/x")
    assert "Only GET, HEAD" in ask(client, user, "LOOK", CONTACTS)
    odd = '"><script>alert(1)</script>'
    page = client.owner.get(f"/api-users/{user}?" + urllib.parse.urlencode(
        {"m": odd, "path": odd})).expect(200)
    assert "<script>alert" not in page.text
    client.act(user, "disable").expect(303)
    assert "is disabled" in ask(client, user, "GET", f"{CONTACTS}/7")


def test_own_role_with_named_accounts(server, client):
    role = new_role(client, "Seven only")
    user = client.made("SEVEN", role=role)
    assert "No role of it allows" in ask(client, user, "GET", CONTACTS)
    save(client, role, [f"{CONTACTS} GET", f"{CONTACTS} DELETE"],
         scope="named", accounts="7\r\n100214, 7").expect(303)
    said = ask(client, user, "DELETE", f"{CONTACTS}/7")
    assert "For the data of these accounts only: 100214,7." in said
    page = client.owner.get(f"/api-roles/{role}")
    fields = page.form(f"/api-roles/{role}$").fields
    assert fields["accounts"].split() == ["7", "100214"]
    assert fields["scope"] == "named"
    # With another role beside it, it may do what either allows.
    csrf = page.form("signout").fields["csrf"]
    client.owner.post(f"/api-users/{user}/permissions", [
        ("csrf", csrf), ("version", "1"), ("role", role),
        ("role", client.role("read-only"))]).expect(303)
    assert "all accounts" in ask(client, user, "GET", CONTACTS)
    assert "only: 100214,7." in ask(client, user, "DELETE", CONTACTS)
    told = server.mail.wait(client.owner.email, f"SEVEN@{client.code} may do")
    assert "Read-only" in told.text
    assert client.audits("api_user.permissions")[-1] == {"wider": "true"} or \
        client.audits("api_user.permissions")[-1] == {"wider": True}


def test_widening_a_role_is_told_and_narrowing_is_not(server, client):
    role = new_role(client, "Grows")
    client.made("GROWER", role=role)
    save(client, role, [f"{CONTACTS} GET"], scope="named", accounts="1 2"
         ).expect(303)
    mail = server.mail.wait(client.owner.email, "role Grows", count=1)
    assert "GROWER" in mail.text
    save(client, role, [f"{CONTACTS} GET"], accounts="2").expect(303)
    save(client, role, [f"{CONTACTS} GET"], accounts="2").expect(303)
    save(client, role, [f"{CONTACTS} GET"], accounts="2 3").expect(303)
    server.mail.wait(client.owner.email, "role Grows", count=2)
    save(client, role, [f"{CONTACTS} GET"], scope="all").expect(303)
    server.mail.wait(client.owner.email, "role Grows", count=3)
    save(client, role, []).expect(303)
    wider = [str(d["wider"]).lower() for d in
             client.audits("api_role.changed")][-6:]
    assert wider == ["true", "false", "false", "true", "true", "false"]


@pytest.mark.parametrize("grant", [
    f"{INVOICES} DELETE", f"{CONTACTS} LOOK", f"{CONTACTS} get",
    f"{nobody()} GET", "x GET", "'; GET"])
def test_nothing_beyond_the_product(client, grant):
    role = client.role("billing")
    before = client.one("SELECT count(*) FROM api_role_grant WHERE role_id = "
                        "%s", role)
    answer = save(client, role, [f"{CONTACTS} GET", grant]).expect(422)
    assert answer.title.startswith("Error:")
    assert client.one("SELECT count(*) FROM api_role_grant WHERE role_id = "
                      "%s", role) == before
    # What was ticked is kept.
    assert re.search(rf'{resource(client, CONTACTS)}:GET"[^>]*checked',
                     answer.text) or "that there is not" in answer.words


@pytest.mark.parametrize("fields, said", [
    ({"name": ""}, "at least 2"), ({"name": "x" * 41}, "up to 40"),
    ({"name": "A, B"}, "can’t hold “,”"),
    ({"name": "full ACCESS"}, "Another role has this name"),
    ({"scope": "named", "accounts": ""}, "at least one account"),
    ({"scope": "named", "accounts": "1;2"}, "account number has"),
    ({"scope": "named", "accounts": "x" * 21}, "account number has"),
    ({"scope": "named", "accounts": " ".join(map(str, range(51)))},
     "Up to 50"), ({"version": "x"}, "not whole")])
def test_bad_roles(client, fields, said):
    answer = save(client, client.role("billing"), [], **fields).expect(422)
    assert said in html.unescape(answer.words), answer.words[:600]


def test_two_change_one_role(client):
    role = new_role(client, "Contested")
    pages = [client.owner.get(f"/api-roles/{role}") for _ in range(2)]
    save(client, role, [f"{CONTACTS} GET"], page=pages[0]).expect(303)
    answer = save(client, role, [f"{INVOICES} GET"], page=pages[1])
    assert "Somebody else changed" in answer.expect(409).words
    assert client.one("SELECT count(*) FROM api_role_grant WHERE role_id = "
                      "%s", role) == 1


def test_two_change_one_users_roles(client):
    user = client.made("CONTESTED")
    page, done = client.page(user), []

    def post(preset):
        browser = client.server.client()
        browser.cookies = dict(client.owner.cookies)
        done.append(browser.submit(page, {"role": client.role(preset)},
                                   "/permissions$").status)
    threads = [threading.Thread(target=post, args=(preset,))
               for preset in ("billing", "read-only")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == [303, 409]
    assert client.one("SELECT count(*) FROM api_user_role WHERE api_user_id "
                      "= %s", user) == 1


def test_deleted_only_where_nobody_has_it(client):
    role = new_role(client, "Short-lived")
    user = client.made("HOLDER", role=role)
    csrf = client.owner.get("/api-roles").form("signout").fields["csrf"]
    where = f"/api-roles/{role}/delete"
    answer = client.owner.post(where, {"csrf": csrf}).expect(409)
    assert "API users or people have this role" in answer.words
    client.act(user, "permissions", role=client.role("billing")).expect(303)
    client.owner.post(where, {"csrf": csrf}).expect(303)
    client.owner.post(f"/api-roles/{client.role('billing')}/delete",
                      {"csrf": csrf}).expect(404)


def test_others_see_no_roles(server, keeper, client):
    other = Client(server, keeper)
    role = client.role("billing")
    for browser in (other.owner, client.join("member"), keeper):
        browser.get(f"/api-roles/{role}").expect(404)
        csrf = browser.get("/account").form("signout").fields["csrf"]
        for path in ("", "/delete"):
            browser.post(f"/api-roles/{role}{path}", {
                "csrf": csrf, "version": "1", "name": "Mine"}).expect(404)
    other.owner.get(f"/api-roles/{nobody()}").expect(404)
    other.owner.get("/api-roles/x").expect(404)
