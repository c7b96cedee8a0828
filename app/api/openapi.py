"""The description of the machine API, OpenAPI 3.1, as JSON; with --c as the C
text that the build puts into the portal.  tests/api holds it against the route
table and against what is answered.

An operation: method, path, what it does, who may, scope; then what goes in
and what comes out."""

import json
import sys

TEXT = {"type": "string"}
NUMBER = {"type": "integer"}
BOOL = {"type": "boolean"}
ID = {"type": "string", "format": "uuid"}
TIME = {"type": "string", "format": "date-time"}
TEXTS = {"type": "array", "items": TEXT}
SLOT = {"type": "string", "enum": ["primary", "secondary"]}


def some(schema):
    """Or null."""
    if "enum" in schema:
        return {"oneOf": [schema, {"type": "null"}]}
    return {**schema, "type": [schema["type"], "null"]}


def thing(**members):
    """An object of exactly these members."""
    return {"type": "object", "additionalProperties": False,
            "properties": members, "required": list(members)}


def body(must, may=None):
    return {"type": "object", "additionalProperties": False,
            "properties": {**must, **(may or {})}, "required": list(must)}


def ref(name):
    return {"$ref": f"#/components/schemas/{name}"}


def page(name):
    return thing(items={"type": "array", "items": ref(name)},
                 next=some(TEXT))


OVERLAP = {"type": "integer", "minimum": 0, "maximum": 2592000,
           "description": "Seconds that the old value goes on; 0 is now."}
PASSWORD_OVERLAP = {"type": "integer", "enum": [0, 3600, 86400, 604800]}
REQUEST = dict(
    id=ID, name=TEXT, product=TEXT,
    state={"type": "string", "enum": ["submitted", "approved", "shared",
                                      "rejected", "withdrawn"]})
ROLE = dict(id=ID, name=TEXT, is_preset=BOOL, users=NUMBER, accounts=TEXTS)

