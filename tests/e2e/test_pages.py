"""Every page in every state that it has: photographed at 360 and 1280 px,
light and dark (var/shots), without a finding of axe-core, without anything
that its CSP refused or a script threw, without a sideways scroll down to
320 px, with a title, one heading of the first level, a link past the header,
and the focus on what is wrong.  States are made over HTTP and SQL; what is
looked at is the browser's.  Ways through several pages: test_main_job.py."""

import shutil

import pytest
from lib import flows
from lib.base import ROOT

DAYS = "UPDATE request SET submitted_at = submitted_at - %s * interval '1 h'" \
    ", due_at = due_at - %s * interval '1 h' WHERE name = %s"
OLD_SIGN_IN = "UPDATE session SET fresh_at = now() - interval '1 hour'"
# Longest allowed, right to left, beside an emoji, and none of ASCII.
LONG = "The Northumberland & Durham Telecommunications Co-operative Ltd."
ARABIC = "شركة الاتصالات المتقدمة"
NAMES = [("Maximiliane-Alexandra Wolkenstein-Trostburg von Hohenems",
          LONG), ("ليلى بنت عبد الرحمن", ARABIC), ("Zoë 🦊 Fox", "Šumava"),
         ("李小龙", "中华电信")]


def look(browser, name, title=None, status=None):
    """Looks at the page in all looks; the title's beginning, if given."""
    assert " – " in browser.title, browser.title
    if title:
        assert browser.title.startswith(title), (
            f"{name}: '{browser.title}'\n{browser.words[:800]}")
    heads = [h.text for h in browser.find_all("h1")]
    assert len(heads) == 1 and heads[0].strip(), f"{name}: h1 {heads}"
    assert browser.find_all(".skip[href='#main'], .skip[href$='#main']")
    if status:
        seen = browser.driver.execute_script(
            "return performance.getEntriesByType('navigation')[0]"
            ".responseStatus")
        assert seen == status, f"{name}: {seen}, not {status}"
    if browser.find_all(".errors"):
        focus = browser.driver.switch_to.active_element
        assert focus.get_dom_attribute("class") == "errors", name
        assert browser.title.startswith("Error: "), browser.title
        for link in browser.find_all(".errors a"):
            target = link.get_dom_attribute("href").rpartition("#")[2]
            assert browser.find_all(f"[id='{target}']"), (name, target)
    browser.inspect(name)
    browser.look(320, "light")
    try:
        assert browser.overflow() <= 0, f"{name}: scrolls sideways at 320 px"
    finally:
        browser.look(1280, "light")
    assert "{{" not in browser.words and "NULL" not in browser.words
    severe = [line["message"] for line in browser.driver.get_log("browser")
              if line["level"] == "SEVERE"
              and "the server responded with a status of" not in
              line["message"]]
    assert not severe, f"{name}: {severe}"


def path_of(browser, server, name):
    """The newest request of that name, for staff."""
    rows = server.sql("SELECT id FROM request WHERE name = %s"
                      " ORDER BY id DESC LIMIT 1", [name])
    return f"/staff/requests/{rows[0][0]}"


@pytest.fixture
def person(server, browser):
    """person(client) -> its browser's cookies are in ours from now on."""
    def become(client):
        browser.base = server.url
        browser.forget()
        if client:
            browser.take_session(client)
        return browser
    return become


# ---- everybody ------------------------------------------------------------

@pytest.mark.parametrize("path, name, title", [
    ("/", "home", None), ("/how-it-works", "how-it-works", "How it works"),
    ("/terms", "terms", "Terms of use"), ("/products", "products", "Products"),
    ("/products/revio-api", "product-anonymous", "Rev.io API"),
    ("/signup", "signup", "Sign up"), ("/signin", "signin", "Sign in"),
    ("/signin?next=/profile", "signin-next", "Sign in"),
])
def test_everybody(server, browser, path, name, title):
    browser.open(server, path)
    look(browser, name, title, 200)


