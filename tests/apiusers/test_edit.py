"""What is written down about an API user is changed; what an admin does in a
client's place; users are searched; the largest matrix there is."""

import sys
import uuid
from datetime import date, timedelta
from pathlib import Path

import pytest
from lib import flows

sys.path.insert(0, str(Path(__file__).resolve().parent))
from world import Client, nobody  # noqa: E402

OPERATIONS = ("GET", "POST", "PUT", "PATCH", "DELETE")


@pytest.fixture(scope="module")
def keeper(server):
    return flows.staff(server)


@pytest.fixture(scope="module")
def admin(server):
    return flows.staff(server, role="admin", name="Ida Admin")


@pytest.fixture(scope="module")
def client(server, keeper):
    return Client(server, keeper)


def day(days):
    return str(date.today() + timedelta(days=days))


def edit(client, user, by=None, page=None, **fields):
    by = by or client.owner
    page = page or by.get(f"/api-users/{user}/details").expect(200)
    return by.submit(page, fields, "/details$")


def stored(client, user):
    return client.server.sql(
        "SELECT vendor, vendor_folded, integration, contact_name, "
        "contact_email, note, (expires_at - interval '1 second')::date::text "
        "FROM api_user WHERE id = %s", (user,))[0]


def test_details_are_changed_and_the_audit_says_which(server, client):
    user = client.made("EDITED", contact_name="Ines Vega", expires=day(30))
    answer = edit(client, user, vendor="FORT, Inc.", contact_name="Ola Berg",
                  contact_email="ola@fort.example", note="Only ours.",
                  integration="Billing sync", expires=day(20)).expect(303)
    assert "The details are saved" in client.owner.follow(answer).words
    assert stored(client, user) == (
        "FORT, Inc.", "fort", "Billing sync", "Ola Berg", "ola@fort.example",
        "Only ours.", day(20))
    assert client.audits("api_user.changed") == [
        {"vendor": "changed", "integration": "changed",
         "contact": "changed", "note": "changed", "last_day": day(20),
         "before": day(30)}]
    assert "Only ours" not in repr(client.audits("api_user.changed"))
    # The same once more changes nothing.
    edit(client, user).expect(303)
    assert len(client.audits("api_user.changed")) == 1
    # Shorter is told to nobody, longer and endless to owners and managers.
    manager = client.join("manager")
    edit(client, user, expires=day(25)).expect(303)
    for person in (client.owner, manager):
        told = server.mail.wait(person.email, f"EDITED@{client.code}",
                                count=1)
        if person is manager:
            assert "changed last day" in told.text
    edit(client, user, by=manager, expires="").expect(303)
    server.mail.wait(manager.email, f"EDITED@{client.code}", count=2)
    assert client.audits("api_user.changed")[-1] == {
        "last_day": "none", "before": day(25)}


def test_an_end_that_is_over_may_stay(client):
    user = client.made("ENDED", expires=day(3))
    client.server.sql("UPDATE api_user SET expires_at = now() - interval "
                      "'40 days' WHERE id = %s", (user,))
    over = stored(client, user)[6]
    edit(client, user, note="It has ended").expect(303)
    assert stored(client, user)[5:] == ("It has ended", over)
    edit(client, user, expires=day(-39)).expect(422)


@pytest.mark.parametrize("field, typed, said", [
    ("vendor", "", "is missing"), ("vendor", "x" * 65, "up to 64"),
    ("integration", "F\u202ert", "can’t be seen"),
    ("contact_email", "ines", "@"), ("note", "x" * 1001, "up to 1000"),
    ("expires", "2020-01-01", "a day"), ("version", "", "not whole"),
    ("version", "-1", "not whole"),
])
def test_bad_details(client, field, typed, said):
    user = client.one("SELECT id FROM api_user WHERE username = 'BAD'") or \
        client.made("BAD")
    before = stored(client, user)
    answer = edit(client, user, **{"vendor": "Kept", field: typed})
    assert said in answer.expect(422).words
    if field not in ("version", "vendor"):
        fields = answer.form("/details$").fields
        assert fields["vendor"] == "Kept" and fields[field] == typed
    assert stored(client, user) == before


