"""The route map of a product from its OpenAPI document: what is read, what is
shown before it is saved, and what is refused with its place."""

import json

import pytest
from lib import flows
from products.test_catalogue import audits, make
from products.test_scopes import saved


@pytest.fixture(scope="module")
def admin(server):
    return flows.staff(server, role="admin", name="Ida Admin")


@pytest.fixture(scope="module")
def other(server):
    return flows.staff(server, role="admin", name="Otto Admin")


def op(*scopes, **more):
    return {"security": [{"oauth": [s]} for s in scopes], **more}


def document(paths, **more):
    return json.dumps({"openapi": "3.1.0", "info": {}, "paths": paths,
                       **more})


CRM = document({
    "/customers": {"get": op("read:customer", tags=["Customers"]),
                   "post": op("write:customer")},
    "/customers/{customerId}/notes": {
        "summary": "Notes", "parameters": [],
        "get": {"x-scope": "read:note"},
        "delete": {"x-scope": ["write:note", "admin:all"]},
        "options": {}},
    "/health": {"get": {"security": [{}]}},
    "/shared": {"$ref": "#/components/pathItems/one"},
    "/nothing": {"head": {}},
}, servers=[{"url": "https://api.example/crm/"}],
    security=[{"oauth": ["read:all"]}],
    components={
        "pathItems": {"one": {"$ref": "#/components/pathItems/two"},
                      "two": {"put": {"summary": "Put it"}}},
        "securitySchemes": {"oauth": {"type": "oauth2", "flows": {
            "clientCredentials": {"scopes": {
                "read:customer": "Read <customers>"}}}}}})


def look(admin, path, text):
    page = admin.get(f"{path}/routes").expect(200)
    return admin.submit(page, {"document": text, "do": "look"}, "/routes$")


def resources(server, path):
    return server.sql("SELECT path, operations, name, note, id FROM "
                      "product_resource WHERE product_id = %s ORDER BY place",
                      (path.rsplit("/", 1)[1],))


def test_a_document_is_read(server, admin):
    path, slug = make(server, admin)
    seen = look(admin, path, CRM).expect(200)
    for said in ("New resource /crm/customers", "GET, POST",
                 "/crm/customers/{customerId}/notes GET, DELETE",
                 "New scope read:customer GET /crm/customers",
                 "read:all PUT /crm/shared"):
        assert said in seen.words, said
    assert resources(server, path) == []
    admin.submit(seen, {"do": "save"}, "/routes$").expect(303)
    assert [r[:4] for r in resources(server, path)] == [
        ("/crm/customers", ["GET", "POST"], "Customers", ""),
        ("/crm/customers/{customerId}/notes", ["GET", "DELETE"], "Notes", ""),
        ("/crm/health", ["GET"], "Health", ""),
        ("/crm/shared", ["PUT"], "Shared", "Put it")]
    assert saved(server, path) == [
        ("read:customer", "Read <customers>", "GET/crm/customers"),
        ("write:customer", "", "POST/crm/customers"),
        ("read:note", "", "GET/crm/customers/{customerId}/notes"),
        ("write:note", "", "DELETE/crm/customers/{customerId}/notes"),
        ("admin:all", "", "DELETE/crm/customers/{customerId}/notes"),
        ("read:all", "", "PUT/crm/shared")]
    assert audits(server, path)[-1] == "product.routes"
    # Another one: what stays keeps its id, its name and other scopes.
    first = resources(server, path)
    again = document({"/crm/customers/{id}/notes": {
        "get": op("read:note"), "post": op("new:one")}})
    seen = look(admin, path, again).expect(200)
    for said in ("Changed resource /crm/customers/{id}/notes GET, POST",
                 "Taken away, with the permissions for it /crm/customers",
                 "Scope, stands for this from then on read:note"):
        assert said in seen.words, said
    admin.submit(seen, {"do": "save"}, "/routes$").expect(303)
    assert resources(server, path) == [
        ("/crm/customers/{id}/notes", ["GET", "POST"], "Notes", "",
         first[1][4])]
    assert ("read:customer", "Read <customers>", "") in saved(server, path)
    seen = look(admin, path, again).expect(200)
    assert "Resources that stay as they are: 1" in seen.words


