/*
 * From rows to messages with the templates as they are, unknown names being
 * errors; and the links in them, which a database alone can't make.
 */
#include "mail/mail.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/setting.h"
#include "base/str.h"
#include "crypto/token.h"
#include "mail/link.h"
#include "vault/vault.h"
#include "web/mustache.h"

#define ID	"0189cccc-0000-7000-8000-000000000001"
#define REQUEST	"0189cccc-0000-7000-8000-000000000002"

static struct arena		*arena;
static struct keyring		*ring;
static struct mustache_set	*templates;
static const struct setting	 settings = {
	.public_url = "https://portal.example",
	.site_name = "Tom & Jerry's portal",
	.support_email = "help@portal.example",
};

static int
setup(void **state)
{
	const struct mustache_options	 options = { .strict = true };
	unsigned char			 sealed[KEY_BYTES + SEAL_OVERHEAD];
	const char			*why;
	char				 folder[] = "/tmp/render-test-XXXXXX";
	char				*error, *path;
	size_t				 n;

	(void)state;
	crypto_init();
	arena = arena_new(16u << 20, NULL, NULL);
	setting = &settings;
	templates = mustache_load("templates", &options, &error);
	if (templates == NULL)
		fail_msg("%s", error);
	assert_non_null(mkdtemp(folder));
	path = arena_fmt(arena, "%s/master.key", folder);
	ring = keyring_new();
	if (!master_key_create(path, arena, &why) ||
	    !keyring_read_master(ring, arena, path, &why))
		fail_msg("%s", why);
	assert_int_equal(remove(path), 0);
	assert_int_equal(remove(folder), 0);
	n = keyring_make(ring, "link", 1, sealed);
	assert_int_equal(keyring_add(ring, "link", 1, sealed, n), SEAL_OK);
	vault = ring;
	return (0);
}

static int
teardown(void **state)
{
	(void)state;
	mustache_free(templates);
	keyring_free(ring);
	arena_free(arena);
	return (0);
}

/* Every parameter that a kind may have; typed ones try to break out. */
static const struct outbox_param	all[] = {
	{ "address", "192.0.2.7" },
	{ "agent", "<script>Mozilla/5.0 (X11; Linux) Firefox/1" },
	{ "by", "<b>Bob</b>" },
	{ "change_id", REQUEST },
	{ "closes_at", "1795356300000000" },
	{ "client", "A & B\r\nBcc: eve@example.com" },
	{ "due_at", "1795356300000000" },
	{ "email", "bob@b.example" },
	{ "failed_kind", "verify" },
	{ "key_name", "Nightly <export>" },
	{ "done", "revoked it" },
	{ "left", "9" },
	{ "other", "C & D\r\nBcc: eve@example.com" },
	{ "note", "Use <that>." },
	{ "outbox_id", ID },
	{ "passkey", "My <phone>" },
	{ "person", "Bob \"<script>\"" },
	{ "product", "Rev.io API" },
	{ "queued_at", "1795356300000000" },
	{ "hand_over_id", REQUEST },
	{ "invitation_id", REQUEST },
	{ "recovery_id", REQUEST },
	{ "role", "manager" },
	{ "reason", "No.\nReally {{no}}." },
	{ "request_id", REQUEST },
	{ "request_name", "O'Neil & Søn-KEY" },
	{ "rule", "owner" },
	{ "signed_in_at", "1795356300000000" },
	{ "signup_id", REQUEST },
	{ "subscription_id", REQUEST },
	{ "subscription_name", "Acme-KEY" },
	{ "scopes", "read, keys:reveal" },
	{ "token", "My <token>" },
	{ "undo_id", REQUEST },
	{ "why", "SMTP status 550" },
};

static struct outbox_mail
row(const char *kind)
{
	return ((struct outbox_mail){ .id = ID, .kind = kind, .at = 1,
	    .to = "Ada@bücher.example", .name = "Ada & <i>",
	    .params = arena_memdup(arena, all, sizeof(all)),
	    .n_params = COUNT(all), .has_link = true, .link_open = true,
	    .link_until = INT64_C(1795356300000000), .invited_as = "" });
}

static struct mail
rendered(const struct outbox_mail *from)
{
	const char	*why = "";
	struct mail	 mail;

	if (mail_render(arena, templates, from, &mail, &why) !=
	    MAIL_RENDERED)
		fail_msg("%s: %s", from->kind, why);
	return (mail);
}

static const char *const	kinds[] = {
	"verify", "account_exists", "staff_invite", "recovery",
	"password_reset", "password_changed", "email_confirm", "email_taken",
	"email_changed", "email_undone", "new_device",
	"account_closed", "signin_failed", "sessions_ended", "ask_let_in",
	"request_submitted_staff", "request_submitted", "request_approved",
	"request_shared", "request_rejected", "request_withdrawn",
	"invitation", "owner_person_joined",
	"owner_person_gone", "people_out", "people_role", "seat_planned", "seat_done",
	"seat_cancelled", "account_disabled",
	"tenant_closed", "tenant_reopened", "tenant_merged",
	"account_enabled", "staff_role", "staff_gone", "join_ask_staff",
	"owner_contact_joined", "subscription_expired", "product_closing",
	"product_closing_soon", "product_kept", "product_closed",
	"request_reminder",
	"request_overdue", "mail_failed", "factor_added", "factor_removed",
	"factor_reset", "recovery_renewed", "recovery_used",
	"passkey_added", "passkey_removed", "token_made",
	"api_user_made", "api_user_widened", "api_role_widened",
	"api_user_state", "issued_key", "api_changed", "api_hand_over",
	"api_hand_over_made",
	"api_hand_over_used",
};

