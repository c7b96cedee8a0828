"""The everyday ways through the portal, over HTTP, as section 3 of the
contract of pages names them.  Each step checks that it worked."""

import itertools
import re

PASSWORD = "violet harbour 42 tunes"
_numbers = itertools.count(1)


def address(domain="altaworx.example"):
    """An address that nobody had before."""
    return f"person{next(_numbers)}@{domain}"


def sign_up(server, email, name="Ada Byron", client="Altaworx", browser=None):
    """Fills in the form; the browser that did."""
    browser = browser or server.client()
    page = browser.get("/signup").expect(200)
    browser.follow(browser.submit(
        page, {"email": email, "name": name, "client": client},
        "/signup")).expect(200)
    return browser


def verify_link(server, email, count=1):
    return server.mail.wait(email, "to finish signing up", count).link(
        "/verify/")


def verify(server, email, browser=None, password=PASSWORD, **fields):
    """Uses the link of the newest mail: makes the account, signs in."""
    browser = browser or server.client()
    page = browser.get(verify_link(server, email)).expect(200)
    browser.follow(browser.submit(
        page, {"password": password, **fields}, "/verify/")).expect(200)
    return browser


def contact(server, email=None, name="Ada Byron", client="Altaworx"):
    """A signed-in contact with a fresh account; its browser has .email."""
    email = email or address()
    browser = sign_up(server, email, name, client)
    verify(server, email, browser)
    browser.email = email
    return browser


def sign_in(server, email, password=PASSWORD, browser=None):
    browser = browser or server.client()
    page = browser.get("/signin").expect(200)
    answer = browser.submit(page, {"email": email, "password": password},
                            "/signin")
    browser.follow(answer).expect(200)
    browser.email = email
    return browser


def sign_out(browser):
    page = browser.get("/account").expect(200)
    return browser.submit(page, action="/signout").expect(303)


def staff(server, email=None, name="Sam Keeper", role="staff"):
    """A signed-in member of staff, made by latchkeyctl."""
    email = email or address("staff.example")
    server.ctl("staff", "add", email, "--name", name, "--role", role,
               stdin=PASSWORD + "\n")
    return sign_in(server, email)


def request_key(browser, name="Altaworx-KEY", product="revio-api"):
    """Asks for a subscription; the profile page that follows."""
    path = f"/products/{product}/subscribe"
    page = browser.get(path).expect(200)
    return browser.follow(browser.submit(page, {"name": name}, path)
                          ).expect(200)


def asker(server, client, domain="altaworx.example"):
    """A contact with an open request: .asked is its id, .path where staff
    decide on it, .own where the contact sees it."""
    person = contact(server, address(domain), client=client)
    page = request_key(person, f"{client}-KEY")
    person.asked = re.search(r'id="req-([0-9a-f-]{36})"', page.text)[1]
    person.path = f"/staff/requests/{person.asked}"
    person.own = f"/requests/{person.asked}"
    return person


def requests_in_queue(browser):
    """Paths of the requests in the staff queue, in the order shown."""
    page = browser.get("/staff/queue").expect(200)
    paths = re.findall(r'href="(/staff/requests/[0-9a-f-]{36})"', page.text)
    return list(dict.fromkeys(paths))


def approve(browser, path, **fields):
    """The answer to the approval; `code` and `client`, or `tenant`.  A new
    client's mail domain is listed where `domain` says yes."""
    page = browser.get(path).expect(200)
    return browser.submit(page, {"domain": "", **fields}, "/approve$")


def share(browser, path, **fields):
    page = browser.get(path).expect(200)
    return browser.submit(page, fields, "/share$")


def reject(browser, path, reason):
    page = browser.get(path).expect(200)
    return browser.submit(page, {"reason": reason}, "/reject$")


def show_key(browser, slot="primary"):
    """Posts Show on the profile; the key that the answer shows."""
    page = browser.get("/profile").expect(200)
    answer = browser.submit(page, action=f"/keys/{slot}/show$").expect(200)
    return key_on(answer)