def test_sign_up(server, browser):
    email = flows.address()
    browser.open(server, "/signup").type("email", "ada@")
    browser.press_submit("/signup")
    look(browser, "signup-error", "Error: Sign up", 422)
    browser.type("email", email).type("name", NAMES[0][0])
    browser.type("client", LONG)
    browser.press_submit("/signup")
    look(browser, "signup-sent", "Look into your mail")
    browser.press("Send again")
    look(browser, "signup-resent", "Look into your mail")
    browser.press("Send again")
    browser.press("Send again")
    assert "UTC" in browser.find(".note.is-warn").text
    look(browser, "signup-too-soon", "Look into your mail")
    browser.go(flows.verify_link(server, email, count=3))
    look(browser, "verify", "Choose a password", 200)
    browser.type("password", "password1234")
    browser.press_submit("/verify/")
    look(browser, "verify-error", "Error: Choose a password", 422)
    browser.go("/verify/" + "A" * 43)
    look(browser, "verify-gone", "This link works no more")
    browser.type("email", "nobody")
    browser.press_submit("/verify/resend")
    look(browser, "verify-gone-error", "Error: ", 422)


def test_invited_as_staff(server, browser):
    email = flows.address("staff.example")
    done = server.ctl("staff", "add", email, "--name", "Ines Blum",
                      "--role", "admin")
    link = [w for w in done.stdout.split() if "/verify/" in w][0]
    browser.open(server).go(link[len(server.url):])
    assert not browser.find_all("[name=client]")
    look(browser, "verify-staff", "Choose a password", 200)
    browser.type("password", flows.PASSWORD)
    browser.press_submit("/verify/")
    browser.go("/account")
    assert "Admin" in browser.words and "Company" not in browser.words
    look(browser, "account-staff", "Account", 200)


def test_sign_in_refused(server, browser):
    browser.open(server, "/signin").type("email", "nobody@nowhere.example")
    browser.type("password", "a wrong one, surely")
    browser.press_submit("/signin")
    assert "No account has" in browser.find(".errors").text
    assert browser.find("#email").get_property("value") != ""
    assert browser.find("#password").get_property("value") == ""
    look(browser, "signin-error", "Error: Sign in", 422)


def test_password_forgotten_and_changed(server, browser):
    email = flows.contact(server).email
    browser.open(server, "/signin")
    browser.press("Password forgotten?")
    look(browser, "forgot", "Password forgotten", 200)
    browser.type("email", "ada").press_submit("/forgot")
    look(browser, "forgot-error", "Error: ", 422)
    browser.type("email", email).press_submit("/forgot")
    look(browser, "forgot-sent", "Look into your mail", 200)
    link = server.mail.wait(email, "choose a new").link("/reset/")
    browser.go(link)
    look(browser, "reset", "Choose a new password", 200)
    browser.type("password", "password1234").press_submit("/reset/")
    look(browser, "reset-error", "Error: ", 422)
    browser.type("password", "four other words, really").press_submit("/reset/")
    browser.go(link)
    look(browser, "reset-gone", "This link works no more")
    browser.go("/signin")
    if browser.path == "/signin":
        browser.type("email", email)
        browser.type("password", "four other words, really")
        browser.press_submit("/signin")
    browser.go("/account")
    browser.press("Change your password")
    look(browser, "password", "Change your password", 200)
    browser.type("password", "not this").type("new_password", "short")
    browser.press_submit("/account/password")
    look(browser, "password-error", "Error: ", 422)
    browser.type("password", "four other words, really")
    browser.type("new_password", flows.PASSWORD)
    browser.press_submit("/account/password")
    look(browser, "password-changed", "Account")


# ---- contacts -------------------------------------------------------------

def test_a_contact_before_and_while_asking(server, person):
    contact = flows.contact(server, name="Maya Dorsey", client="Altaworx")
    browser = person(contact)
    browser.go("/profile")
    look(browser, "profile-empty", "Profile", 200)
    browser.go("/account")
    assert contact.email in browser.words
    look(browser, "account", "Account", 200)
    browser.go("/products/revio-api")
    look(browser, "product-new", "Rev.io API", 200)
    browser.press("Subscribe")
    look(browser, "subscribe", "Subscribe", 200)
    browser.type("name", "Altaworx_2 key")
    browser.press_submit("/subscribe")
    look(browser, "subscribe-error", "Error: Subscribe", 422)
    browser.type("name", "Altaworx-KEY")
    browser.press_submit("/subscribe")
    look(browser, "profile-submitted", "Profile", 200)
    browser.find("details.disclose summary").click()
    look(browser, "profile-withdraw", "Profile")
    browser.find(".menu summary").click()
    look(browser, "menu", "Profile")
    browser.go("/products/revio-api")
    look(browser, "product-waiting", "Rev.io API", 200)
    browser.go("/products/revio-api/subscribe")
    look(browser, "subscribe-waiting", None, 200)
    server.sql(DAYS, [40, 40, "Altaworx-KEY"])
    browser.go("/profile")
    assert browser.find_all(".ring.is-warn")
    look(browser, "profile-due-soon", "Profile", 200)
    server.sql(DAYS, [20, 20, "Altaworx-KEY"])
    browser.go("/profile")
    assert "late" in browser.words
    look(browser, "profile-late", "Profile", 200)
    browser.go("/products/revio-api/subscribe")
    look(browser, "subscribe-late", None, 200)


