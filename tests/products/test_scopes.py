"""Scopes of products and how their keys are handed out, over HTTP: the forms
and what they refuse, what becomes of keys, two admins at once."""

import re
import uuid

import pytest
from lib import flows
from products.test_catalogue import audits, make, row

TYPED = {"name_0": "Customers", "path_0": "/v1/customers", "may_0": "GET",
         "name_1": "Categories", "path_1": "/v1/categories", "may_1": "PUT"}


@pytest.fixture(scope="module")
def admin(server):
    return flows.staff(server, role="admin", name="Ida Admin")


@pytest.fixture(scope="module")
def other(server):
    return flows.staff(server, role="admin", name="Otto Admin")


def product(server, admin):
    """A published product with two resources; path and slug."""
    path, slug = make(server, admin)
    page = admin.get(f"{path}/resources").expect(200)
    admin.submit(page, TYPED, "/resources$").expect(303)
    server.sql("UPDATE product_resource SET operations = "
               "'{GET,POST,DELETE}' WHERE path = '/v1/customers' AND "
               "product_id = %s", (path.rsplit("/", 1)[1],))
    return path, slug


def put(admin, path, scopes, status=303, **more):
    """Saves scopes: word, description, what it stands for."""
    page = admin.get(f"{path}/scopes").expect(200)
    kept = {k: v for k, v in page.form("/scopes$").fields.items()
            if k in ("csrf", "version")}
    for n, (word, note, grants) in enumerate(scopes):
        kept |= {f"word_{n}": word, f"note_{n}": note, f"grants_{n}": grants}
    return admin.post(f"{path}/scopes", kept | more).expect(status)


def saved(server, path):
    return server.sql(
        "SELECT s.word, s.description, coalesce(string_agg(g.operation || "
        "r.path, ' ' ORDER BY r.path, g.operation), '') "
        "FROM product_scope s LEFT JOIN product_scope_grant g ON g.scope_id "
        "= s.id LEFT JOIN product_resource r ON r.id = g.resource_id "
        "WHERE s.product_id = %s GROUP BY s.id ORDER BY s.place",
        (path.rsplit("/", 1)[1],))


def key(server, path, words, profile="partner-key"):
    """A client's key of the product with these scopes, by SQL."""
    id = path.rsplit("/", 1)[1]
    n = uuid.uuid4().hex[:8].upper()
    owner = flows.contact(server, email=f"a@{n.lower()}.example",
                          client=f"Scope {n}")
    tenant = flows.add_tenant(server, f"S{n}")
    server.sql("UPDATE product SET profile = %s, one_key_per_tenant = false "
               "WHERE id = %s", (profile, id))
    made = server.sql("""WITH who AS (SELECT account_id FROM person
          WHERE email = %s), seat AS (INSERT INTO membership
            (account_id, tenant_id, role, let_in_by)
          SELECT account_id, %s, 'member', 'domain' FROM who),
        s AS (INSERT INTO subscription (id, tenant_id, product_id, one_key,
            name) VALUES (gen_random_uuid(), %s, %s, false, 'X-KEY')
          RETURNING id)
        SELECT s.id, who.account_id FROM s, who""",
                      (owner.email, tenant, tenant, id))[0]
    made = server.sql(
        "INSERT INTO issued_key (id, subscription_id, name, name_folded, "
        "maker_id, state) VALUES (gen_random_uuid(), %s, 'A', 'a', %s, "
        "'active') RETURNING id", made)[0][0]
    server.sql("INSERT INTO issued_key_scope SELECT %s, id FROM product_scope "
               "WHERE product_id = %s AND word = ANY (%s)",
               (made, id, list(words)))
    return made


READ = ("read:customer", "Read customers", "GET /v1/customers")
WRITE = ("write:customer", "Change <b>", "post, DELETE /v1/customers\n\n"
         "PUT /v1/categories")


def test_scopes_are_named(server, admin):
    path, slug = product(server, admin)
    before = row(server, path, "version")[0]
    put(admin, path, [READ, WRITE])
    assert saved(server, path) == [
        ("read:customer", "Read customers", "GET/v1/customers"),
        ("write:customer", "Change <b>", "PUT/v1/categories "
         "DELETE/v1/customers POST/v1/customers")]
    assert row(server, path, "version")[0] == before + 1
    assert audits(server, path)[-1] == "product.scopes"
    page = server.client().get(f"/products/{slug}").expect(200)
    for said in ("read:customer", "Change <b>", "POST DELETE /v1/customers"):
        assert said in page.words
    assert "write:customer" in admin.get(path).words
    # Words stay the rows that they are, whatever is said of them.
    ids = server.sql("SELECT id FROM product_scope WHERE word = 'read:customer'"
                     " AND product_id = %s", (path.rsplit("/", 1)[1],))
    put(admin, path, [("read:customer", "Look", "GET POST /v1/customers")])
    assert ids == server.sql(
        "SELECT id FROM product_scope WHERE product_id = %s",
        (path.rsplit("/", 1)[1],))
    assert saved(server, path)[0][1:] == (
        "Look", "GET/v1/customers POST/v1/customers")
    put(admin, path, [])
    assert saved(server, path) == []