def test_who_was_faster(client):
    user = client.made("RACED")
    pages = [client.owner.get(f"/api-users/{user}/details") for _ in range(2)]
    edit(client, user, page=pages[0], vendor="First").expect(303)
    answer = edit(client, user, page=pages[1], vendor="Second").expect(409)
    assert "Somebody else changed this user" in answer.words
    assert answer.form("/details$").fields["vendor"] == "First"
    edit(client, user, page=answer, vendor="Second").expect(303)


def test_who_may_not(server, keeper, admin, client):
    user = client.made("GUARDED")
    other = Client(server, keeper)
    for browser, paths in (
            (other.owner, ["/api-users"]), (client.join("member"),
                                            ["/api-users"]),
            (keeper, ["/api-users", "/staff/api-users"]),
            (admin, ["/api-users"])):
        csrf = browser.get("/account").form("signout").fields["csrf"]
        for path in paths:
            browser.get(f"{path}/{user}/details").expect(404)
            browser.post(f"{path}/{user}/details", {
                "csrf": csrf, "version": "1", "vendor": "V",
                "integration": "I"}).expect(404)
            browser.post(f"{path}/{user}/delete", {
                "csrf": csrf, "confirm": "GUARDED"}).expect(404)
    assert client.one("SELECT state FROM api_user WHERE id = %s",
                      user) == "enabled"
    assert stored(client, user)[0] == "Vendor of GUARDED"


def test_an_admin_edits_and_deletes_and_owners_are_told(
        server, admin, client):
    user = client.made("BEHALF")
    where = f"/staff/api-users/{user}"
    page = admin.get(f"{where}/details").expect(200)
    admin.submit(page, {"note": "By us"}, "/details$").expect(303)
    told = server.mail.wait(client.owner.email,
                            f"BEHALF@{client.code} was changed")
    assert "Ida Admin of our staff changed note" in told.text
    assert "By us" not in told.text
    admin.submit(admin.get(where), {"role": client.role("read-only")},
                 "/permissions$").expect(303)
    told = server.mail.wait(client.owner.email,
                            f"BEHALF@{client.code} was changed", count=2)
    assert "changed its roles" in told.text
    admin.submit(admin.get(where), {"confirm": "OTHER"}, "/delete$"
                 ).expect(422)
    answer = admin.submit(admin.get(where), {"confirm": "BEHALF"}, "/delete$"
                          ).expect(303)
    assert "is deleted" in admin.follow(answer).words
    server.mail.wait(client.owner.email, "deleted by our staff")
    client.owner.get(f"/api-users/{user}").expect(404)
    assert client.passwords(user) == ["ended"]


def test_an_admin_changes_roles_and_owners_are_told(
        server, keeper, admin, client):
    list_at = f"/staff/tenants/{client.code}/api-roles"
    page = keeper.get(list_at).expect(200)
    assert "Billing" in page.words and not page.has_form("/api-roles$")
    page = admin.get(list_at).expect(200)
    answer = admin.submit(page, {"name": "Ours"}, "/api-roles$").expect(303)
    role = answer.location.split("/")[-1].split("?")[0]
    assert answer.location.startswith(f"{list_at}/{role}")
    told = server.mail.wait(client.owner.email, "Ours was changed")
    assert "Ida Admin of our staff made the role" in told.text
    resource = client.one("SELECT id FROM product_resource WHERE path = "
                          "'/billing/api/v1/contacts'")
    page = admin.follow(answer).expect(200)
    admin.submit(page, {"p": f"{resource}:GET"}, f"/{role}$").expect(303)
    told = server.mail.wait(client.owner.email, "Ours was changed", count=2)
    assert "changed the role" in told.text
    assert client.one("SELECT count(*) FROM api_role_grant WHERE role_id = "
                      "%s", role) == 1
    # Staff look, and change nothing.
    page = keeper.get(f"{list_at}/{role}").expect(200)
    assert "disabled" in page.text and "Save the role" not in page.words
    csrf = page.form("signout").fields["csrf"]
    for path in ("", f"/{role}", f"/{role}/delete"):
        keeper.post(list_at + path, {"csrf": csrf, "version": "2",
                                     "name": "Theirs"}).expect(404)
    # Another client's role is none here.
    other = Client(server, keeper)
    admin.get(f"{list_at}/{other.role()}").expect(404)
    admin.get(f"/staff/tenants/{nobody()[:8]}/api-roles").expect(404)
    admin.submit(admin.get(f"{list_at}/{role}"), {}, "/delete$").expect(303)
    server.mail.wait(client.owner.email, "Ours was changed", count=3)
    assert [len(client.audits(f"api_role.{what}")) for what in
            ("made", "changed", "deleted")] == [1, 1, 1]


