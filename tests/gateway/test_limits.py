"""Rates and quotas over HTTP: exact over all workers, and said in headers."""

import json
import re
import threading

import pytest

from lib import base, flows
from lib.gateway import KEY, Gateway
from lib.server import Server

MEMBER = re.compile(r'"([a-z-]+)";([qr])=(\d+);([wt])=(\d+)')


@pytest.fixture(scope="module")
def server(cluster):
    one = Server(cluster, workers=2, settings={
        "TRUSTED_PROXIES": "127.0.0.1", "GATEWAY_FAILURES": "20",
        "GATEWAY_X_RATELIMIT": "on"})
    yield one
    one.close()


@pytest.fixture(scope="module")
def key(server):
    owner = flows.client_with_key(server)[0]
    server.sql("UPDATE product SET needs_api_user = false, "
               "calls_a_day = NULL")
    return flows.show_key(owner)


@pytest.fixture
def gateways(server):
    """Some for each worker."""
    ones = [Gateway(server) for _ in range(12)]
    yield ones
    for one in ones:
        one.close()


def plan(server, gateways, key, name, **limits):
    """The client's limits, when every connection's worker has heard of them."""
    names = ("calls_a_second", "calls_a_minute", "calls_a_day",
             "calls_a_month", "user_calls_a_minute", "all_calls_a_minute",
             "all_calls_a_day")
    server.sql("UPDATE tenant SET " + ", ".join(
        f"{one} = {limits.get(one, 'NULL')}" for one in names))
    base.wait_until(lambda: all(
        name in policy(one, key) for one in gateways), 5, "the plan")


def policy(gateway, key):
    return members(ask(gateway, key).headers["ratelimit-policy"])


def ask(gateway, key, *more):
    return gateway.ask("/check/envoy/x", headers=[(KEY, key), *more])


def members(header):
    """{name: (number, seconds)} of a list of RFC 9651."""
    found = {}
    for item in header.split(", "):
        name, _, number, _, seconds = MEMBER.fullmatch(item).groups()
        found[name] = int(number), int(seconds)
    return found


def hammer(gateways, key, calls):
    """The answers to so many calls from each, all at the same time."""
    answers, lock = [], threading.Lock()

    def run(one):
        for _ in range(calls):
            answer = ask(one, key)
            with lock:
                answers.append(answer)
    threads = [threading.Thread(target=run, args=(one,)) for one in gateways]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_default(key, gateways):
    answer = ask(gateways[0], key)
    assert answer.status == 200
    assert members(answer.headers["ratelimit-policy"]) == {"minute": (200, 60)}
    left, seconds = members(answer.headers["ratelimit"])["minute"]
    assert left == 199 and seconds == 1
    assert answer.headers["x-ratelimit-limit"] == "200"
    assert answer.headers["x-ratelimit-remaining"] == "199"


def test_exact_over_workers(server, key, gateways):
    """What all workers let pass is the plan's, and not one call more."""
    plan(server, gateways, key, "client-day", calls_a_minute=1000000,
         all_calls_a_day=500)
    answers = hammer(gateways, key, 60)
    passed = 500 - min(members(answer.headers["ratelimit"])["client-day"][0]
                       for answer in answers)
    assert passed == 500
    last = ask(gateways[0], key)
    assert last.status == 429
    # One leaks each 173 seconds, so at most one came in between.
    assert sum(answer.status == 200 for answer in answers) <= 501
    assert sum(answer.status == 429 for answer in answers) >= 219


def test_refused(server, key, gateways):
    plan(server, gateways, key, "client-minute", calls_a_minute=1000000,
         all_calls_a_minute=1)
    answer = base.wait_until(lambda: (
        got := ask(gateways[0], key)).status == 429 and got, 5, "a refusal")
    problem = json.loads(answer.text)
    assert problem["code"] == "rate_limited"
    assert problem["type"].endswith("#quota-exceeded")
    assert problem["violated-policies"] == ["client-minute"]
    left, seconds = members(answer.headers["ratelimit"])["client-minute"]
    assert left == 0
    assert int(answer.headers["retry-after"]) == seconds > 1
    assert set(members(answer.headers["ratelimit-policy"])) == {
        "minute", "client-minute"}
    assert answer.headers["x-ratelimit-remaining"] == "0"
    # nginx passes 403 on, with what was meant beside it.
    answer = gateways[1].ask("/check/nginx", headers=[
        (KEY, key), ("X-Original-Method", "GET"), ("X-Original-URI", "/x")])
    assert answer.status == 403
    assert answer.headers["x-latchkey-status"] == "429"
    assert int(answer.headers["retry-after"]) > 1


def test_failures_of_an_address(server, key, gateways):
    """Who guesses gets 429 for guesses; right calls pass from there as well."""
    plan(server, gateways, key, "minute", calls_a_minute=1000000)

    def from_address(key, address):
        return ask(gateways[0], key, ("X-Forwarded-For", address)).status

    for number in range(20):
        assert from_address(f"{number:032x}",
                            f"2001:db8:1:2::{number:x}, 127.0.0.1") == 401
    assert from_address("1" * 32, "2001:db8:1:2:3::1") == 429
    assert from_address("1" * 32, "2001:db8:1:3::1") == 401
    # What the client says of itself is not believed.
    assert from_address("1" * 32, "192.0.2.1, 2001:db8:1:2::7") == 429
    assert from_address(key, "2001:db8:1:2::1") == 200
    login = ("Authorization", "Basic Tk9CT0RZQEFMVFdPUlg6cGFzc3dvcmQ=")
    for number in range(30):
        answer = ask(gateways[0], key, login, ("X-Forwarded-For", "192.0.2.9"))
        assert answer.status == (401 if number < 20 else 429), number
    assert json.loads(answer.text)["code"] == "rate_limited"
    assert 1 <= int(answer.headers["retry-after"]) <= 3
    assert from_address(key, "192.0.2.9") == 200
