"""Admins give a client limits of its own, and the gateway has them at once."""

from lib import base, flows
from lib.gateway import KEY, Gateway

NAMES = ("calls_a_second", "calls_a_minute", "calls_a_day", "calls_a_month",
         "user_calls_a_minute", "all_calls_a_minute", "all_calls_a_day")


def test_limits(server):
    owner = flows.client_with_key(server)[0]
    key = flows.show_key(owner)
    assert "200 calls a minute" in owner.get("/profile").words
    server.sql("UPDATE product SET needs_api_user = false")
    admin = flows.staff(server, role="admin")
    path = "/staff/tenants/ALTWORX/limits"
    form = admin.get(path).expect(200).form(path)
    fields = form.fields
    assert {fields[name] for name in NAMES} == {""}
    page = admin.post(path, {**fields, "calls_a_minute": "0"}).expect(422)
    assert "A whole number from 1" in page.text
    page = admin.post(path, {**fields, "calls_a_day": "ten"}).expect(422)
    assert page.form(path).fields["calls_a_day"] == "ten"
    admin.post(path, {**fields, "calls_a_minute": "5",
                      "user_calls_a_minute": "3",
                      "all_calls_a_day": "7"}).expect(303)
    # The client sees its own, not the product's.
    words = owner.get("/profile").words
    assert "5 calls a minute" in words
    assert "each API user 3 a minute" in words
    gateway = Gateway(server)
    policy = '"minute";q=5;w=60'
    base.wait_until(lambda: policy in gateway.ask(
        "/check/envoy/x", headers=[(KEY, key)]).headers["ratelimit-policy"],
        5, "the limits")
    gateway.close()
    # Whoever saw the client before that is told so.
    admin.post(path, {**fields, "calls_a_minute": "9"}).expect(409)
    fields = admin.get(path).expect(200).form(path).fields
    assert fields["calls_a_minute"] == "5" and fields["calls_a_second"] == ""
    admin.post(path, {**fields, "calls_a_minute": "",
                      "user_calls_a_minute": "",
                      "all_calls_a_day": ""}).expect(303)
    assert server.sql("SELECT calls_a_minute, all_calls_a_day FROM tenant "
                      "WHERE code = 'ALTWORX'") == [(None, None)]
    assert server.sql("SELECT count(*) FROM audit WHERE action = "
                      "'tenant.limits'") == [(2,)]
    words = owner.get("/profile").words
    assert "200 calls a minute" in words and "API user 3" not in words