def test_search(server, keeper):
    client = Client(server, keeper)
    server.sql(
        "INSERT INTO api_user (id, tenant_id, username, vendor, "
        "vendor_folded, integration, contact_email, created_by) SELECT "
        "gen_random_uuid(), %s, 'USER-' || lpad(n::text, 4, '0'), "
        "'Vendor ' || n %% 10, 'v', CASE n WHEN 700 THEN 'Ticket Sync' "
        "ELSE 'Other' END, 'ines' || n || '@fort.example', (SELECT account_id "
        "FROM person WHERE email = %s) FROM generate_series(1, 1000) AS n",
        (client.tenant, client.owner.email))

    def found(typed, by=client.owner, where="/api-users"):
        return by.get(f"{where}?q={typed}").expect(200)
    page = found("ticket+sync")
    assert "1 API user found" in page.words and "USER-0700" in page.text
    assert "100 API users found" in found("vendor+7").words
    assert "USER-0321" in found("INES321%40").text
    assert "USER-0321" in found(
        "user-0321", keeper, f"/staff/tenants/{client.code}/api-users").text
    for odd in ("%25", "%27--", "_______", "x" * 900, "%5c"):
        page = found(odd)
        assert "No API user found" in page.words or len(odd) > 100, odd
    # A page goes on with what was searched for.
    page = found("vendor+7")
    more = page.text.split('rel="next"')[0].rsplit('href="', 1)[1]
    path = more.split('"')[0].replace("&amp;", "&")
    assert "q=vendor%207" in path, path
    page = client.owner.get(path).expect(200)
    assert page.text.count('data-label="State"') == 50
    assert "Vendor 7" in page.words and "Vendor 8" not in page.words
    other = Client(server, keeper)
    assert "USER-" not in found("user", other.owner).text


def test_the_largest_matrix_is_saved(server, keeper):
    client = Client(server, keeper)
    client.server.sql("UPDATE subscription SET state = 'cancelled' WHERE "
                      "tenant_id = %s", (client.tenant,))
    products = [str(uuid.uuid4()) for _ in range(4)]
    for place, product in enumerate(products):
        server.sql(
            "INSERT INTO product (id, slug, name, place, one_key_per_tenant) "
            "VALUES (%s, 'large-' || %s::text, 'Large ' || %s, %s, false)",
            (product, product[:8], place, 100 + place))
        server.sql(
            "INSERT INTO product_resource (product_id, place, name, path, "
            "operations) SELECT %s, n, 'R' || n, '/p%s/r' || n, %s "
            "FROM generate_series(1, 50) AS n",
            (product, place, list(OPERATIONS)))
        server.sql(
            "INSERT INTO subscription (id, tenant_id, product_id, one_key, "
            "name) VALUES (gen_random_uuid(), %s, %s, false, 'L-KEY')",
            (client.tenant, product))
    role = client.role("full")

    def grants():
        return client.one("SELECT count(*) FROM api_role_grant g JOIN "
                          "product_resource x ON x.id = g.resource_id WHERE "
                          "g.role_id = %s AND x.path LIKE '/p_/%%'", role)
    assert grants() == 1000
    page = client.owner.get(f"/api-roles/{role}").expect(200)
    assert page.text.count(' name="p"') == 750
    assert "first 150 resources" in page.words
    form = page.form(f"/api-roles/{role}$")
    rest = [(k, v) for k, v in form.fields.items() if k != "p"]
    ticks = [("p", f"{row[0]}:{operation}") for row in server.sql(
        "SELECT x.id FROM product_resource x JOIN product p ON p.id = "
        "x.product_id WHERE p.id = ANY (%s::uuid[]) ORDER BY p.place, "
        "x.place", (products[:3],)) for operation in OPERATIONS]
    assert len(ticks) == 750
    client.owner.post(form.action, rest + ticks).expect(303)
    assert grants() == 1000
    # What the page has no room for stays.
    rest = [(k, "2" if k == "version" else v) for k, v in rest]
    client.owner.post(form.action, rest + ticks[:1]).expect(303)
    assert grants() == 251