SCHEMAS = {
    "Me": thing(
        id=ID, name=TEXT, email=TEXT,
        kind={"type": "string", "enum": ["contact", "staff", "admin"]},
        token=thing(id=ID, name=TEXT, expires_at=TIME, scopes=TEXTS)),
    "MyTenant": thing(
        id=ID, code=TEXT, name=TEXT,
        role={"type": "string", "enum": ["owner", "manager", "member"]}),
    "Product": thing(
        id=ID, slug=TEXT, name=TEXT, summary=TEXT,
        state={"type": "string", "enum": ["draft", "published", "hidden",
                                          "closing", "closed"]},
        base_url=some(TEXT), is_open=BOOL, needs_api_user=BOOL,
        calls_a_minute=NUMBER, user_calls_a_minute=NUMBER,
        terms_version=NUMBER, closes_at=some(TIME)),
    "Subscription": thing(
        id=ID, name=TEXT, product=TEXT, environment=TEXT, tenant=TEXT,
        state={"type": "string", "enum": ["active", "suspended", "expired",
                                          "cancelled"]},
        created_at=TIME, expires_at=some(TIME), ended_at=some(TIME)),
    "Key": thing(
        id=ID, slot=SLOT, last4=TEXT, is_old=BOOL, made_at=TIME,
        made_by=some(TEXT), ends_at=some(TIME), used_at=some(TIME),
        used_from=some(TEXT)),
    "KeyShown": thing(
        id=ID, slot=SLOT, key={"type": "string", "pattern": "^[0-9a-f]{32}$"},
        old_until=some(TIME)),
    "Request": thing(
        **REQUEST, is_own=BOOL, waits_on_contact=BOOL, submitted_at=TIME,
        due_at=TIME, decided_at=some(TIME), reason=some(TEXT)),
    "ApiUser": thing(
        id=ID, username=TEXT, vendor=TEXT, integration=TEXT,
        contact_name=some(TEXT), contact_email=some(TEXT), note=some(TEXT),
        state={"type": "string", "enum": ["enabled", "disabled"]},
        disabled_by_staff=BOOL, roles=TEXTS, created_at=TIME,
        expires_at=some(TIME), password_at=some(TIME), old_until=some(TIME),
        used_at=some(TIME), used_from=some(TEXT)),
    "ApiUserShown": thing(user=ref("ApiUser"), login=TEXT, password=TEXT),
    "Permission": thing(
        resource=ID, name=TEXT, product=TEXT, path=TEXT,
        granted={"type": "object", "additionalProperties": TEXTS}),
    "Verdict": thing(may=BOOL, why=TEXT),
    "HandOver": thing(link=TEXT, expires_at=TIME, with_key=BOOL),
    "Role": thing(**ROLE),
    "RoleWhole": thing(**ROLE, grants=TEXTS),
    "Resource": thing(id=ID, name=TEXT, product=TEXT, path=TEXT,
                      operations=TEXTS),
    "StaffRequest": thing(
        **REQUEST, person=some(TEXT), email=some(TEXT), client=some(TEXT),
        submitted_at=TIME, due_at=TIME, decided_at=some(TIME),
        decided_by=some(TEXT), reason=some(TEXT), waits_on_contact=BOOL,
        assigned_to=some(TEXT),
        tenants={"type": "array", "items": thing(
            code=TEXT, name=TEXT, is_own=BOOL, has_domain=BOOL, has_key=BOOL,
            needs_reason=BOOL)},
        checks={"type": "array", "items": thing(title=TEXT, text=TEXT,
                                                is_good=BOOL)}),
    "Tenant": body(dict(
        id=ID, code=TEXT, name=TEXT, slug=TEXT, domains=TEXTS,
        former_codes=TEXTS,
        state={"type": "string", "enum": ["active", "closed"]},
        contacts=NUMBER, key_name=some(TEXT), key_state=some(TEXT),
        created_at=TIME), dict(version=NUMBER)),
    "FoundKey": thing(
        id=ID, slot=SLOT, last4=TEXT,
        state={"type": "string", "enum": ["current", "old", "ended"]},
        subscription_id=ID, subscription=TEXT, subscription_state=TEXT,
        tenant=TEXT, client=TEXT, made_at=TIME, ends_at=some(TIME),
        used_at=some(TIME)),
    "AuditEntry": thing(
        id=TEXT, at=TIME, tenant=some(TEXT), actor_kind=TEXT,
        actor_id=some(ID), actor=TEXT, action=TEXT, subject_kind=TEXT,
        subject_id=ID, subject=some(TEXT),
        detail={"type": "string", "description": "JSON"}),
    "Problem": body(
        dict(type=TEXT, title=TEXT, status=NUMBER, code=TEXT),
        dict(detail=TEXT, request_id=TEXT,
             errors={"type": "array", "items": thing(field=TEXT,
                                                     text=TEXT)})),
}

AFTER = ("after", "What `next` was on the page before.")
ROLE_BODY = body(
    dict(name=TEXT, grants={
        **TEXTS, "description": "Each the id of a resource, a colon and an "
        "operation."}),
    dict(accounts={**TEXTS, "description": "Account numbers; none is all."}))
