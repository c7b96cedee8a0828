"""More than one environment: who asks chooses, a client has one subscription
in each, and what is counted for one is not counted for the other."""

import re

import pytest
from lib import flows
from lib.gateway import KEY, Gateway
from lib.server import Server

PATH = "/products/revio-api/subscribe"


@pytest.fixture(scope="module")
def server(cluster):
    one = Server(cluster, settings={"ENVIRONMENTS": "test,live"})
    yield one
    one.close()


def ask(browser, environment, status=303, **fields):
    page = browser.get(PATH).expect(200)
    return browser.submit(page, {"environment": environment, **fields},
                          PATH).expect(status)


def test_one_subscription_in_each(server):
    owner, keeper = flows.contact(server), flows.staff(server)
    page = owner.get(PATH).expect(200)
    assert re.findall(r'name="environment" value="(\w+)"( checked)?',
                      page.text) == [("test", " checked"), ("live", "")]
    answer = ask(owner, "stage", 422)
    assert "Choose one of these" in answer.words
    assert 'href="#environment"' in answer.text
    assert 'id="environment"' in answer.text
    ask(owner, "test")
    path = flows.requests_in_queue(keeper)[-1]
    flows.approve(keeper, path, code="ALTWORX",
                  client="Altaworx").expect(303)
    assert server.sql("SELECT environment FROM subscription") == [("test",)]
    # One in that environment is enough; another one is free.
    answer = ask(owner, "test", 409)
    assert "Choose another one" in answer.words
    ask(owner, "live")
    path = flows.requests_in_queue(keeper)[-1]
    assert "live" in keeper.get(path).words
    flows.approve(keeper, path, tenant="ALTWORX").expect(303)
    assert server.sql("SELECT environment FROM subscription ORDER BY id") == [
        ("test",), ("live",)]
    # Now both are taken: the page shows the key in place of the form.
    page = owner.get(PATH).expect(200)
    assert PATH not in [form.action for form in page.forms]
    assert "You have a key" in owner.get("/products/revio-api").words
    # Staff see one line for the client, not one for each environment.
    page = keeper.get("/staff/tenants").expect(200)
    assert len(re.findall(r'href="/staff/tenants/ALTWORX"', page.text)) == 1


def test_limits_are_each_ones_own(server):
    rows = server.sql("SELECT s.id, s.environment FROM subscription s "
                      "ORDER BY s.id")
    assert [row[1] for row in rows] == ["test", "live"]
    server.sql("UPDATE product SET needs_api_user = false")
    owner = flows.sign_in(server, server.sql(
        "SELECT email FROM person WHERE name = 'Ada Byron'")[0][0])
    gateway, left = Gateway(server), {}
    page = owner.get("/profile").expect(200)
    for id, name in rows:
        shown = owner.submit(page, action=f"/{id}/keys/primary/show$")
        key = flows.key_on(shown.expect(200))
        for _ in range(2 if name == "test" else 1):
            answer = gateway.ask("/check/envoy/x", headers=[(KEY, key)])
            assert answer.status == 200
        left[name] = int(re.search(
            r'"day";r=(\d+)', answer.headers["ratelimit"])[1])
    gateway.close()
    assert left["live"] == left["test"] + 1


def test_nobody_is_asked_where_there_is_one(make_server):
    server = make_server()
    owner = flows.contact(server)
    page = owner.get(PATH).expect(200)
    assert "environment" not in page.form(PATH).fields
    ask(owner, "test")          # nothing that the form offers
    assert server.sql("SELECT environment FROM request") == [("live",)]
