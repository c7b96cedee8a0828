"""The pages of people and of second factors, as test_pages.py looks at all."""

from lib import flows, totp

from e2e.test_pages import ARABIC, NAMES, OLD_SIGN_IN, look, person  # noqa: F401


def test_people_of_a_client(server, person):
    owner, keeper = flows.client_with_key(server, "PEOPLE",
                                          "Fitzwilliam and Sons")
    browser = person(owner)
    browser.go("/people")
    look(browser, "people-owner-alone", "People")
    new = flows.address()
    owner.submit(owner.get("/people"), {"email": new, "role": "manager"},
                 "/people/invite$").expect(303)
    browser.go("/people")
    look(browser, "people-owner-invited", "People")
    browser.open(server, server.mail.wait(new, "Join").link("/invite/"))
    look(browser, "people-invite")
    guest = server.client()
    page = guest.get(server.mail.wait(new, "Join").link("/invite/"))
    guest.submit(page, {"name": NAMES[0][0], "password": flows.PASSWORD},
                 "/invite/").expect(303)
    browser.go("/people")
    look(browser, "people-owner-two", "People")
    asker = flows.contact(server, client="Elsewhere")
    person(asker).go("/people")
    look(browser, "people-without-client", "People")
    asker.submit(asker.get("/people"), {"client": ARABIC}, "/ask$").expect(303)
    browser.go("/people")
    look(browser, "people-asked", "People")
    person(keeper).go("/staff/asks")
    browser.find("details.disclose summary").click()
    look(browser, "staff-asks", "Asks to join")
    browser.press_submit("/share")
    look(browser, "staff-asks-error", "Error: ", 422)
    number = server.sql("SELECT account_id FROM person WHERE email = %s",
                        (asker.email,))[0][0]
    browser.go(f"/staff/people/{number}")
    look(browser, "staff-person-of-none")
    browser.press_submit("/sign-out")
    look(browser, "staff-person-signed-out")


def test_what_keys_of_people_may(server, person):
    owner = flows.scoped_client(server, "user-key",
                                (("read:customer", "GET", "/customers"),))
    manager = flows.colleague(server, owner, "manager")
    member = flows.colleague(server, owner)
    flows.give_role(server, owner, manager, "Readers of everything",
                    (("GET", "/customers"),))
    where = "/people/{}/permissions".format(server.sql(
        "SELECT account_id FROM person WHERE email = %s", (member.email,)
    )[0][0])
    browser = person(owner)
    browser.go(where)
    look(browser, "permit", "What keys of ")
    browser.find("#makes_keys").click()
    browser.press_submit("/permissions")
    look(browser, "permit-saved", "What keys of ")
    server.sql("UPDATE membership SET permit_version = 9 WHERE account_id = "
               "(SELECT account_id FROM person WHERE email = %s)",
               (member.email,))
    browser.press_submit("/permissions")
    look(browser, "permit-faster", "Error: ", 409)
    browser.go("/people")
    for box in browser.find_all("details.disclose > summary"):
        box.click()
    look(browser, "people-permits", "People")
    browser.forget()
    person(manager).go(where)
    look(browser, "permit-manager", "What keys of ")


def test_second_factor(server, person):
    one = flows.contact(server)
    browser = person(one)
    browser.go("/account/two-factor")
    look(browser, "factor-off")
    browser.go("/account/two-factor/set-up")
    look(browser, "factor-set-up")
    browser.type("code", "1").press_submit("/set-up")
    look(browser, "factor-set-up-error", "Error: ", 422)
    secret, _ = totp.set_up(one)
    browser.go("/account/two-factor")
    look(browser, "factor-on")
    browser.press_submit("/recovery-codes")
    look(browser, "factor-recovery-codes")
    browser.driver.refresh()
    look(browser, "factor-recovery-shown", "Shown already")
    browser.go("/account/passkeys")
    look(browser, "factor-passkeys")
    server.sql(OLD_SIGN_IN)
    browser.go("/account/two-factor/set-up")
    look(browser, "factor-again", "Is it you?")
    browser.type("code", "000000").press_submit("/signin/again")
    look(browser, "factor-again-error", "Error: ", 422)
    browser.forget()
    browser.go("/signin").type("email", one.email)
    browser.type("password", flows.PASSWORD).press_submit("/signin")
    look(browser, "factor-second")
    browser.type("code", "000000").press_submit("/signin/second")
    look(browser, "factor-second-error", "Error: ", 422)


def test_access_tokens(server, person):
    browser = person(flows.contact(server))
    browser.go("/account/tokens")
    look(browser, "tokens-none", "Access tokens")
    browser.press_submit("/account/tokens")
    look(browser, "tokens-error", "Error: ", 422)
    browser.type("name", NAMES[0][0][:60])
    browser.find("#scope-0").click()
    browser.find("#scope-2").click()
    browser.press_submit("/account/tokens")
    look(browser, "tokens-shown", "Your new token")
    browser.driver.refresh()
    look(browser, "tokens-shown-already", "Shown already")
    browser.go("/account/tokens")
    look(browser, "tokens-one", "Access tokens")