OPERATIONS = [
    # who, scope, method, path, name, words; out, in, query, more
    ("any", "", "get", "/me", "getMe", "Who the token acts for",
     dict(out=ref("Me"))),
    ("contact", "read", "get", "/tenants", "listMyTenants",
     "The clients that I am in", dict(out=page("MyTenant"))),
    ("contact", "read", "get", "/products", "listProducts",
     "Products that are offered", dict(out=page("Product"))),
    ("contact", "read", "get", "/products/{slug}", "getProduct",
     "One product", dict(out=ref("Product"))),
    ("contact", "read", "get", "/subscriptions", "listSubscriptions",
     "My client's subscriptions, newest first",
     dict(out=page("Subscription"), query=[AFTER])),
    ("contact", "read", "get", "/subscriptions/{id}", "getSubscription",
     "One subscription", dict(out=ref("Subscription"))),
    ("contact", "read", "get", "/subscriptions/{id}/keys", "listKeys",
     "The values of its keys, by their last 4 characters",
     dict(out=page("Key"))),
    ("contact", "keys:reveal", "post",
     "/subscriptions/{id}/keys/{slot}/show", "showKey", "Show a key",
     dict(out=ref("KeyShown"))),
    ("contact", "keys:rotate", "post",
     "/subscriptions/{id}/keys/{slot}/regenerate", "regenerateKey",
     "Put a new value in place of the one that If-Match names by its id",
     dict(out=ref("KeyShown"), body=body({}, dict(overlap_s=OVERLAP)),
          match=True)),
    ("contact", "keys:rotate", "post",
     "/subscriptions/{id}/keys/{key}/end", "endKey",
     "End an old value that goes on", dict(status=204)),
    ("contact", "read", "get", "/requests", "listRequests",
     "What I asked for, and what is open of my client, newest first",
     dict(out=page("Request"), query=[AFTER])),
    ("contact", "requests:write", "post", "/requests", "submitRequest",
     "Ask for a subscription",
     dict(out=ref("Request"), status=201, body=body(
         dict(product=TEXT, name={**TEXT, "examples": ["Altaworx-KEY"]}),
         dict(terms_version=NUMBER, environment=TEXT)))),
    ("contact", "read", "get", "/requests/{id}", "getRequest",
     "One request", dict(out=ref("Request"))),
    ("contact", "requests:write", "post", "/requests/{id}/withdraw",
     "withdrawRequest", "Withdraw an open request", dict(status=204)),
    ("contact", "read", "get", "/api-users", "listApiUsers",
     "API users by name, for owners and managers",
     dict(out=page("ApiUser"), query=[AFTER])),
    ("contact", "api-users:secret", "post", "/api-users", "makeApiUser",
     "Make an API user and its password",
     dict(out=ref("ApiUserShown"), status=201, body=body(
         dict(username=TEXT, vendor=TEXT, integration=TEXT,
              roles={**TEXTS, "description": "One to five ids."}),
         dict(contact_name=TEXT, contact_email=TEXT, note=TEXT,
              expires={"type": "string", "format": "date"}, again=BOOL)))),
    ("contact", "read", "get", "/api-users/{id}", "getApiUser",
     "One API user", dict(out=ref("ApiUser"))),
    ("contact", "api-users:write", "delete", "/api-users/{id}",
     "deleteApiUser", "Delete an API user for good",
     dict(status=204, match=True)),
    ("contact", "api-users:secret", "post", "/api-users/{id}/rotate",
     "rotateApiUser", "Make a new password",
     dict(out=ref("ApiUserShown"),
          body=body({}, dict(overlap_s=PASSWORD_OVERLAP)))),
    ("contact", "api-users:write", "post", "/api-users/{id}/enable",
     "enableApiUser", "Enable an API user", dict(status=204)),
    ("contact", "api-users:write", "post", "/api-users/{id}/disable",
     "disableApiUser", "Disable an API user", dict(status=204)),
    ("contact", "api-users:write", "put", "/api-users/{id}/roles",
     "setApiUserRoles", "Give an API user these roles",
     dict(status=204, match=True, body=body(dict(roles=TEXTS)))),
    ("contact", "read", "get", "/api-users/{id}/permissions",
     "getApiUserPermissions", "What all its roles together allow",
     dict(out=page("Permission"))),
    ("contact", "read", "get", "/api-users/{id}/check", "checkApiUser",
     "May it make this call?  Answered by the gateway's own code",
     dict(out=ref("Verdict"), query=[
         ("method", "As in DELETE."),
         ("path", "As in /billing/api/v1/contacts/7.")])),
    ("contact", "api-users:secret", "post", "/api-users/{id}/hand-over",
     "handOverApiUser", "A link with which the vendor makes the password",
     dict(out=ref("HandOver"), status=201, body=body({}, dict(
         days={"type": "integer", "minimum": 1, "maximum": 7},
         overlap_s=PASSWORD_OVERLAP, with_key=BOOL)))),
    ("contact", "read", "get", "/api-roles", "listApiRoles",
     "Roles of API users", dict(out=page("Role"))),
    ("contact", "api-users:write", "post", "/api-roles", "makeApiRole",
     "Make a role", dict(out=ref("RoleWhole"), status=201, body=ROLE_BODY)),
    ("contact", "read", "get", "/api-roles/{id}", "getApiRole", "One role",
     dict(out=ref("RoleWhole"))),
    ("contact", "api-users:write", "put", "/api-roles/{id}", "setApiRole",
     "Change a role", dict(out=ref("RoleWhole"), body=ROLE_BODY,
                           match=True)),
    ("contact", "api-users:write", "delete", "/api-roles/{id}",
     "deleteApiRole", "Delete a role that nobody has",
     dict(status=204, match=True)),
    ("contact", "read", "get", "/api-resources", "listApiResources",
     "What may be granted", dict(out=page("Resource"))),
    ("staff", "queue:read", "get", "/staff/queue", "listQueue",
     "Requests, with the filters of the queue's page",
     dict(out=page("StaffRequest"), query=[
         ("state", "us, contact, open, approved, shared, rejected, "
          "withdrawn, decided or any."),
         ("sort", "oldest, newest, due or name."),
         ("product", "A slug."), ("q", "Words to look for."), AFTER])),
    ("staff", "queue:read", "get", "/staff/requests/{id}",
     "getStaffRequest", "One request with its checks",
     dict(out=ref("StaffRequest"))),
    ("staff", "queue:decide", "post", "/staff/requests/{id}/approve",
     "approveRequest", "Issue a key, to a client that there is (tenant) or "
     "to a new one (code and client)",
     dict(out=ref("StaffRequest"), body=body({}, dict(
         tenant=TEXT, code=TEXT, client=TEXT, list_domain=BOOL,
         reason=TEXT)))),
    ("staff", "queue:decide", "post", "/staff/requests/{id}/share",
     "shareRequest", "Let the contact see the key that the client has",
     dict(out=ref("StaffRequest"),
          body=body(dict(tenant=TEXT), dict(reason=TEXT)))),
    ("staff", "queue:decide", "post", "/staff/requests/{id}/reject",
     "rejectRequest", "Reject, with a reason",
     dict(out=ref("StaffRequest"), body=body(dict(reason=TEXT)))),
    ("staff", "queue:decide", "post", "/staff/requests/{id}/ask",
     "askRequest", "Ask the contact back",
     dict(status=204, body=body(dict(question=TEXT)))),
    ("staff", "tenants:read", "get", "/staff/tenants", "listTenants",
     "Clients by code", dict(out=page("Tenant"), query=[
         ("q", "A part of a name, code or mail domain."), AFTER])),
    ("admin", "tenants:write", "post", "/staff/tenants", "makeTenant",
     "Make a client", dict(out=ref("Tenant"), status=201, body=body(
         dict(code=TEXT, name=TEXT),
         dict(slug=TEXT, hosts=TEXTS, domains=TEXTS, designated=TEXTS,
              notices_to=TEXT, notes=TEXT)))),
    ("staff", "tenants:read", "get", "/staff/tenants/{code}", "getTenant",
     "One client, also by a former code", dict(out=ref("Tenant"))),
    ("staff", "tenants:read", "get", "/staff/subscriptions",
     "listAllSubscriptions", "All subscriptions, newest first",
     dict(out=page("Subscription"), query=[AFTER])),
    ("staff", "keys:find", "post", "/staff/keys/find", "findKey",
     "Whose is a key: by one of these", dict(
         out=page("FoundKey"),
         body=body({}, dict(key=TEXT, first8=TEXT, last4=TEXT)))),
    ("staff", "keys:revoke", "post", "/staff/keys/{id}/revoke",
     "revokeKey", "Replace a current value, or end an old one",
     dict(status=204, body=body(dict(reason=TEXT),
                                dict(overlap_s=OVERLAP)))),
    ("staff", "audit:read", "get", "/staff/audit", "listAudit",
     "Who did what, newest first", dict(out=page("AuditEntry"), query=[
         ("tenant", "A code."), ("actor", "An address, an id, visitor, "
                                 "operator or system."),
         ("action", "As in key.shown."), ("from", "A day."),
         ("to", "A day."), AFTER])),
]


