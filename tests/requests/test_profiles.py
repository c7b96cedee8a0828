"""Approving a request for a product whose keys are not pairs makes the
subscription alone, and every page copes with that."""

import pytest
from lib import flows


@pytest.fixture(scope="module")
def world(server):
    slug = flows.add_product(server, "user-key", scopes=("read:customer",))
    owner = flows.contact(server, client="Ronin Works")
    keeper = flows.staff(server)
    flows.request_key(owner, "Ronin Works-KEY", slug)
    path = flows.requests_in_queue(keeper)[-1]
    flows.approve(keeper, path, code="RONIN", client="Ronin Works").expect(303)
    server.owner, server.keeper, server.slug = owner, keeper, slug
    server.subscription = server.sql(
        "SELECT s.id FROM subscription s JOIN tenant t ON t.id = s.tenant_id "
        "WHERE t.code = 'RONIN'")[0][0]
    return server


def test_subscription_without_a_pair(world):
    assert world.sql("SELECT count(*) FROM subscription_key WHERE "
                     "subscription_id = %s", (world.subscription,)) == [(0,)]
    page = world.owner.get("/profile").expect(200)
    assert "Ronin Works-KEY" in page.words and "Both keys" not in page.words
    assert "A key is shown once" in page.words


def test_mail_says_where_keys_are_made(world):
    mail = world.mail.wait(world.owner.email, subject="is approved")
    assert "under API Keys in your profile" in " ".join(mail.text.split())
    assert "Primary" not in mail.text and "Primary" not in mail.html


def test_no_value_of_a_pair_can_be_asked_for(world):
    page = world.owner.get("/profile")
    for path in ("primary/show", "secondary/show", "primary/regenerate"):
        answer = world.owner.post(f"/subscriptions/{world.subscription}/keys/{path}", {
            "csrf": page.form("/signout").fields["csrf"], "nonce": "x" * 60,
            "key": world.subscription})
        assert answer.status in (303, 404), answer
    assert world.sql("SELECT count(*) FROM subscription_key WHERE "
                     "subscription_id = %s", (world.subscription,)) == [(0,)]


def test_staff_see_it(world):
    page = world.keeper.get(f"/staff/subscriptions/{world.subscription}")
    assert "Ronin Works-KEY" in page.expect(200).words
    world.keeper.get("/staff/tenants/RONIN").expect(200)
    assert "Ronin Works-KEY" in world.keeper.get(
        "/staff/subscriptions").expect(200).words
    assert "RONIN" in world.ctl("subscription", "list").stdout


def test_pairs_are_imported_for_pairs_only(world, folder):
    flows.add_tenant(world, "IMPPAIR", "Imppair Works")
    file = folder / "keys.csv"
    file.write_text(
        "tenant,product,name,state,primary,secondary\n"
        f"IMPPAIR,{world.slug},Imppair Works-KEY,active,{'a' * 32},{'b' * 32}"
        "\n")
    answer = world.ctl("subscription", "import", str(file), check=False)
    assert answer.returncode == 1
    assert "whose keys are not pairs" in answer.stderr


def test_checks_approve_without_a_pair(world):
    slug = flows.add_product(world, "partner-key")
    world.sql("UPDATE product SET approval = 'checks', approval_delay_min = 0 "
              "WHERE slug = %s", (slug,))
    flows.add_tenant(world, "AUTOPK", "Autopk", ("autopk.example",))
    person = flows.contact(world, flows.address("autopk.example"),
                           client="Autopk")
    flows.request_key(person, "Autopk-KEY", slug)
    # What the courier does, but for the values of a pair.
    assert world.sql(
        "SELECT request_approve_by_checks(r.id, gen_random_uuid(), 1, "
        "gen_random_uuid(), '', '', '', '', gen_random_uuid(), '', '', '', "
        "'') FROM request r JOIN product p ON p.id = r.product_id "
        "WHERE p.slug = %s", (slug,)) == [(True,)]
    assert world.sql(
        "SELECT count(*) FROM subscription_key k JOIN subscription s "
        "ON s.id = k.subscription_id JOIN product p ON p.id = s.product_id "
        "WHERE p.slug = %s", (slug,)) == [(0,)]
    mail = world.mail.wait(person.email, subject="is approved")
    assert "Settings → Integrations → Developer" in " ".join(mail.text.split())
