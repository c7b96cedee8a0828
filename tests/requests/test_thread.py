"""Asking back and answering: the thread that both sides read, the clock that
stands still, and whatever may be sent in place of an answer."""

import uuid

import pytest
from lib import flows


def question(keeper, person, text="US or UK?"):
    page = keeper.get(person.path).expect(200)
    return keeper.submit(page, {"question": text}, "/ask$")


@pytest.fixture(scope="module")
def keeper(server):
    return flows.staff(server, name="Tom Keeper")


def test_ask_back_and_answer(server, keeper):
    person = flows.asker(server, "Thread Co")
    page = person.get(person.own).expect(200)
    assert "sent the request" in page.words and "left for our" in page.words
    assert question(keeper, person, "US <b>or</b> UK?").expect(
        303).location == person.path
    told = server.mail.wait(person.email, subject="A question about")
    assert "US <b>or</b> UK?" in told.text and person.own in told.text
    page = keeper.get(person.path).expect(200)
    assert "Waits on" in page.words and not page.has_form("/ask$")
    assert "We have a question" in person.get("/profile").words
    page = person.get(person.own).expect(200)
    assert "Tom Keeper asks" in page.words
    assert "US <b>or</b> UK?" in page.words
    person.submit(page, {"text": "US,\r\nthe old one"},
                  "/answer$").expect(303)
    told = server.mail.wait(keeper.email, subject="wrote about Thread Co")
    assert "the old one" in told.text
    page = keeper.get(person.path).expect(200)
    assert "Ada Byron answers" in page.words and page.has_form("/ask$")
    assert "the old one" in page.words
    flows.reject(keeper, person.path, "Ask your <owner>").expect(303)
    page = person.get(person.own).expect(200)
    assert "Ask your <owner>" in page.words
    assert not page.has_form("/answer$") and not page.has_form("/withdraw$")
    assert server.sql(
        "SELECT array_agg(action ORDER BY id) FROM audit "
        "WHERE subject_id = %s", (person.asked,)) == [(
            ["request.submitted", "request.asked", "request.answered",
             "request.rejected"],)]


def test_staff_write_without_asking(server, keeper):
    """A remark: a mail to the contact, and the request waits for nobody."""
    person = flows.asker(server, "Remark Co")
    page = keeper.get(person.path).expect(200)
    empty = keeper.submit(page, {"comment": " "}, "/comment$").expect(422)
    assert "Write something" in empty.words
    assert keeper.submit(page, {"comment": "We <b>ask</b> legal."},
                         "/comment$").expect(303).location == person.path
    told = server.mail.wait(person.email, subject="About your request")
    assert "We <b>ask</b> legal." in told.text and person.own in told.text
    seen = keeper.get(person.path).expect(200)
    assert "Tom Keeper writes" in seen.words and seen.has_form("/ask$")
    page = person.get(person.own).expect(200)
    assert "We <b>ask</b> legal." in page.words
    flows.reject(keeper, person.path, "No").expect(303)
    late = keeper.submit(seen, {"comment": "And?"}, "/comment$")
    assert "Tom Keeper rejected" in late.expect(409).words


def test_somebody_was_faster(server, keeper):
    """Of staff with the same page open, the second sees what was done."""
    person, other = flows.asker(server, "Fast Co"), flows.staff(server)
    page = other.get(person.path).expect(200)
    question(keeper, person).expect(303)
    late = other.submit(page, {"question": "And me?"}, "/ask$").expect(409)
    assert "Somebody was faster" in late.words and "US or UK?" in late.words
    assert late.form("/reject$")
    # An answer to what was decided meanwhile is not kept.
    mine = person.get(person.own).expect(200)
    flows.reject(keeper, person.path, "No").expect(303)
    late = person.submit(mine, {"text": "US"}, "/answer$").expect(409)
    assert "was not added" in late.words
    late = other.submit(page, {"question": "And me?"}, "/ask$").expect(409)
    assert "Tom Keeper rejected" in late.words


@pytest.mark.parametrize("text, status", [
    ("", 422), ("  \n ", 422), ("x" * 1001, 422), ("é" * 1000, 303)])
def test_texts(server, keeper, text, status):
    person = flows.asker(server, "Text Co")
    answer = question(keeper, person, text).expect(status)
    if status == 422:
        assert answer.form("/ask$").fields["question"].strip() == text.strip()
        question(keeper, person).expect(303)
    page = person.get(person.own).expect(200)
    answer = person.submit(page, {"text": text}, "/answer$").expect(status)
    if status == 422:
        assert answer.title.startswith("Error: ")


def test_not_yours(server, keeper):
    person = flows.asker(server, "Own Co")
    other = flows.asker(server, "Other Co")
    csrf = other.get("/profile").form("/signout").fields["csrf"]
    for path in (person.own, f"/requests/{uuid.uuid4()}", "/requests/1"):
        other.get(path).expect(404)
        other.post(f"{path}/answer", {"csrf": csrf, "text": "x"}).expect(404)
    keeper.get(person.own).expect(404)
    person.post(f"{person.own}/answer", {"text": "x"}).expect(403)
    csrf = keeper.get("/staff/queue").form("/signout").fields["csrf"]
    for path in (f"/staff/requests/{uuid.uuid4()}", "/staff/requests/1"):
        keeper.post(f"{path}/ask", {"csrf": csrf, "question": "x"}
                    ).expect(404)
    assert server.sql("SELECT count(*) FROM request_note WHERE request_id = "
                      "%s", (person.asked,)) == [(0,)]
