/*
 * Admins give a client limits of its own.
 */
#include "tenants/tenant_limits.h"

#include "base/str.h"
#include "sessions/session.h"
#include "web/respond.h"

const char *const tenant_limit_names[TENANT_LIMITS] = { "calls_a_second",
	"calls_a_minute", "calls_a_day", "calls_a_month",
	"user_calls_a_minute", "all_calls_a_minute", "all_calls_a_day" };

WAITS static void show(struct req *, int status, struct view *,
		    const struct tenant *);
static void	 show_field(struct view *, size_t i, const char *value,
		    const char *wrong);
static int64_t	 read_calls(struct req *, const char *name, bool *ret_ok);

void
tenant_page_limits(struct req *rq)
{
	struct view		*view = view_new(rq->arena);
	struct tenant		*t = tenant_page_find(rq, "/limits");
	struct tenant_limits	*limits;
	size_t			 i;

	if (t == NULL)
		return;
	limits = tenant_db_limits(rq->db, t->id);
	if (limits == NULL)
		req_not_found(rq);
	for (i = 0; i < TENANT_LIMITS; i++)
		show_field(view, i, limits->calls[i] == 0 ? "" :
		    arena_fmt(rq->arena, "%lld", (long long)limits->calls[i]),
		    "");
	view_int(view, "version", limits->version);
	show(rq, 200, view, t);
}

void
tenant_page_set_limits(struct req *rq)
{
	static const char	 must[] = "A whole number from 1 to "
				    "1,000,000,000, or nothing.";
	struct view		*view = view_new(rq->arena);
	struct tenant		*t = tenant_page_find(rq, "/limits");
	struct tenant_limits	 limits = { .version = 0 };
	const char		*version = req_form(rq, "version"), *typed;
	bool			 ok;
	size_t			 i;

	if (t == NULL)
		return;
	for (i = 0; i < TENANT_LIMITS; i++) {
		limits.calls[i] = read_calls(rq, tenant_limit_names[i], &ok);
		if (!ok)
			form_error(view, tenant_limit_names[i], must);
		typed = req_form(rq, tenant_limit_names[i]);
		show_field(view, i, typed == NULL ? "" : typed,
		    ok ? "" : must);
	}
	/* Without a version it is nobody's form. */
	if (version == NULL || !str_to_int(version, 1, INT32_MAX,
	    &limits.version))
		form_error(view, "calls_a_second", "Open this form again: it "
		    "does not say what you saw.");
	view_int(view, "version", limits.version);
	if (form_has_errors(view)) {
		show(rq, 422, view, t);
		return;
	}
	if (!tenant_db_set_limits(rq->db, rq->session->account_id, t->id,
	    &limits)) {
		form_error(view, "calls_a_second", "Somebody changed this "
		    "client since you opened the form. Open it again and look "
		    "at what is new.");
		show(rq, 409, view, t);
		return;
	}
	respond_see_other(rq, arena_fmt(rq->arena, "/staff/tenants/%s",
	    t->code));
}

WAITS static void
show(struct req *rq, int status, struct view *view, const struct tenant *t)
{
	view_text(view, "code", t->code);
	view_text(view, "client", t->name);
	form_fields(view, "calls_a_second", "calls_a_minute", "calls_a_day",
	    "calls_a_month", "user_calls_a_minute", "all_calls_a_minute",
	    "all_calls_a_day", NULL);
	respond_page(rq, status, "tenants/limits", view);
}

static void
show_field(struct view *view, size_t i, const char *value, const char *wrong)
{
	static const char *const labels[TENANT_LIMITS] = {
		"Calls a second, of each key pair",
		"Calls a minute, of each key pair",
		"Calls a day, of each key pair",
		"Calls a month, of each key pair",
		"Calls a minute, of each API user",
		"Calls a minute, of the whole client",
		"Calls a day, of the whole client" };
	struct view	*row = view_row(view, "limits");

	view_text(row, "id", tenant_limit_names[i]);
	view_text(row, "label", labels[i]);
	view_text(row, "hint", i < 5 ? "Empty: as the product says." :
	    "Empty: no limit of its own.");
	view_text(row, "value", value);
	view_text(row, "wrong", wrong);
	view_bool(row, "is_long", false);
	view_bool(row, "is_mono", false);
	view_bool(row, "is_number", true);
}

/* 0 for nothing. */
static int64_t
read_calls(struct req *rq, const char *name, bool *ret_ok)
{
	const char	*typed = req_form(rq, name);
	int64_t		 calls = 0;

	*ret_ok = typed == NULL || str_blank(typed) ||
	    str_to_int(str_squeeze(rq->arena, typed), 1, TENANT_CALLS_MAX,
	    &calls);
	return (calls);
}