def test_what_was_not_looked_at_is_not_saved(server, admin, other):
    path, _ = make(server, admin)
    seen = look(admin, path, CRM).expect(200)
    more = document({"/a": {"get": op("read:a")}})
    again = admin.submit(seen, {"document": more, "do": "save"},
                         "/routes$").expect(200)
    assert "New resource /a" in again.words
    assert resources(server, path) == []
    late = look(other, path, CRM).expect(200)
    admin.submit(again, {"do": "save"}, "/routes$").expect(303)
    answer = other.submit(late, {"do": "save"}, "/routes$").expect(409)
    assert "Ida Admin was faster" in answer.words
    assert [r[0] for r in resources(server, path)] == ["/a"]


ONE = {"get": op("read:a")}
WRONG = [
    ("", "line 1"), ("[]", "openapi: this must be"),
    ('{"openapi": "3.1.0", "openapi": "3.1.0"}', "stands twice"),
    ("openapi: 3.1.0", "YAML has to be made JSON"),
    ("[" * 41 + "]" * 41, "40 brackets"),
    ('{"swagger": "2.0", "paths": {}}', "openapi: this must be"),
    (document({}), "paths: there are none"),
    (document({"/a": {"head": {}}}), "none has an operation"),
    (document({"a": ONE}), "paths.a: A path begins"),
    (document({"/": ONE}), "paths./: A path begins"),
    (document({"/a/": ONE}), "paths./a/: A path begins"),
    (document({"/a/../b": ONE}), "paths./a/../b: A path begins"),
    (document({"/a/{x}.json": ONE}), "paths./a/{x}.json: A path"),
    (document({"/a/{x}:go": ONE}), "paths./a/{x}:go: A path"),
    (document({"/" + "x" * 201: ONE}), "up to 200"),
    (document({"/a/{x}": ONE, "/a/{y}": ONE}),
     "paths./a/{y}: is one path with /a/{x}"),
    (document({f"/a{n}": ONE for n in range(101)}), "at most 100 resources"),
    (document({"/a": 7}), "paths./a: is no object"),
    (document({"/a": {"get": 7}}), "paths./a.get: is no object"),
    (document({"/a": {**ONE, "servers": []}}), "paths./a.servers"),
    (document({"/a": {"get": {"servers": []}}}), "paths./a.get.servers"),
    (document({"/a": {"get": {"security": {}}}}), "security: is no list"),
    (document({"/a": {"get": {"security": [{"o": ["a:b", "a:c"]}]}}}),
     "paths./a.get.security.0: needs two scopes"),
    (document({"/a": {"get": {"security": [{"o": ["a:b"], "p": ["a:c"]}]}}}),
     "paths./a.get.security.0: needs two scopes"),
    (document({"/a": {"get": op("Read All")}}),
     "paths./a.get.security.0.oauth.0: A scope has 3 to 64"),
    (document({"/a": {"get": op(7)}}), "This is no word"),
    (document({"/a": {"get": {"x-scope": 7}}}), "paths./a.get.x-scope"),
    (document({"/a": {"get": {"x-scope": ["a:b", None]}}}),
     "paths./a.get.x-scope.1: This is no word"),
    (document({f"/a{n}": {"get": op(f"read:{n}"), "put": op(f"put:{n}")}
               for n in range(60)}), "at most 100 scopes"),
    (document({"/a": {"$ref": "#/components/pathItems/a"}},
              components={"pathItems": {
                  "a": {"$ref": "#/components/pathItems/a"}}}),
     "paths./a.$ref: leads in a circle"),
    (document({"/a": {"$ref": "https://x.example/a.json"}}),
     "paths./a.$ref: leads out"),
    (document({"/a": {"$ref": "#/components/pathItems/none"}}),
     "paths./a: is no object"),
    (document({"/a": {"$ref": "#/components/pathItems/b", **ONE}}),
     "paths./a.$ref: has operations beside it"),
    (document({"/a": ONE}, servers=[{"url": "https://{x}.example"}]),
     "servers.0.url: has a variable"),
]


def test_a_document_refused_with_its_place(server, admin):
    path, _ = make(server, admin, publish=False)
    for text, said in WRONG:
        answer = look(admin, path, text).expect(422)
        assert said in answer.words, (text[:80], said)
        assert 'href="#document"' in answer.text
        kept = answer.form("/routes$").fields["document"]
        assert kept.strip() == text.strip()
    assert resources(server, path) == []
    page = admin.get(f"{path}/routes").expect(200)
    admin.submit(page, {"document": "x" * 70000}, "/routes$").expect(413)