def key_on(page):
    """The one key that a page shows, which may be in groups for the eye."""
    found = {re.sub(r"\s", "", key) for key in re.findall(
        r"\b[0-9a-f]{8}(?:\s?[0-9a-f]{8}){3}\b", page.words)}
    assert len(found) == 1, f"keys {found} in: {page.words[:800]}"
    return found.pop()


def client_with_key(server, code="ALTWORX", client="Altaworx"):
    """Owner and staff browsers of a tenant whose request was approved."""
    owner, keeper = contact(server, client=client), staff(server)
    request_key(owner, f"{client}-KEY")
    path = requests_in_queue(keeper)[-1]
    approve(keeper, path, code=code, client=client).expect(303)
    return owner, keeper


def add_tenant(server, code, name=None, domains=(), folded=None):
    """A client as the database has it; its id."""
    name = name or f"{code.title()} Works"
    tenant = server.sql(
        "INSERT INTO tenant (id, code, name, name_folded, slug) VALUES "
        "(gen_random_uuid(), %s, %s, %s, %s) RETURNING id",
        (code, name, folded or name.lower(), code.lower()))[0][0]
    for domain in domains:
        server.sql("INSERT INTO tenant_domain VALUES (%s, %s)",
                   (tenant, domain))
    return tenant


def add_product(server, profile, slug=None, scopes=(), name=None):
    """A published product whose keys are of a profile; its slug.  Each scope
    is a word with the operation and path of a resource, ("read:x", "GET",
    "/x"), or a word alone."""
    slug = slug or f"p{next(_numbers)}-api"
    product = server.sql(
        "INSERT INTO product (id, slug, name, profile, one_key_per_tenant, "
        "state, needs_api_user) VALUES (gen_random_uuid(), %s, %s, %s, false, "
        "'published', false) RETURNING id",
        (slug, name or slug.title(), profile))[0][0]
    for place, scope in enumerate(scopes, 1):
        word, operation, path = scope if len(scope) == 3 else (
            scope, "GET", "/" + scope.replace(":", "/").replace(".", "/"))
        server.sql(
            "INSERT INTO product_resource (product_id, place, name, path, "
            "operations) SELECT %s, coalesce(max(place), 0) + 1, %s, %s, "
            "'{GET,POST,PUT,PATCH,DELETE}' FROM product_resource "
            "WHERE product_id = %s HAVING NOT coalesce(bool_or(path = %s), "
            "false)", (product, path, path, product, path))
        server.sql(
            "WITH s AS (INSERT INTO product_scope (id, product_id, word, "
            "place, description) VALUES (gen_random_uuid(), %s, %s, %s, %s) "
            "RETURNING id) INSERT INTO product_scope_grant (scope_id, "
            "resource_id, operation) SELECT s.id, r.id, %s FROM s, "
            "product_resource r WHERE r.product_id = %s AND r.path = %s",
            (product, word, place, f"May {operation} {path}", operation,
             product, path))
    return slug


def subscribe(server, code, slug, environment="live"):
    """A subscription of a client, as the database has it; its id."""
    return server.sql(
        "INSERT INTO subscription (id, tenant_id, product_id, one_key, name, "
        "environment) SELECT gen_random_uuid(), t.id, p.id, false, t.name || "
        "'-KEY', %s FROM tenant t, product p WHERE t.code = %s AND p.slug = %s "
        "RETURNING id", (environment, code, slug))[0][0]