def test_answers_in_the_profile(server, person):
    contact = flows.contact(server, client="Answers")
    flows.request_key(contact, "Answers-KEY")
    keeper = flows.staff(server)
    flows.reject(keeper, path_of(None, server, "Answers-KEY"),
                 "We know no company of this name.\n\nAsk your account "
                 "manager, <b>not</b> us; " + "a" * 200).expect(303)
    browser = person(contact)
    browser.go("/profile")
    look(browser, "profile-rejected", "Profile", 200)
    flows.request_key(contact, "Answers-KEY")
    browser.go("/profile").find("details.disclose summary").click()
    browser.press("Yes, withdraw it")
    look(browser, "profile-withdrawn", "Profile", 200)


def test_keys(server, person):
    owner, _ = flows.client_with_key(server, "KEYS", "Keys Ltd")
    browser = person(owner)
    browser.go("/profile")
    look(browser, "profile-active", "Profile", 200)
    browser.press("Show primary key")
    look(browser, "key-shown", "Primary key", 200)
    browser.press("Keep it visible")
    look(browser, "key-kept", "Primary key", 200)
    browser.driver.refresh()
    look(browser, "key-shown-already", "Shown already", 200)
    browser.go("/products/revio-api")
    look(browser, "product-has-key", "Rev.io API", 200)
    browser.go("/products/revio-api/subscribe")
    look(browser, "subscribe-has-key", None, 200)

    server.sql(OLD_SIGN_IN)
    browser.go("/profile")
    browser.press("Show secondary key")
    look(browser, "signin-again", "Is it you?", 200)
    browser.type("password", "not this one")
    browser.press_submit("/keys/secondary/show")
    look(browser, "signin-again-error", "Error: Is it you?", 422)
    browser.type("password", flows.PASSWORD)
    browser.press_submit("/keys/secondary/show")
    assert browser.find("#key").is_displayed()

    for state in ("suspended", "cancelled"):
        server.sql("UPDATE subscription SET state = %s WHERE name ="
                   " 'Keys Ltd-KEY'", [state])
        browser.go("/profile")
        assert state.capitalize() in browser.words
        look(browser, f"profile-{state}", "Profile", 200)


def test_a_contact_that_was_let_in(server, person):
    _, keeper = flows.client_with_key(server, "LETIN", "Let In")
    second = flows.contact(server, name="Omar Reyes", client="Let In")
    flows.request_key(second, "Let In-KEY")
    flows.share(keeper, path_of(None, server, "Let In-KEY"),
                reason="Known to us.").expect(303)
    browser = person(second)
    browser.go("/profile")
    look(browser, "profile-shared", "Profile", 200)


@pytest.mark.parametrize("number", range(len(NAMES)))
def test_names(server, person, number):
    """Long, right to left, beside a picture: nothing breaks out."""
    name, client = NAMES[number]
    code = f"NAME{number}"
    contact = flows.contact(server, name=name, client=client)
    keeper = flows.staff(server)
    flows.request_key(contact, f"{client}-KEY")
    path = path_of(None, server, f"{client}-KEY")
    browser = person(contact)
    browser.go("/profile")
    assert f"{client}-KEY" in browser.words
    look(browser, f"names-{number}-profile-submitted", "Profile", 200)
    person(keeper).go(path)
    look(browser, f"names-{number}-request", None, 200)
    flows.approve(keeper, path, code=code, client=client).expect(303)
    person(contact).go("/profile")
    look(browser, f"names-{number}-profile-active", "Profile", 200)
    browser.press("Show primary key")
    look(browser, f"names-{number}-key", "Primary key", 200)
    person(keeper).go(f"/staff/tenants/{code}")
    look(browser, f"names-{number}-tenant", None, 200)