@pytest.mark.parametrize("fields, field, said", [
    ({"word_0": ""}, "word_0", "3 to 64"),
    ({"word_0": "ab"}, "word_0", "3 to 64"),
    ({"word_0": "a" * 65}, "word_0", "3 to 64"),
    ({"word_0": "Read:x"}, "word_0", "3 to 64"),
    ({"word_0": "read x"}, "word_0", "3 to 64"),
    ({"word_1": "read:x", "grants_1": "GET /v1/customers"}, "word_1",
     "Scope 1 has this word"),
    ({"note_0": "x" * 201}, "note_0", "up to 200"),
    ({"note_0": "a​b"}, "note_0", "nobody sees"),
    ({"grants_0": ""}, "grants_0", "Say what it stands for"),
    ({"grants_0": "GET"}, "grants_0", "Line 1: write operations"),
    ({"grants_0": "/v1/customers"}, "grants_0", "Line 1: write operations"),
    ({"grants_0": "GET /v1/customers\nGET /v2"}, "grants_0",
     "Line 2: no resource"),
    ({"grants_0": "PUT /v1/customers"}, "grants_0", "doesn’t offer PUT"),
    ({"grants_0": "LOOK /v1/customers"}, "grants_0", "doesn’t offer LOOK"),
])
def test_a_scope_refused_and_kept(server, admin, fields, field, said):
    path, _ = product(server, admin)
    page = admin.get(f"{path}/scopes").expect(200)
    answer = admin.submit(page, {"word_0": "read:x", "note_0": "X",
                                 "grants_0": "GET /v1/customers", **fields},
                          "/scopes$").expect(422)
    assert said in answer.words
    assert f'href="#{field}"' in answer.text and f'id="{field}"' in answer.text
    assert answer.form("/scopes$").fields[field].strip() == fields[field]
    assert saved(server, path) == []


def test_proposals_save_nothing(server, admin):
    path, _ = product(server, admin)
    put(admin, path, [READ])
    page = admin.get(f"{path}/scopes").expect(200)
    more = admin.submit(page, {"do": "propose"}, "/scopes$").expect(200)
    fields = more.form("/scopes$").fields
    words = [fields[f"word_{n}"] for n in range(3)]
    assert words == ["read:customer", "write:customer", "write:category"]
    assert fields["note_0"] == "Read customers"
    assert fields["grants_1"].strip() == "POST DELETE /v1/customers"
    assert len(saved(server, path)) == 1
    admin.submit(more, {}, "/scopes$").expect(303)
    assert [r[0] for r in saved(server, path)] == words


def test_keys_lose_a_scope_only_when_it_was_said(server, admin):
    path, _ = product(server, admin)
    put(admin, path, [READ, WRITE])
    id = key(server, path, ["read:customer", "write:customer"])
    answer = put(admin, path, [READ], 422)
    assert "Keys that lose a scope: 1" in answer.words
    assert len(saved(server, path)) == 2
    # Said for another number of keys, it isn't done either.
    put(admin, path, [READ], 422, losers="2")
    put(admin, path, [READ], 303, losers="1")
    assert server.sql("SELECT count(*) FROM issued_key_scope WHERE key_id = "
                      "%s", (id,)) == [(1,)]
    # What no key has goes without a word, what ended keys have as well.
    server.sql("UPDATE issued_key SET state = 'revoked' WHERE id = %s", (id,))
    put(admin, path, [])
    detail = server.sql("SELECT detail FROM audit WHERE subject_id = %s "
                        "AND action = 'product.scopes' ORDER BY id DESC",
                        (path.rsplit("/", 1)[1],))
    assert detail[1][0]["gone"] == 1
    assert detail[1][0]["keys_lose"] == 1 and detail[0][0]["keys_lose"] == 0


@pytest.mark.parametrize("page", ["scopes", "keys"])
def test_the_later_of_two_admins(server, admin, other, page):
    path, _ = product(server, admin)
    mine = admin.get(f"{path}/{page}").expect(200)
    put(other, path, [READ])
    typed = {"word_0": "mine:all", "grants_0": "GET /v1/customers"} \
        if page == "scopes" else {"profile": "user-key", "do": "save",
                                  "looked": "user-key "}
    late = admin.submit(mine, typed, f"/{page}$").expect(409)
    assert "Otto Admin was faster" in late.words
    assert saved(server, path)[0][0] == "read:customer"
    assert row(server, path, "profile") == ("subscription-pair",)
    # Knowing that, it can be saved over the other's.
    if page == "scopes":
        admin.submit(late, {}, "/scopes$").expect(303)
        assert saved(server, path)[0][0] == "mine:all"


# -- how keys are handed out


def look(admin, path, profile, **more):
    page = admin.get(f"{path}/keys").expect(200)
    return admin.submit(page, {"profile": profile, "do": "look", **more},
                        "/keys$")


