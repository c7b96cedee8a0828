"""What a product may become: every pair of states, tried by the portal's own
role, and the rest of what the database keeps whatever a program says."""

import itertools
import uuid

import psycopg2
import pytest
from lib import flows

APP = "latchkey_app"
CHECK, FOREIGN, DENIED = "23514", "23503", "42501"
STATES = ("draft", "published", "hidden", "closing", "closed")
LEGAL = {("draft", "published"), ("published", "hidden"),
         ("hidden", "published"), ("published", "closing"),
         ("hidden", "closing"), ("closing", "published"),
         ("closing", "hidden"), ("closing", "closed"),
         ("published", "closed"), ("hidden", "closed"),
         ("closed", "published")}


def product(server, state="draft", **more):
    """A product that is made in its state."""
    id = str(uuid.uuid4())
    more.setdefault("slug", f"p-{id}")
    names = ", ".join(more)
    server.sql(f"INSERT INTO product (id, name, state, closes_at, {names}) "
               f"VALUES (%s, 'A', %s, %s, {', '.join(['%s'] * len(more))})",
               (id, state, "2030-01-01" if state == "closing" else None,
                *more.values()))
    return id


def code_of(server, statement, params=(), role=APP):
    """The SQLSTATE of what the statement was refused with, or ''."""
    try:
        server.sql(statement, params, role=role)
    except psycopg2.Error as error:
        return error.pgcode
    return ""


@pytest.mark.parametrize("old, new", itertools.product(STATES, STATES))
def test_every_pair_of_states(server, old, new):
    id = product(server, old)
    code = code_of(server, "UPDATE product SET state = %s, closes_at = %s "
                   "WHERE id = %s",
                   (new, "2030-01-01" if new == "closing" else None, id))
    assert code == ("" if old == new or (old, new) in LEGAL else "LK030")
    now = server.sql("SELECT state, version FROM product WHERE id = %s",
                     (id,))[0]
    assert now == ((new, 2) if code == "" else (old, 1))


def test_a_hidden_one_stays_hidden_until_it_is_published(server):
    id = product(server, "hidden")
    for state, was_hidden in (("closing", True), ("closed", True),
                              ("published", False), ("closing", False),
                              ("hidden", False)):
        row = server.sql(
            "UPDATE product SET state = %s, closes_at = CASE WHEN %s = "
            "'closing' THEN now() END WHERE id = %s RETURNING was_hidden",
            (state, state, id), role=APP)
        assert row == [(was_hidden,)], state


def test_an_address_is_kept_from_the_first_publishing(server):
    id = product(server)
    slug = str(uuid.uuid4())
    for value, code in ((slug, ""), (slug + "x", "LK030")):
        assert code_of(server, "UPDATE product SET slug = %s WHERE id = %s",
                       (value, id)) == code
        server.sql("UPDATE product SET state = 'published' WHERE id = %s",
                   (id,))


@pytest.mark.parametrize("change, code", [
    ("state = 'closing'", CHECK), ("closes_at = now()", CHECK),
    ("approval = 'nobody'", CHECK), ("approval_delay_min = -1", CHECK),
    ("approval_delay_min = 10081", CHECK), ("calls_a_second = 0", CHECK),
    ("calls_a_minute = 0", CHECK), ("calls_a_month = -1", CHECK),
    ("terms_version = 1", FOREIGN)])
def test_refused(server, change, code):
    id = product(server, "published")
    assert code_of(server, f"UPDATE product SET {change} WHERE id = %s",
                   (id,)) == code


@pytest.mark.parametrize("path, operations", [
    ("no-slash", ["GET"]), ("", ["GET"]), ("/x", []), ("/x", ["LOOK"]),
    ("/x", ["GET", "get"])])
def test_a_resource_is_a_path_and_known_operations(server, path, operations):
    assert code_of(
        server, "INSERT INTO product_resource (product_id, place, name, path, "
        "operations) VALUES (%s, 1, 'A', %s, %s)",
        (product(server), path, operations)) == CHECK


def test_terms_and_their_acceptance_are_never_changed(server):
    flows.client_with_key(server)
    id = product(server)
    server.sql("INSERT INTO product_terms (product_id, version, text) "
               "VALUES (%s, 1, 'Be kind.')", (id,), role=APP)
    server.sql("INSERT INTO terms_acceptance (request_id, account_id, "
               "product_id, version) SELECT r.id, r.account_id, %s, 1 "
               "FROM request r", (id,), role=APP)
    for statement in ("UPDATE product_terms SET text = 'x'",
                      "DELETE FROM product_terms",
                      "UPDATE terms_acceptance SET version = 2",
                      "DELETE FROM terms_acceptance"):
        assert code_of(server, statement) == DENIED
    assert code_of(server, "INSERT INTO terms_acceptance (request_id, "
                   "account_id, product_id, version) SELECT gen_random_uuid(),"
                   " account_id, product_id, 2 FROM terms_acceptance"
                   ) == FOREIGN