def operation(who, scope, method, path, name, words, more):
    parameters = [
        {"name": part[1:-1], "in": "path", "required": True,
         "schema": ID if part in ("{id}", "{key}")
         else SLOT if part == "{slot}" else TEXT}
        for part in path.split("/") if part.startswith("{")]
    parameters += [
        {"name": name, "in": "query", "description": hint, "schema": TEXT,
         "required": path.endswith("/check")}
        for name, hint in more.get("query", ())]
    if method == "post":
        parameters.append({"$ref": "#/components/parameters/IdempotencyKey"})
    if more.get("match"):
        parameters.append({"$ref": "#/components/parameters/IfMatch"})
    status = str(more.get("status", 200))
    answer = {"description": words}
    if "out" in more:
        answer["content"] = {"application/json": {"schema": more["out"]}}
    result = {
        "operationId": name, "summary": words,
        "tags": ["staff" if who in ("staff", "admin") else "contacts"],
        "description": {
            "any": "For everybody.", "contact": "For contacts.",
            "staff": "For staff and admins.", "admin": "For admins."}[who]
        + (f" Needs the scope {scope}." if scope else ""),
        "security": [{"token": [scope] if scope else []}],
        "parameters": parameters,
        "responses": {status: answer, "4XX": {
            "$ref": "#/components/responses/Problem"}, "5XX": {
            "$ref": "#/components/responses/Problem"}}}
    if "body" in more:
        result["requestBody"] = {
            "required": bool(more["body"]["required"]),
            "content": {"application/json": {"schema": more["body"]}}}
    return result


