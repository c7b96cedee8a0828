"""What keys of people may: owners and managers give roles on the People page,
nobody more than they have, and owners let somebody make keys for the client."""

import threading

import pytest
from lib import flows
from lib.base import wait_until

SCOPES = (("read:customer", "GET", "/customers"),
          ("write:customer", "POST", "/customers"))


@pytest.fixture(scope="module")
def team(server):
    owner = flows.scoped_client(server, "user-key", SCOPES)
    owner.server = server
    owner.manager = flows.colleague(server, owner, "manager")
    owner.member = flows.colleague(server, owner)
    owner.other = flows.scoped_client(server, "user-key", SCOPES)
    for name, cell in (("Readers", "GET"), ("Writers", "POST")):
        role = flows.give_role(server, owner, owner.manager, name,
                               ((cell, "/customers"),))
        setattr(owner, name.lower(), role)
    return owner


@pytest.fixture(autouse=True)
def nothing_given(team):
    """The manager has Readers alone, and nobody else anything."""
    team.server.sql("DELETE FROM membership_role")
    team.server.sql("INSERT INTO membership_role (account_id, role_id, "
                    "tenant_id) VALUES (%s, %s, %s)",
                    (id_of(team, team.manager), team.readers, team.tenant))


def id_of(team, browser):
    return team.server.sql("SELECT account_id FROM person WHERE email = %s",
                           (browser.email,))[0][0]


def path(team, browser):
    return f"/people/{id_of(team, browser)}/permissions"


def has(team, browser):
    return [name for name, in team.server.sql(
        "SELECT r.name FROM membership_role x JOIN api_role r "
        "ON r.id = x.role_id WHERE x.account_id = %s ORDER BY 1",
        (id_of(team, browser),))]


def give(team, by, whom, *roles, **fields):
    """The form of the page, with these roles ticked."""
    where = path(team, whom)
    form = by.get(where).expect(200).form("/permissions$")
    body = {"csrf": form.fields["csrf"], "version": form.fields["version"],
            **fields}
    return by.post(where, list(body.items()) + [("role", r) for r in roles])


def audits(team):
    return team.server.sql(
        "SELECT detail FROM audit WHERE action = 'membership.permitted' "
        "AND tenant_id = %s ORDER BY id", (team.tenant,))


def test_an_owner_gives_any_role_and_its_keys_may_it(team):
    page = team.get("/people").expect(200)
    assert path(team, team.member) in page.text
    before = len(audits(team))
    answer = give(team, team, team.member, team.readers, team.writers)
    assert "It counts for the next call" in team.follow(
        answer.expect(303)).words
    assert has(team, team.member) == ["Readers", "Writers"]
    flows.issued_key(team.member, team.subscription, "Of a member",
                     ["read:customer", "write:customer"])
    for browser in (team, team.manager, team.member):
        assert "Readers, Writers" in browser.get("/people").words
    give(team, team, team.member, team.writers).expect(303)
    assert has(team, team.member) == ["Writers"]
    assert "has lost permissions" in team.get(
        f"/subscriptions/{team.subscription}").words
    assert audits(team)[before:] == [
        ({"given": 2, "taken": 0, "makes_keys": False},),
        ({"given": 0, "taken": 1, "makes_keys": False},)]
    # What changes nothing is not told of.
    give(team, team, team.member, team.writers).expect(303)
    assert len(audits(team)) == before + 2


def test_a_manager_gives_to_members_what_managers_have(team):
    give(team, team, team.member, team.writers).expect(303)
    page = team.manager.get(path(team, team.member)).expect(200)
    assert "May create keys for the whole client" not in page.words
    answer = give(team, team.manager, team.member, team.readers,
                  makes_keys="1")
    answer.expect(303)
    # What an owner gave stays, and what only owners give is not given.
    assert has(team, team.member) == ["Readers", "Writers"]
    assert team.server.sql("SELECT makes_keys FROM membership WHERE "
                           "account_id = %s", (id_of(team, team.member),)
                           ) == [(False,)]
    give(team, team.manager, team.member).expect(303)
    assert has(team, team.member) == ["Writers"]
    answer = give(team, team.manager, team.member, team.readers, team.writers)
    assert "You give the roles that you have" in answer.expect(422).words
    assert has(team, team.member) == ["Writers"]
    for whom in (team.manager, team):
        team.manager.get(path(team, whom)).expect(404)
    csrf = team.manager.get("/people").form("signout").fields["csrf"]
    for whom in (team.manager, team):
        team.manager.post(path(team, whom), {
            "csrf": csrf, "version": "0", "role": team.readers}).expect(404)
    assert has(team, team.manager) == ["Readers"]


def test_a_manager_without_a_role_gives_none(team):
    give(team, team, team.manager).expect(303)
    page = team.manager.get(path(team, team.member)).expect(200)
    assert "there is none that you can give" in page.words