# ---- staff ----------------------------------------------------------------

def test_staff_with_nothing_to_do(make_server, browser):
    server = make_server()
    keeper = flows.staff(server)
    browser.open(server).take_session(keeper)
    browser.go("/staff/queue")
    look(browser, "queue-empty", "Queue", 200)
    browser.go("/staff/tenants")
    look(browser, "tenants-empty", "Tenants", 200)
    browser.go("/products/revio-api")
    look(browser, "product-staff", "Rev.io API", 200)
    server.sql("UPDATE product SET state = 'closed'")
    browser.forget().go("/products/revio-api")
    look(browser, "product-closed", "Rev.io API", 200)
    server.sql("UPDATE product SET state = 'published'")
    server.sql("UPDATE product SET state = 'hidden'")
    browser.go("/products")
    look(browser, "products-empty", "Products", 200)
    browser.go("/products/revio-api")
    look(browser, "product-hidden", "We can’t find this page", 404)


def test_tenants(make_server, browser):
    """Made, edited, closed by an admin; names of all kinds."""
    server = make_server()
    admin = flows.staff(server, role="admin", name=NAMES[0][0])
    owner, keeper = flows.client_with_key(server, "NORTHUMB", LONG)
    browser.open(server).take_session(admin)
    browser.go("/staff/tenants/new")
    look(browser, "tenant-new", "New client", 200)
    browser.type("code", "-").type("name", "x").type("hosts", "nodots")
    browser.type("domains", "gmail.com").type("designated", "nobody")
    browser.press_submit("/staff/tenants")
    look(browser, "tenant-new-error", "Error: New client", 422)
    browser.go("/staff/tenants/NORTHUMB/edit")
    browser.type("hosts", "api.northumberland-durham.example")
    browser.type("domains", "northumberland-durham.example\nnd.example")
    browser.type("designated", "\n".join(
        f"{'long-name-' * 5}{n}@northumberland-durham.example"
        for n in range(3)))
    browser.type("notes", "Ask for Ada.\n" + "w" * 120)
    look(browser, "tenant-edit", "Edit The Northumberland", 200)
    browser.press("Save")
    look(browser, "tenant-full", "The Northumberland", 200)
    browser.type("reason", "Gone").press("Close the client")
    look(browser, "tenant-close-refused", "Error: ", 409)
    server.sql("UPDATE subscription SET state = 'cancelled'")
    browser.go("/staff/tenants/NORTHUMB").type("reason", "Out of business.")
    browser.press("Close the client")
    look(browser, "tenant-closed", "The Northumberland", 200)
    for number, (_, name) in enumerate(NAMES):
        server.sql("INSERT INTO tenant (id, code, name, name_folded, slug) "
                   "VALUES (gen_random_uuid(), %s, %s, %s, %s)",
                   (f"LIST-{number}", name, name, f"list-{number}"))
    browser.go("/staff/tenants?q=list-")
    look(browser, "tenants-found", "Tenants", 200)
    browser.go("/staff/tenants/LIST-0/merge")
    look(browser, "tenant-merge", "Merge The Northumberland", 200)
    browser.type("into", "LIST-0").press("See what would happen")
    look(browser, "tenant-merge-error", "Error: ", 422)
    browser.type("into", "list-1").press("See what would happen")
    look(browser, "tenant-merge-preview", "Merge The Northumberland", 200)
    server.sql("INSERT INTO api_user (id, tenant_id, username, vendor, "
               "vendor_folded, integration, created_by) SELECT "
               "gen_random_uuid(), t.id, 'FORTAPI', 'V', 'v', 'Tickets', a.id "
               "FROM tenant t, account a WHERE t.code LIKE 'LIST-%%' "
               "AND a.staff_role = 'admin'")
    browser.go("/staff/tenants/LIST-0/merge?into=LIST-1")
    look(browser, "tenant-merge-stopped", "Merge The Northumberland", 200)
    server.sql("UPDATE api_user SET state = 'deleted' WHERE tenant_id = "
               "(SELECT id FROM tenant WHERE code = 'LIST-0')")
    browser.go("/staff/tenants/LIST-0/merge?into=LIST-1")
    browser.type("reason", "Bought in May.").press("Merge for good")
    look(browser, "tenant-merged", ARABIC, 200)
    browser.go("/staff/tenants?q=zz")
    look(browser, "tenants-none-found", "Tenants", 200)
    browser.forget().take_session(keeper)
    browser.go("/staff/tenants/NORTHUMB")
    look(browser, "tenant-of-staff", "The Northumberland", 200)