def document():
    paths = {"/openapi.json": {"get": {
        "operationId": "getDescription", "summary": "This description",
        "description": "For everybody, without a token.", "tags": ["contacts"],
        "security": [], "responses": {
            "200": {"description": "OpenAPI 3.1", "content": {
                "application/json": {"schema": {"type": "object"}}}},
            "4XX": {"$ref": "#/components/responses/Problem"}}}}}
    for row in OPERATIONS:
        paths.setdefault(row[3], {})[row[2]] = operation(*row)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Latchkey", "version": "1",
            "license": {"name": "See the portal's operator",
                        "url": "https://www.rfc-editor.org/rfc/rfc9110"},
            "description": "What the portal's pages do, for scripts. Errors "
            "are problems (RFC 9457) with a `code`. Lists have `items` and "
            "`next`, which is sent back as `after`. A POST with an "
            "`Idempotency-Key` is done once within 24 hours; sent again it "
            "gets the same answer, or 409 `already_revealed` where that had "
            "a secret in it. After a 5xx send it again under the same key: it "
            "is done if it was not, and is 409 `in_progress` if it was or "
            "may have been."},
        "servers": [{"url": "/api/v1"}],
        "tags": [{"name": "contacts", "description": "For contacts."},
                 {"name": "staff", "description": "For staff."}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {
                "type": "http", "scheme": "bearer",
                "description": "An access token, made under Account, Access "
                "tokens: `lk_` and 36 letters and digits."}},
            "parameters": {
                "IdempotencyKey": {
                    "name": "Idempotency-Key", "in": "header",
                    "description": "Any text of 1 to 255 characters, one a "
                    "call.", "schema": {"type": "string", "minLength": 1,
                                        "maxLength": 255}},
                "IfMatch": {
                    "name": "If-Match", "in": "header", "required": True,
                    "description": "The ETag of what is changed; of a key, "
                    "the id of the value that is replaced.",
                    "schema": TEXT}},
            "responses": {"Problem": {
                "description": "RFC 9457", "content": {
                    "application/problem+json": {"schema": ref("Problem")}}}},
            "schemas": SCHEMAS}}


def main():
    text = json.dumps(document(), ensure_ascii=True, separators=(",", ":"))
    if sys.argv[1:] != ["--c"]:
        print(text)
        return
    print('#include "api/openapi.h"\n\nconst char api_openapi_json[] =')
    for at in range(0, len(text), 64):
        print("    " + json.dumps(text[at:at + 64]))
    print("    ;")


if __name__ == "__main__":
    main()
