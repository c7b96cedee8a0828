/*
 * /account/tokens: the access tokens of the person signed in.
 */
#include "tokens/token.h"

#include "base/clock.h"
#include "base/setting.h"
#include "sessions/nonce.h"
#include "sessions/session.h"
#include "vault/vault.h"
#include "web/respond.h"
#include "web/scope.h"

#define NONCE_FOR	"token-make"
#define DAYS_PROPOSED	90

WAITS static void list_page(struct req *, int status, struct view *);
static void	 show_tokens(struct req *, struct view *,
		    const struct access_tokens *);
static void	 show_form(struct req *, struct view *);
static bool	 read_form(struct req *, struct view *,
		    struct access_token_form *);
static bool	 scope_is_for(const struct session *,
		    const struct scope_words *);
static bool	 is_chosen(struct req *, const char *scope);

void
token_page(struct req *rq)
{
	list_page(rq, 200, view_new(rq->arena));
}

void
token_page_make(struct req *rq)
{
	const struct session	*s = rq->session;
	const char		*nonce = req_form(rq, "nonce");
	struct view		*view = view_new(rq->arena);
	struct access_token_form form;
	char			*token;

	if (!read_form(rq, view, &form)) {
		list_page(rq, 422, view);
		return;
	}
	if (!nonce_valid(rq->arena, nonce, s->form_cookie, NONCE_FOR)) {
		respond_see_other(rq, "/account/tokens");
		return;
	}
	token = arena_alloc(rq->arena, ACCESS_TOKEN_TEXT);
	access_token_make(token);
	switch (access_token_db_make(rq->db, vault, s->account_id, &form,
	    token, nonce)) {
	case ACCESS_TOKEN_MADE:
		view_text(view, "name", form.name);
		view_text(view, "token", token);
		view_text(view, "expires", clock_long(rq->arena,
		    form.expires_at));
		view_text(view, "base", arena_fmt(rq->arena, "%s/api/v1",
		    setting->public_origin));
		respond_page(rq, 200, "tokens/shown", view);
		return;
	case ACCESS_TOKEN_AGAIN:
		respond_page(rq, 200, "tokens/shown_already", view);
		return;
	case ACCESS_TOKEN_FULL:
		form_error(view, "name", "You have 20 tokens. Revoke one that "
		    "nothing uses any more.");
		list_page(rq, 422, view);
		return;
	}
}

void
token_page_revoke(struct req *rq)
{
	const char	*id = req_param(rq, "id");

	if (!uuid_shaped(id) || !access_token_db_revoke(rq->db,
	    rq->session->account_id, id))
		req_not_found(rq);
	respond_see_other(rq, "/account/tokens?done=revoked");
}

WAITS static void
list_page(struct req *rq, int status, struct view *view)
{
	const char		*done = req_query(rq, "done");
	const struct access_tokens tokens = access_token_db_list(rq->db,
				    rq->session->account_id);

	view_bool(view, "is_revoked", done != NULL &&
	    str_eq(done, "revoked"));
	show_tokens(rq, view, &tokens);
	show_form(rq, view);
	respond_page(rq, status, "tokens/list", view);
}

static void
show_tokens(struct req *rq, struct view *view,
    const struct access_tokens *tokens)
{
	const struct access_token	*token;
	struct view			*row;
	int				 i;

	view_bool(view, "has_tokens", tokens->n > 0);
	view_list(view, "tokens");
	for (i = 0; i < tokens->n; i++) {
		token = &tokens->list[i];
		row = view_row(view, "tokens");
		view_text(row, "id", token->id);
		view_text(row, "label", token->name);
		view_text(row, "shown", arena_fmt(rq->arena, "lk_%s…%s",
		    token->first4, token->last4));
		view_text(row, "may", token->scopes);
		view_text(row, "made", clock_date(rq->arena,
		    token->created_at));
		view_text(row, "ends", clock_date(rq->arena,
		    token->expires_at));
		view_bool(row, "is_expired", token->is_expired);
		view_text(row, "used", token->last_used_at == 0 ? "" :
		    clock_ago(rq->arena, token->last_used_at, rq->now));
		view_text(row, "address", token->last_address);
	}
}

static void
show_form(struct req *rq, struct view *view)
{
	const struct session	*s = rq->session;
	struct arena		*a = rq->arena;
	struct view		*row;
	size_t			 i;

	view_text(view, "nonce", nonce_make(a, s->cookie, NONCE_FOR));
	view_text(view, "name", req_form_line(rq, "name"));
	view_text(view, "expires", rq->method == METHOD_POST ?
	    req_form_line(rq, "expires") : clock_input_date(a,
	    rq->now + DAYS_PROPOSED * DAY_US));
	view_text(view, "first_day", clock_input_date(a, rq->now));
	view_text(view, "last_day", clock_input_date(a, rq->now +
	    ACCESS_TOKEN_DAYS_MAX * DAY_US));
	view_list(view, "choices");
	for (i = 0; i < COUNT(scope_words); i++) {
		if (!scope_is_for(s, &scope_words[i]))
			continue;
		row = view_row(view, "choices");
		view_int(row, "number", (int64_t)i);
		view_text(row, "scope", scope_words[i].name);
		view_text(row, "words", scope_words[i].words);
		view_bool(row, "is_fresh", scope_words[i].is_fresh);
		view_bool(row, "is_chosen", is_chosen(rq,
		    scope_words[i].name));
	}
	form_fields(view, "name", "expires", "scopes", NULL);
}

static bool
read_form(struct req *rq, struct view *view, struct access_token_form *form)
{
	int64_t	day = 0;
	size_t	i;

	form->name = req_form_line(rq, "name");
	if (str_blank(form->name) || str_has_control(form->name) ||
	    str_has_hidden(form->name, true) ||
	    str_chars(form->name) > ACCESS_TOKEN_NAME_MAX)
		form_error(view, "name", "Name it in 1 to 60 characters, for "
		    "example Nightly export.");
	/* That day is the token's last, to its end. */
	if (strlen(req_form_line(rq, "expires")) != strlen("2026-11-22") ||
	    !clock_parse(req_form_line(rq, "expires"), &day) ||
	    day + DAY_US <= rq->now ||
	    day > rq->now + ACCESS_TOKEN_DAYS_MAX * DAY_US)
		form_error(view, "expires", "Choose its last day, within a "
		    "year from today.");
	form->expires_at = day + DAY_US;
	form->scopes = 0;
	for (i = 0; i < COUNT(scope_words); i++) {
		if (scope_is_for(rq->session, &scope_words[i]) &&
		    is_chosen(rq, scope_words[i].name))
			form->scopes |= scope_words[i].bit;
	}
	if (form->scopes == 0)
		form_error(view, "scopes", "Choose what it may do.");
	return (!form_has_errors(view));
}

static bool
scope_is_for(const struct session *s, const struct scope_words *scope)
{
	if (scope->is_contact)
		return (s->kind == ACCOUNT_CONTACT);
	return (s->kind == ACCOUNT_ADMIN ||
	    (s->kind == ACCOUNT_STAFF && !scope->is_admin));
}

static bool
is_chosen(struct req *rq, const char *scope)
{
	size_t	i;

	for (i = 0; i < rq->form.n; i++) {
		if (str_eq(rq->form.list[i].name, "scope") &&
		    str_eq(rq->form.list[i].value, scope))
			return (true);
	}
	return (false);
}