def test_a_profile_is_looked_at_and_saved(server, admin):
    path, slug = product(server, admin)
    seen = look(admin, path, "user-key", key_calls="50").expect(200)
    for said in ("With Keys of people", "In the header X-Api-Key",
                 "Now: In the header Ocp-Apim-Subscription-Key",
                 "X-Tenant-Name, by the client’s short name",
                 "Everybody of the client", "first 12 characters", "ca_ and",
                 "50 of each key", "deleted", "Nothing changes for any key"):
        assert said in seen.words, said
    assert row(server, path, "profile") == ("subscription-pair",)
    # What wasn't looked at is shown first.
    again = admin.submit(seen, {"profile": "exchange", "do": "save"},
                         "/keys$").expect(200)
    assert "With Keys that are exchanged" in again.words
    assert row(server, path, "profile") == ("subscription-pair",)
    admin.submit(seen, {"do": "save"}, "/keys$").expect(303)
    assert row(server, path, "profile, key_calls_a_minute") == ("user-key", 50)
    assert audits(server, path)[-1] == "product.keys"
    assert "Keys: Keys of people" in admin.get(path).words


@pytest.mark.parametrize("fields, field", [
    ({"profile": "nothing"}, "profile"), ({"profile": ""}, "profile"),
    ({"key_calls": "0"}, "key_calls"), ({"key_calls": "x"}, "key_calls"),
    ({"key_calls": "1000001"}, "key_calls")])
def test_a_profile_refused(server, admin, fields, field):
    path, _ = product(server, admin)
    page = admin.get(f"{path}/keys").expect(200)
    answer = admin.submit(page, {"do": "save", **fields},
                          "/keys$").expect(422)
    assert f'href="#{field}"' in answer.text and f'id="{field}"' in answer.text


def test_pairs_stay_pairs_while_somebody_has_one(server, admin):
    flows.client_with_key(server, "PAIRCO", "Pair Works")
    id = server.sql("SELECT id FROM product WHERE slug = 'revio-api'")[0][0]
    path = f"/staff/products/{id}"
    seen = look(admin, path, "exchange").expect(200)
    assert "This can’t be saved" in seen.words
    assert not re.search(r'value="save"', seen.text)
    version = seen.form("/keys$").fields["version"]
    answer = admin.post(f"{path}/keys", {
        "csrf": seen.form("/keys$").fields["csrf"], "version": version,
        "profile": "exchange", "key_calls": "", "do": "save",
        "looked": "exchange "}).expect(422)
    assert "pairs can’t become issued keys" in answer.words
    assert row(server, path, "profile") == ("subscription-pair",)
    # Its number of calls may change all the same.
    seen = look(admin, path, "subscription-pair", key_calls="30").expect(200)
    admin.submit(seen, {"do": "save"}, "/keys$").expect(303)
    seen = look(admin, path, "subscription-pair", key_calls="").expect(200)
    admin.submit(seen, {"do": "save"}, "/keys$").expect(303)


def test_issued_keys_go_on_under_another_profile(server, admin):
    path, _ = product(server, admin)
    put(admin, path, [READ])
    id = key(server, path, ["read:customer"])
    seen = look(admin, path, "user-key").expect(200)
    for said in ("Keys that were issued: 1",
                 "1 key: calls that don’t name the client in the header "
                 "X-Tenant-Name are refused", "1 key: scopes are kept",
                 "1 key: lose what their maker may not",
                 "1 key: keep their values"):
        assert said in seen.words, said
    # The maker has no role, so the key may nothing under the new one.
    matrix = "SELECT key_matrix(%s) LIKE '%%/v1/customers GET=all%%'"
    assert server.sql(matrix, (id,)) == [(True,)]
    admin.submit(seen, {"do": "save"}, "/keys$").expect(303)
    assert server.sql(matrix, (id,)) == [(False,)]
    seen = look(admin, path, "exchange").expect(200)
    assert "1 key: carried in another way" in seen.words
    assert "may all that the maker may" in seen.words


@pytest.mark.parametrize("profile, has, hasnt", [
    ("subscription-pair", ["Ocp-Apim-Subscription-Key: $KEY", "-u \"FORTAPI"],
     ["Bearer", "Its keys"]),
    ("user-key", ["X-Api-Key: $KEY", "X-Tenant-Name: your-short-name",
                  "Keys of people"], ["Ocp-Apim", "FORTAPI", "Bearer"]),
    ("exchange", ["https://api.tickets.example/api/v1/auth/api-key/exchange",
                  "Authorization: Bearer $",
                  "X-Revio-Host: your.host.example", '"Bearer " + token'],
     ["Ocp-Apim", "FORTAPI"]),
    ("partner-key", ["x-api-key: $KEY", "Settings → Integrations → Developer",
                     "Status 403"], ["X-Tenant-Name", "Bearer"]),
])
def test_how_to_call_is_the_profiles(server, admin, profile, has, hasnt):
    path, slug = product(server, admin)
    server.sql("UPDATE product SET profile = %s WHERE id = %s",
               (profile, path.rsplit("/", 1)[1]))
    words = server.client().get(f"/products/{slug}").expect(200).words
    for said in has:
        assert said in words, said
    for said in hasnt:
        assert said not in words, said