def test_a_manager_widens_no_role_that_people_have(team):
    """Neither the own one, nor is one that people have deleted."""
    where = f"/api-roles/{team.readers}"
    customers = team.server.sql(
        "SELECT r.id FROM product_resource r JOIN product p "
        "ON p.id = r.product_id WHERE p.slug = %s AND r.path = '/customers'",
        (team.slug,))[0][0]

    def save(browser, *operations):
        form = browser.get(where).expect(200).form(f"{where}$")
        return browser.post(where, [
            (name, form.fields[name]) for name in ("csrf", "version", "name")
        ] + [("scope", "all")] + [("p", f"{customers}:{operation}")
                                  for operation in operations])

    answer = save(team.manager, "GET", "POST")
    assert "An owner can widen it" in answer.words and answer.status >= 400
    cells = "SELECT operation FROM api_role_grant WHERE role_id = %s ORDER BY 1"
    assert team.server.sql(cells, (team.readers,)) == [("GET",)]
    csrf = team.get("/people").form("signout").fields["csrf"]
    answer = team.post(f"{where}/delete", {"csrf": csrf})
    assert answer.status >= 400 and "people have this role" in answer.words
    save(team, "GET", "POST").expect(303)
    assert team.server.sql(cells, (team.readers,)) == [("GET",), ("POST",)]
    save(team.manager, "GET").expect(303)
    assert team.server.sql(cells, (team.readers,)) == [("GET",)]


def test_owners_need_none(team):
    page = team.get(path(team, team)).expect(200)
    assert "Owners need no role" in page.words
    assert not page.has_form("/permissions$")
    csrf = page.form("signout").fields["csrf"]
    team.post(path(team, team), {"csrf": csrf, "version": "0",
                                 "role": team.readers}).expect(404)
    assert has(team, team) == []


def test_others_neither_see_nor_give(team):
    keeper = flows.staff(team.server)
    where = path(team, team.member)
    for browser in (team.member, team.other, keeper):
        browser.get(where).expect(404)
        csrf = browser.get("/account").form("signout").fields["csrf"]
        browser.post(where, {"csrf": csrf, "version": "0",
                             "role": team.readers}).expect(404)
    form = team.get(where).form("/permissions$")
    team.post(where, {**form.fields, "csrf": "x"}).expect(403)
    # A role of another client is none.
    theirs = team.server.sql("SELECT id FROM api_role WHERE tenant_id = %s "
                             "LIMIT 1", (team.other.tenant,))[0][0]
    give(team, team, team.member, theirs).expect(422)
    team.get("/people/nonsense/permissions").expect(404)
    assert has(team, team.member) == []


def test_an_owner_lets_somebody_make_keys_for_the_client(team, server):
    partner = flows.scoped_client(server, "partner-key",
                                  ("conversation:read",))
    partner.server, member = server, flows.colleague(server, partner)
    place = f"/subscriptions/{partner.subscription}"
    assert not member.get(place).has_form("/issued$")
    give(partner, partner, member, makes_keys="1").expect(303)
    flows.issued_key(member, partner.subscription, "Granted",
                     ["conversation:read"])
    assert "Creates keys for the whole client" in partner.get("/people").words
    assert audits(partner) == [
        ({"given": 0, "taken": 0, "makes_keys": True},)]
    give(partner, partner, member).expect(303)
    assert not member.get(place).has_form("/issued$")


def test_of_two_at_once_one_is_told(team):
    where = path(team, team.member)
    forms = {browser: {**browser.get(where).form("/permissions$").fields,
                       "role": role}
             for browser, role in ((team, team.writers),
                                   (team.manager, team.readers))}
    answers = []
    threads = [threading.Thread(target=lambda b=b: answers.append(
        b.post(where, forms[b]).status)) for b in forms]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [303, 409]
    assert len(has(team, team.member)) == 1


def test_what_is_taken_at_that_moment_is_not_given_on(team):
    """The manager's role goes in a transaction that ends later."""
    server = team.server
    connection = server.cluster.connect(server.database, "latchkey_owner")
    connection.autocommit = False
    where = path(team, team.member)
    form = team.manager.get(where).form("/permissions$")
    answers = []
    try:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM membership_role WHERE account_id = %s",
                           (id_of(team, team.manager),))
            gives = threading.Thread(target=lambda: answers.append(
                team.manager.post(where, {**form.fields,
                                          "role": team.readers}).status))
            gives.start()
            wait_until(lambda: server.sql(
                "SELECT count(*) FROM pg_locks WHERE NOT granted")[0][0])
            connection.commit()
        gives.join()
    finally:
        connection.close()
    assert answers == [422]
    assert has(team, team.member) == []