def scoped_client(server, profile, scopes, code=None, **fields):
    """An owner's browser, of a client with a subscription to a product of its
    own with issued keys: .subscription, .slug, .code."""
    code = code or f"KEYS{next(_numbers)}"
    domain = f"{code.lower()}.example"
    owner = contact(server, address(domain), client=f"{code.title()} Works")
    tenant = add_tenant(server, code, f"{code.title()} Works", [domain])
    server.sql("INSERT INTO membership (account_id, tenant_id, role, let_in_by)"
               " SELECT account_id, %s, 'owner', 'domain' FROM person "
               "WHERE email = %s", (tenant, owner.email))
    owner.code, owner.tenant = code, tenant
    owner.slug = add_product(server, profile, scopes=scopes, **fields)
    owner.subscription = subscribe(server, code, owner.slug)
    return owner


def colleague(server, owner, role="member"):
    """Another person of the owner's client."""
    person = contact(server, address(f"{owner.code.lower()}.example"),
                     client=f"{owner.code.title()} Works")
    server.sql("INSERT INTO membership (account_id, tenant_id, role, let_in_by)"
               " SELECT account_id, %s, %s, 'domain' FROM person "
               "WHERE email = %s", (owner.tenant, role, person.email))
    return person


def issued_key(browser, subscription, name="My Integration", scopes=(),
               **fields):
    """Makes an issued key on the page; its whole text, which is shown once."""
    return issued_text(make_issued(browser, subscription, name, scopes,
                                   **fields).expect(200))


def make_issued(browser, subscription, name="My Integration", scopes=(),
                **fields):
    """The answer to the form that makes an issued key."""
    page = browser.get(f"/subscriptions/{subscription}").expect(200)
    form = page.form("/issued$")
    body = [(key, value) for key, value in form.fields.items()
            if key != "scope"] + [("name", name)]
    body = [pair for pair in body if pair[0] not in fields
            and pair != ("name", "")] + list(fields.items())
    return browser.post(form.action, body + [("scope", word)
                                             for word in scopes])


def issued_text(page):
    """The value that a page shows."""
    found = set(re.findall(r"\b[a-z]{2,3}_[0-9A-Za-z]{36}\b", page.words))
    assert len(found) == 1, f"{len(found)} values in: {page.words[:800]}"
    return found.pop()


def issued_page(browser, subscription, name):
    """The page of the issued key with that name, from the list of keys."""
    page = browser.get(f"/subscriptions/{subscription}").expect(200)
    path = re.search(r'href="(/issued-keys/[0-9a-f-]{36})"><bdi>' +
                     re.escape(name) + "<", page.text)
    assert path, page.words
    return browser.get(path[1]).expect(200)


def issued_deed(browser, subscription, name, deed, **fields):
    """The answer to one of the forms of an issued key, such as revoke."""
    page = issued_page(browser, subscription, name)
    return browser.submit(page, fields, f"/{deed}$")


def grant_keys(server, owner, person):
    """The owner lets a colleague make keys for the client, under People."""
    where = server.sql("SELECT '/people/' || account_id || '/permissions' "
                       "FROM person WHERE email = %s", (person.email,))[0][0]
    page = owner.get(where).expect(200)
    owner.submit(page, {"makes_keys": "1"}, "/permissions$").expect(303)


def give_role(server, owner, person, name, cells):
    """A role of the owner's client, with operations and paths of the product
    in .slug, that the person gets."""
    role = server.sql(
        "INSERT INTO api_role (id, tenant_id, name, name_folded) VALUES "
        "(gen_random_uuid(), %s, %s, %s) RETURNING id",
        (owner.tenant, name, name.lower()))[0][0]
    for operation, path in cells:
        server.sql(
            "INSERT INTO api_role_grant (role_id, tenant_id, resource_id, "
            "operation) SELECT %s, %s, r.id, %s FROM product_resource r "
            "JOIN product p ON p.id = r.product_id WHERE p.slug = %s "
            "AND r.path = %s", (role, owner.tenant, operation, owner.slug,
                                path))
    server.sql("INSERT INTO membership_role (account_id, role_id, tenant_id) "
               "SELECT account_id, %s, %s FROM person WHERE email = %s",
               (role, owner.tenant, person.email))
    return role