def test_requests_and_their_decisions(make_server, browser, folder):
    server = make_server()
    keeper, other = flows.staff(server), flows.staff(server, name="Ines Blum")
    browser.open(server).take_session(keeper)

    # a client that is known by name only, and one that is not known
    listed = folder / "clients.csv"
    listed.write_text("code,name,email_domains\n"
                      "MERIDIAN,Meridian Inc,meridian.example;mer.example\n"
                      f"LONG,\"{LONG}\",\n")
    server.ctl("tenant", "import", str(listed))
    browser.go("/staff/tenants")
    look(browser, "tenants", "Tenants", 200)
    browser.go("/staff/tenants/MERIDIAN")
    look(browser, "tenant-imported", "Meridian Inc", 200)

    flows.request_key(flows.contact(server, name="Ken Watanabe",
                                    client="Meridian"), "Meridian-KEY")
    known = path_of(browser, server, "Meridian-KEY")
    browser.go(known)
    look(browser, "request-known", "Meridian-KEY", 200)
    browser.press_submit("/approve")
    assert "mail domain" in browser.find(".errors").text
    look(browser, "request-known-no-reason", "Error: ", 422)

    contact = flows.contact(server, name="Maya Dorsey",
                            email=flows.address("gmail.com"))
    flows.request_key(contact)
    new = path_of(browser, server, "Altaworx-KEY")
    browser.go(new)
    look(browser, "request-new", "Altaworx-KEY", 200)
    browser.type("code", "a")
    browser.press_submit("/approve")
    look(browser, "request-bad-code", "Error: ", 422)
    browser.type("code", "MERIDIAN")
    browser.press_submit("/approve")
    look(browser, "request-code-taken", "Error: ", 422)
    browser.go(new).find("#reject summary").click()
    look(browser, "request-reject-form", "Altaworx-KEY")
    browser.press("Reject request")
    look(browser, "request-reject-error", "Error: ", 422)

    # approved by another meanwhile
    browser.go(new)
    flows.approve(other, new, code="ALTWORX", client="Altaworx").expect(303)
    browser.press_submit("/approve")
    look(browser, "decided", "Somebody was faster", 409)
    browser.go(new)
    look(browser, "request-approved", "Altaworx-KEY", 200)
    browser.go("/staff/tenants/ALTWORX")
    look(browser, "tenant", "Altaworx", 200)

    # the client has a key now
    flows.request_key(flows.contact(server, name="Omar Reyes"),
                      "Altaworx, Inc.-KEY".replace(",", ""))
    shared = path_of(browser, server, "Altaworx Inc.-KEY")
    browser.go(shared)
    look(browser, "request-share", "Altaworx Inc.-KEY", 200)
    browser.press_submit("/share")
    look(browser, "request-share-error", "Error: ", 422)
    browser.type("reason", "Known to us by telephone.")
    browser.press_submit("/share")
    browser.go(shared)
    look(browser, "request-shared", "Altaworx Inc.-KEY", 200)

    # no name that we know, but the mail domain of a client with a key
    server.sql("INSERT INTO tenant_domain SELECT id, 'altaworx.example'"
               " FROM tenant WHERE code = 'ALTWORX'")
    flows.request_key(flows.contact(server, client="Quantum"), "Quantum-KEY")
    browser.go(path_of(browser, server, "Quantum-KEY"))
    assert browser.find_all("form[action$='/share']")
    assert browser.find_all("form[action$='/approve']")
    look(browser, "request-share-or-approve", "Quantum-KEY", 200)
    server.sql("DELETE FROM tenant_domain WHERE domain = 'altaworx.example'")

    # a client that gets its key by another request, between page and press
    two = [flows.contact(server, client="Meridian") for _ in range(2)]
    for one in two:
        flows.request_key(one, "Meridian-KEY")
    mine, theirs = [f"/staff/requests/{r[0]}" for r in server.sql(
        "SELECT id FROM request WHERE name = 'Meridian-KEY'"
        " ORDER BY id DESC LIMIT 2")]
    browser.go(mine)
    flows.approve(other, theirs, tenant="MERIDIAN", reason="Known to us."
                  ).expect(303)
    browser.type("reason", "Known to us.")
    browser.press_submit("/approve")
    look(browser, "has-key", "This client has a key", 409)

    flows.reject(other, mine, "Ask the colleague.").expect(303)
    browser.go(mine)
    look(browser, "request-rejected", "Meridian-KEY", 200)
    page = contact.get("/profile").expect(200)
    assert page.has_form("/show$")
    lone = flows.contact(server, client="Lone")
    flows.request_key(lone, "Lone-KEY")
    lone.submit(lone.get("/profile"), action="/withdraw$").expect(303)
    browser.go(path_of(browser, server, "Lone-KEY"))
    look(browser, "request-withdrawn", "Lone-KEY", 200)


