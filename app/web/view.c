/*
 * A view is two arrays that grow together in the arena: hashes of names and
 * entries.  Views are small (a row has about ten names, a page about thirty),
 * so going through the hashes beats any table.
 */
#include "web/view_read.h"

#include <assert.h>

#define VIEW_FIRST	8u		/* entries, doubled when they are full */
#define VIEW_MAX	4096u		/* names of one map: more is a bug */
#define LIST_FIRST	8u
#define LIST_MAX	(1u << 20)	/* a page has a hundred rows */

static struct value	*view_set(struct view *, const char *, enum value_kind);
static void		 view_grow(struct view *);
static struct value	*list_add(struct view *, const char *);
static struct value_list *list_get(struct view *, const char *);

struct view *
view_new(struct arena *arena)
{
	struct view	*v = arena_alloc(arena, sizeof(*v));

	v->arena = arena;
	return (v);
}

void
view_text(struct view *v, const char *name, const char *text)
{
	view_set(v, name, VALUE_TEXT)->text = text == NULL ? "" : text;
}

void
view_int(struct view *v, const char *name, int64_t number)
{
	view_set(v, name, VALUE_INT)->number = number;
}

void
view_bool(struct view *v, const char *name, bool truth)
{
	view_set(v, name, VALUE_BOOL)->truth = truth;
}

void
view_html(struct view *v, const char *name, const struct html *html)
{
	assert(html != NULL);
	view_set(v, name, VALUE_HTML)->html = html;
}

struct view *
view_map(struct view *v, const char *name)
{
	struct view	*map = view_new(v->arena);

	view_put(v, name, map);
	return (map);
}

void
view_put(struct view *v, const char *name, struct view *map)
{
	assert(map != NULL);
	view_set(v, name, VALUE_MAP)->map = map;
}

void
view_list(struct view *v, const char *name)
{
	(void)list_get(v, name);
}

struct view *
view_row(struct view *v, const char *name)
{
	struct value	*item = list_add(v, name);

	item->kind = VALUE_MAP;
	item->map = view_new(v->arena);
	return (item->map);
}

void
view_row_text(struct view *v, const char *name, const char *text)
{
	struct value	*item = list_add(v, name);

	item->kind = VALUE_TEXT;
	item->text = text == NULL ? "" : text;
}

bool
view_has(const struct view *v, const char *name)
{
	return (view_find(v, view_hash(name), name) != NULL);
}

/* FNV-1a.  Names are our own literals, so nobody can choose collisions. */
uint32_t
view_hash(const char *name)
{
	uint32_t	h = 2166136261u;

	for (; *name != '\0'; name++)
		h = (h ^ (unsigned char)*name) * 16777619u;
	return (h);
}

struct value *
view_find(const struct view *v, uint32_t hash, const char *name)
{
	uint32_t	i;

	if ((v->seen >> (hash % 64) & 1) == 0)
		return (NULL);
	for (i = 0; i < v->n; i++) {
		if (v->hashes[i] == hash &&
		    strcmp(v->entries[i].name, name) == 0)
			return (&v->entries[i].value);
	}
	return (NULL);
}

static struct value *
view_set(struct view *v, const char *name, enum value_kind kind)
{
	uint32_t	 hash = view_hash(name);
	struct value	*value = view_find(v, hash, name);

	if (value == NULL) {
		if (v->n == v->size)
			view_grow(v);
		v->seen |= UINT64_C(1) << (hash % 64);
		v->hashes[v->n] = hash;
		v->entries[v->n].name = name;
		value = &v->entries[v->n++].value;
	}
	value->kind = kind;
	return (value);
}

static void
view_grow(struct view *v)
{
	uint32_t		 size = v->size == 0 ? VIEW_FIRST : v->size * 2;
	struct view_entry	*entries;
	uint32_t		*hashes;

	assert(size <= VIEW_MAX);
	hashes = arena_calloc(v->arena, size, sizeof(*hashes));
	entries = arena_calloc(v->arena, size, sizeof(*entries));
	if (v->n > 0) {
		memcpy(hashes, v->hashes, v->n * sizeof(*hashes));
		memcpy(entries, v->entries, v->n * sizeof(*entries));
	}
	v->hashes = hashes;
	v->entries = entries;
	v->size = size;
}

/* A place at the end of the list, for the caller to fill. */
static struct value *
list_add(struct view *v, const char *name)
{
	struct value_list	*list = list_get(v, name);
	struct value		*items;
	uint32_t		 size;

	if (list->n == list->size) {
		size = list->size == 0 ? LIST_FIRST : list->size * 2;
		assert(size <= LIST_MAX);
		items = arena_calloc(v->arena, size, sizeof(*items));
		if (list->n > 0)
			memcpy(items, list->items, list->n * sizeof(*items));
		list->items = items;
		list->size = size;
	}
	return (&list->items[list->n++]);
}

/* A list that is there is added to; anything else under the name makes way. */
static struct value_list *
list_get(struct view *v, const char *name)
{
	struct value	*value = view_find(v, view_hash(name), name);

	if (value == NULL || value->kind != VALUE_LIST) {
		value = view_set(v, name, VALUE_LIST);
		value->list = arena_alloc(v->arena, sizeof(*value->list));
	}
	return (value->list);
}