static void
test_every_kind(void **state)
{
	const struct buf	*mime;
	struct outbox_mail	 from;
	struct mail		 mail;
	size_t			 i;

	(void)state;
	for (i = 0; i < COUNT(kinds); i++) {
		from = row(kinds[i]);
		mail = rendered(&from);
		assert_string_equal(mail.to, "Ada@xn--bcher-kva.example");
		assert_in_range(strlen(mail.subject), 10, 100);
		assert_null(strstr(mail.text, "Subject:"));
		/* HTML is escaped, text is not. */
		assert_non_null(strstr(mail.html, "Ada &amp; &lt;i&gt;"));
		assert_non_null(strstr(mail.text, "Ada & <i>"));
		assert_non_null(strstr(mail.text, "Tom & Jerry's portal"));
		assert_null(strstr(mail.html, "<script"));
		assert_null(strstr(mail.html, "<b>Bob"));
		assert_non_null(strstr(mail.text, "help@portal.example"));
		/* No value of its own, no tag that was left. */
		assert_null(strstr(mail.subject, "{{"));
		mime = mail_mime(arena, &mail, "a@b.example");
		assert_non_null(mime);
		assert_null(strstr(mime->p, "\r\nBcc"));
		/* Nothing is loaded from elsewhere. */
		assert_null(strstr(mail.html, "<img"));
		assert_null(strstr(mail.html, "src="));
	}
}

static void
test_links(void **state)
{
	char			 token[TOKEN_TEXT], other[TOKEN_TEXT];
	unsigned char		 hash[SHA256_BYTES], wanted[SHA256_BYTES];
	struct outbox_mail	 from = row("verify");
	struct mail		 mail = rendered(&from);
	const char		*link;

	(void)state;
	link_token("verify", REQUEST, token);
	assert_true(token_shaped(token));
	link = arena_fmt(arena, "https://portal.example/verify/%s", token);
	assert_string_equal(link_url(arena, "verify", REQUEST), link);
	assert_non_null(strstr(mail.text, link));
	assert_non_null(strstr(mail.html, link));
	assert_non_null(strstr(mail.text, "22 November 2026, 14:05 UTC"));
	link_token_hash(token, hash);
	sha256(wanted, token, strlen(token));
	assert_memory_equal(hash, wanted, sizeof(hash));
	/* Another row, another purpose: another token. */
	link_token("verify", ID, other);
	assert_string_not_equal(token, other);
	link_token("reset", REQUEST, other);
	assert_string_not_equal(token, other);

	from = row("request_submitted_staff");
	mail = rendered(&from);
	assert_non_null(strstr(mail.text,
	    "https://portal.example/staff/requests/" REQUEST "\n"));
	assert_non_null(strstr(mail.text, "22 November 2026, 14:05 UTC"));
	assert_string_equal(mail.subject, "New request: O'Neil & Søn-KEY");
}

/* A mail to an address that nobody has confirmed holds nothing typed, even
 * when a slice puts it there by mistake. */
static void
test_unconfirmed(void **state)
{
	struct outbox_mail	from = row("verify");
	struct mail		mail;

	(void)state;
	from.name = "";
	mail = rendered(&from);
	assert_null(strstr(mail.text, "Bob"));
	assert_null(strstr(mail.text, "A & B"));
	assert_null(strstr(mail.html, "Bob"));
	assert_non_null(strstr(mail.text, "Hello,\n"));
}

static void
test_roles(void **state)
{
	struct outbox_mail	from = row("staff_invite");

	(void)state;
	assert_non_null(strstr(rendered(&from).text, "a member of staff"));
	from.invited_as = "admin";
	assert_non_null(strstr(rendered(&from).text, "an admin"));
	from = row("owner_contact_joined");
	assert_non_null(strstr(rendered(&from).text, "An owner agreed"));
	assert_null(strstr(rendered(&from).text, "mail domain"));
}

static void
test_void_and_broken(void **state)
{
	struct outbox_mail	 from;
	struct mail		 mail;
	const char		*why;

	(void)state;
	from = row("verify");
	from.link_open = false;
	assert_int_equal(mail_render(arena, templates, &from, &mail, &why),
	    MAIL_VOID);
	from = row("request_approved");
	from.to = NULL;
	assert_int_equal(mail_render(arena, templates, &from, &mail, &why),
	    MAIL_VOID);
	from = row("no_such_kind");
	assert_int_equal(mail_render(arena, templates, &from, &mail, &why),
	    MAIL_BROKEN);
	from = row("request_overdue");
	from.n_params = 0;
	assert_int_equal(mail_render(arena, templates, &from, &mail, &why),
	    MAIL_BROKEN);
	/* Without the rest it is a poorer mail, but one. */
	from = row("request_approved");
	from.n_params = 0;
	(void)rendered(&from);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_kind),
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_unconfirmed),
		cmocka_unit_test(test_roles),
		cmocka_unit_test(test_void_and_broken),
	};

	return (cmocka_run_group_tests(tests, setup, teardown));
}
