/*
 * May this API user make this call?  The one function that decides it, for the
 * portal's pages and for the gateway: pure, without allocation, clock or I/O.
 *
 * What a user may do with a product is a set of permissions, whose canonical
 * text is made by api_matrix() (migrations, api_roles): one line a resource,
 * in the order of the paths' bytes,
 *
 *	/billing/api/v1/contacts GET=all DELETE=100214,100377
 *	/psa/api/v1/tickets
 *
 * where the scope says whose data the upstream may give out.  Equal texts are
 * equal sets, so that a set can be kept once for all who have it.
 *
 * A call is of the resource with the longest path that is the call's or stands
 * above it.  A part of a resource's path may be a parameter, "{customerId}",
 * which stands for exactly one part of the call's, whatever it is, never for
 * none: the path with the most parts decides, and of those the one that has a
 * literal where the other has a parameter, at the first part where they
 * differ.  Two paths that only name their parameters otherwise are one path,
 * so no set has both.  Nothing is let through by being odd: what a server behind us
 * might read in another way than we do is refused, namely
 *
 *	- ".", "..", "//", and a part that ends in a dot or a space;
 *	- "\", ";" and "#", written out or percent-encoded, an encoded "/", "?"
 *	  or control character, a "%" that is not followed by two hexadecimal
 *	  digits, and one that still does once it has been decoded;
 *	- bytes that are not ASCII unless encoded, and what is no UTF-8 then;
 *	- the path of a resource in other capitals than the product has, since
 *	  the narrowest resource may be hidden by them: a parameter doesn't
 *	  take what is a literal but for its capitals.
 */
#ifndef APIUSERS_PERMISSION_H
#define APIUSERS_PERMISSION_H

#include "base/base.h"

#define PERMISSION_METHODS 5 /* GET POST PUT PATCH DELETE */
#define PERMISSION_RESOURCES 256 /* of a product */
#define PERMISSION_NAME_MAX 40 /* characters of a parameter's name */
#define PERMISSION_PATH_MAX 1024 /* bytes of a call's path, decoded */
#define PERMISSION_TARGET_MAX 8192 /* bytes, with the query */
#define PERMISSION_SCOPE_MAX \
	5250 /* 5 roles, 50 accounts, 20 characters
					 * and a comma each */
/* Lines of a path of 200 and five cells. */
#define PERMISSION_TEXT_MAX \
	(PERMISSION_RESOURCES * (200 + 5 * (PERMISSION_SCOPE_MAX + 8)))

/* Holds no pointers: it may be copied, and lie in shared memory. */
struct permission_set;

/* Bytes of memory that permission_set_make() may need for a text. */
size_t permission_set_room(size_t text_bytes);
/*
 * Makes a set in the caller's memory, aligned to 4 bytes; what it really takes
 * is told by permission_set_bytes().  NULL: the text is not canonical.
 */
MUST_CHECK const struct permission_set *permission_set_make(void *memory,
    size_t room, const char *text, size_t text_bytes);
size_t permission_set_bytes(const struct permission_set *);

enum permission_verdict {
	PERMISSION_GRANTED,
	PERMISSION_ODD_PATH, /* one of those above, or too long */
	PERMISSION_ODD_METHOD, /* not one of the five, nor HEAD */
	PERMISSION_NO_RESOURCE, /* nothing of the product */
	PERMISSION_NOT_GRANTED, /* the resource, but not the operation */
};

struct permission_answer {
	enum permission_verdict verdict;
	/* Path of the resource, not NUL-terminated, in the set's memory; "" and
	 * 0 where none was found. */
	const char *resource;
	size_t resource_bytes;
	/* When granted: "all", or account numbers parted by commas. */
	const char *scope;
	size_t scope_bytes;
};

/*
 * method: as sent; HEAD is asked as GET.  target: as sent, in origin form, with
 * or without a query, which is not looked into but for control characters.
 */
struct permission_answer permission_decide(const struct permission_set *,
    const char *method, size_t method_bytes, const char *target,
    size_t target_bytes);

#endif