# ---- errors ---------------------------------------------------------------

def spoil(browser, css, value):
    browser.driver.execute_script(
        "document.querySelectorAll(arguments[0]).forEach("
        "e => { e.value = arguments[1]; })", css, value)


def test_errors(server, person):
    owner, _ = flows.client_with_key(server, "ERRORS", "Errors")
    browser = person(owner)
    browser.go("/a%00b")
    look(browser, "error-400", None, 400)
    browser.go("/nothing/like/it")
    look(browser, "error-404", "We can’t find this page", 404)
    browser.go("/staff/queue")
    assert "We can’t find this page" in browser.words
    browser.go("/signout")
    look(browser, "error-405", "This address does not take that", 405)
    browser.go("/" + "a" * 9000)
    look(browser, "error-414", "The address is too long", 414)

    browser.go("/account")
    spoil(browser, "[name=csrf]", "forged")
    browser.find("main button[type=submit]").click()
    browser.wait(lambda: "Account" not in browser.title)
    look(browser, "error-403", None, 403)
    browser.go("/profile")
    spoil(browser, "[name=nonce]", "")
    browser.press("Show primary key")
    look(browser, "error-422", None, 422)
    browser.go("/profile")
    spoil(browser, "[name=nonce]", "a" * 70000)
    browser.press("Show primary key")
    look(browser, "error-413", "That is too much", 413)

    # withdrawn in another window
    late = flows.contact(server, client="Late")
    flows.request_key(late, "Late-KEY")
    browser = person(late)
    browser.go("/profile").find("details.disclose summary").click()
    late.submit(late.get("/profile"), action="/withdraw$").expect(303)
    browser.press("Yes, withdraw it")
    look(browser, "error-409", None, 409)


def test_too_many_sign_ins(server, browser):
    email = flows.contact(server).email
    for _ in range(20):
        browser.open(server, "/signin").type("email", email)
        browser.type("password", "a wrong one, surely")
        browser.press_submit("/signin")
        if not browser.title.startswith("Error: "):
            break
    assert "too many sign-ins" in browser.words
    look(browser, "error-429", "Wait a moment", 429)


def test_an_error_of_ours(make_server, browser, folder):
    """A template that asks for what its page does not have."""
    shutil.copytree(ROOT / "templates", folder / "templates")
    terms = folder / "templates/home/terms.html"
    server = make_server(settings={"TEMPLATES": folder / "templates"})
    terms.write_text(terms.read_text().replace("{{site_name}}",
                                               "{{no_such_name}}"))
    browser.open(server)
    # the folder is looked at twice a second
    browser.wait(lambda: "Something" in browser.go("/terms").title)
    assert "with the number r-" in browser.words
    look(browser, "error-500", "Something went wrong on our side", 500)


def test_no_database(make_server, own_cluster, browser):
    server = make_server(on=own_cluster)
    own_cluster.stop()
    browser.open(server, "/products")
    look(browser, "error-503", "The portal will be back", 503)
    own_cluster.start()
    browser.wait(lambda: browser.press("Try again").title.startswith(
        "Products"), "the page after the database is back")
