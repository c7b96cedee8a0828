/*
 * What every page's frame shows: see templates/partials/frame.html.
 */
#include "frame.h"

#include "sessions/session.h"
#include "web/route.h"

static const char *initials(struct arena *, const char *name);

void
frame_view(struct req *rq, struct view *v)
{
	const struct session	*s = rq->session;
	const char		*p = rq->route == NULL ? "" : rq->route->pattern;
	bool			 in = s != NULL;

	view_bool(v, "is_signed_in", in);
	view_bool(v, "is_staff", in && s->kind != ACCOUNT_CONTACT);
	view_bool(v, "is_admin", in && s->kind == ACCOUNT_ADMIN);
	view_text(v, "person_name", in ? s->name : "");
	view_text(v, "person_email", in ? s->email : "");
	view_text(v, "person_initials", in ? initials(rq->arena, s->name) : "");
	view_bool(v, "has_unread", in && s->unread > 0);
	view_text(v, "unread", !in ? "" : s->unread > 9 ? "9+" :
	    arena_fmt(rq->arena, "%d", s->unread));
	view_bool(v, "nav_notices", str_starts(p, "/notices"));
	view_bool(v, "nav_products", str_starts(p, "/products") ||
	    str_starts(p, "/staff/products"));
	view_bool(v, "nav_profile", str_starts(p, "/profile"));
	view_bool(v, "nav_keys", str_starts(p, "/keys") ||
	    str_starts(p, "/subscriptions") || str_starts(p, "/issued-keys"));
	view_bool(v, "has_client", in && s->tenant_id != NULL);
	view_bool(v, "nav_people", str_starts(p, "/people") ||
	    str_starts(p, "/staff/people") ||
	    str_starts(p, "/staff/asks"));
	view_bool(v, "nav_api_users", str_starts(p, "/api-"));
	view_bool(v, "looks_after", in && (s->role == MEMBER_OWNER ||
	    s->role == MEMBER_MANAGER));
	view_bool(v, "nav_queue", str_starts(p, "/staff/queue") ||
	    str_starts(p, "/staff/requests"));
	view_bool(v, "nav_tenants", str_starts(p, "/staff/api-users") ||
	    str_starts(p, "/staff/tenants"));
	view_bool(v, "nav_subscriptions",
	    str_starts(p, "/staff/subscriptions") ||
	    str_starts(p, "/staff/keys"));
	view_bool(v, "nav_usage", str_starts(p, "/usage") ||
	    str_starts(p, "/staff/usage"));
	view_bool(v, "nav_audit", str_starts(p, "/staff/audit") ||
	    str_starts(p, "/audit"));
	view_bool(v, "nav_how", str_eq(p, "/how-it-works"));
}

/* The first letters of the first and the last word, whatever the script. */
static const char *
initials(struct arena *a, const char *name)
{
	const char	*words[2] = { name, NULL };
	const char	*p;
	struct buf	 b;
	size_t		 i, n;

	for (p = name; *p != '\0'; p++) {
		if (*p == ' ' && p[1] != '\0' && p[1] != ' ')
			words[1] = p + 1;
	}
	buf_init(&b, a, 16);
	for (i = 0; i < COUNT(words) && words[i] != NULL; i++) {
		for (n = 1; ((unsigned char)words[i][n] & 0xc0) == 0x80; n++)
			continue;
		if (words[i][0] != '\0')
			buf_add(&b, words[i], n);
	}
	return (str_upper(a, buf_text(&b)));
}
