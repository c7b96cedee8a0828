"""The pages of products, in all looks: see test_pages.py."""

from e2e.test_pages import NAMES, look
from lib import flows


def test_products_of_staff(make_server, browser):
    """From a draft to the end, with refusals and two admins at once."""
    server = make_server()
    admin = flows.staff(server, role="admin", name="Ida Admin")
    other = flows.staff(server, role="admin", name=NAMES[0][0])
    owner, _ = flows.client_with_key(server)
    browser.open(server).take_session(admin)
    browser.go("/staff/products")
    look(browser, "staff-products", "Products", 200)
    browser.go("/staff/products/new")
    look(browser, "staff-product-new", "New product", 200)
    browser.type("name", "").type("calls_a_day", "5").type("slug", "A B")
    browser.press("Save the draft")
    look(browser, "staff-product-new-error", "Error: New product", 422)
    text = ("# Cases\n\nRead **and** write [cases](https://a.example):\n\n"
            "1. open\n2. answer\n\n> Slowly.\n\n## In code\n\n```\n"
            + "GET /v1/" + "x" * 200 + "\n```\n\n<b>raw</b>")
    browser.type("name", "Case API").type("slug", "case-api")
    browser.type("calls_a_day", "100,000").type("description", text)
    browser.type("base_url", "https://api.cases.example")
    browser.press("Preview the description")
    look(browser, "staff-product-preview", "New product", 200)
    browser.press("Save the draft")
    look(browser, "staff-product-draft", "Case API", 200)
    path = browser.path.split("?")[0]
    browser.go(f"{path}/resources")
    browser.type("name_0", "Cases").type("path_0", "no-slash")
    browser.press("Save")
    look(browser, "staff-product-resources-error",
         "Error: Resources of Case API", 422)
    browser.type("path_0", "/v1/cases")
    browser.find("#may_0_GET").click()
    browser.press("Save")
    browser.go(f"{path}/scopes")
    browser.press("Propose from the resources")
    browser.type("word_1", "x")
    browser.type("grants_1", "GET /v1/" + "y" * 100).press("Save")
    look(browser, "staff-product-scopes-error", "Error: Scopes of Case API",
         422)
    browser.type("word_1", "").type("grants_1", "").press("Save")
    browser.go(f"{path}/keys")
    browser.find("#profile-partner-key").click()
    browser.press("Look at its effect")
    look(browser, "staff-product-keys", "Keys of Case API", 200)
    browser.go(f"{path}/terms")
    browser.type("terms", "# Use\n\n" + "Be kind to our servers.\n\n" * 30)
    browser.press("Save as the next version")
    browser.press("Publish")
    look(browser, "staff-product-published", "Case API", 200)
    browser.go(f"{path}/edit")
    page = other.get(f"{path}/edit")
    other.submit(page, {"summary": "Cases and their answers.",
                        "approval": "checks"}, "/edit$").expect(303)
    browser.type("name", "Case API 2").press("Save")
    look(browser, "staff-product-late", "Change Case API", 409)
    browser.go("/products/case-api/terms")
    look(browser, "product-terms", "Terms of Case API", 200)
    # As contacts see it: with all of Markdown, and terms to accept.
    server.sql("UPDATE product SET calls_a_second = 20, calls_a_month = "
               "1000000, one_key_per_tenant = false WHERE slug = 'case-api'")
    browser.forget().take_session(owner)
    browser.go("/products/case-api")
    look(browser, "product-markdown", "Case API", 200)
    browser.go("/products/case-api/subscribe")
    look(browser, "subscribe-terms", "Subscribe to Case API", 200)
    browser.press("Send request")
    look(browser, "subscribe-terms-error", "Error: Subscribe", 422)
    # The closing of the one that has a key.
    number = server.sql("SELECT id FROM product WHERE slug = 'revio-api'")
    path = f"/staff/products/{number[0][0]}"
    browser.forget().take_session(admin)
    browser.go(path).press("Plan the closing")
    look(browser, "staff-product-close-error", "Error: Rev.io API", 422)
    page = admin.get(path)
    admin.submit(page, {"day": "2027-12-01", "note": "Use Case API."},
                 "/close$").expect(303)
    browser.go(path)
    look(browser, "staff-product-closing", "Rev.io API", 200)
    browser.forget().go("/products/revio-api")
    look(browser, "product-closing", "Rev.io API", 200)
    server.sql("UPDATE subscription SET state = 'cancelled'")
    server.sql("UPDATE product SET state = 'closed' WHERE slug = 'revio-api'")
    browser.take_session(owner).go("/products/revio-api")
    look(browser, "product-closed-contact", "Rev.io API", 200)
    browser.forget().take_session(admin).go(path)
    look(browser, "staff-product-closed", "Rev.io API", 200)
