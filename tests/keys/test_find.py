"""A key was found in public: staff paste it, see whose it is, and revoke it; it
stands in no address, on no page and in no log."""

import pytest
from lib import flows


@pytest.fixture(scope="module")
def world(server):
    return flows.client_with_key(server, "FOUND", "Found Works")


def look(keeper, text):
    return keeper.submit(keeper.get("/staff/keys").expect(200),
                         {"key": text}, "/staff/keys$")


def test_whole_first_eight_and_revoke(server, world):
    owner, keeper = world
    key = flows.show_key(owner)
    for typed in (key, key[:8], f"  {key.upper()}\t"):
        page = look(keeper, typed).expect(200)
        assert "Found Works" in page.words and "It works" in page.words
        assert key[:8] not in page.text and key[-4:] in page.words
        assert page.headers["Cache-Control"] == "no-store"
        assert page.path == "/staff/keys"
    answer = keeper.submit(page, {"reason": "On a forum", "overlap": "3600"},
                           "/revoke$")
    after = keeper.follow(answer).expect(200)
    assert "Sam Keeper revoked a value of the primary key" in after.words
    page = look(keeper, key).expect(200)
    assert "old value" in page.words and "Works until" in page.words
    keeper.submit(page, {"reason": "At once"}, "/revoke$").expect(303)
    page = look(keeper, key).expect(200)
    assert "It has ended" in page.words and not page.has_form("/revoke$")
    assert flows.show_key(owner) != key
    for mail in server.mail.all():
        assert key[:8] not in mail.raw.decode()
    for name in ("portal", "courier"):
        assert key[:8] not in server.raw_log(name)


@pytest.mark.parametrize("typed", [
    "", " ", "deadbee", "deadbeef0", "x" * 32, "g" * 8, "deadbeef" * 8,
    "dead beef", "%", "' OR 1=1 --"])
def test_no_key(world, typed):
    page = look(world[1], typed).expect(422)
    assert 'href="#key"' in page.text
    if typed.strip():
        assert typed.strip() not in page.form("/staff/keys$").fields.values()


def test_none_of_ours(world):
    for typed in ("0" * 32, "0" * 8):
        assert "It is none of ours" in look(world[1], typed).expect(200).words
    # Nor by an address.
    page = world[1].get("/staff/keys?key=" + "0" * 32).expect(200)
    assert "none of ours" not in page.words
