/*
 * Who may do what with whom: the contract's table of rights, as far as it is
 * about people.
 */
#include "people/people.h"

bool
people_role_parse(const char *text, enum member_role *ret_role)
{
	if (str_eq(text, "owner"))
		*ret_role = MEMBER_OWNER;
	else if (str_eq(text, "manager"))
		*ret_role = MEMBER_MANAGER;
	else if (str_eq(text, "member"))
		*ret_role = MEMBER_MEMBER;
	else
		return (false);
	return (true);
}

const char *
people_role_name(enum member_role role)
{
	switch (role) {
	case MEMBER_OWNER:
		return ("owner");
	case MEMBER_MANAGER:
		return ("manager");
	case MEMBER_MEMBER:
		return ("member");
	case MEMBER_NONE:
		break;
	}
	abort();
}

bool
people_may_invite(enum member_role who, enum member_role whom)
{
	return (who == MEMBER_OWNER ||
	    (who == MEMBER_MANAGER && whom == MEMBER_MEMBER));
}

bool
people_may_remove(enum member_role who, enum member_role whom)
{
	return (people_may_invite(who, whom));
}
