/*
 * The other sink: a folder with one .eml file a message, for development and
 * for those who fetch mail from disk.  The file appears under its name when it
 * is whole and on the disk; a full disk leaves nothing behind.
 */
#include "mail/mail.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"

static MUST_CHECK bool	 write_whole(int folder, const char *name,
			    const struct buf *);

enum mail_sent
mail_dir(struct arena *arena, const char *folder, const struct mail *mail,
    const struct buf *mime, const char **ret_why)
{
	const char	*name, *unfinished, *p;
	char		*stamp, *q;
	int		 fd;

	/* "20261122T140500Z-verify-ID.eml" sorts by time; named by the row
	 * alone, so that sending it twice gives one file. */
	stamp = clock_iso(arena, mail->at);
	for (p = q = stamp; *p != '\0'; p++)
		if (*p != '-' && *p != ':')
			*q++ = *p;
	*q = '\0';
	name = arena_fmt(arena, "%s-%s-%s.eml", stamp, mail->kind, mail->id);
	unfinished = arena_fmt(arena, ".%s.new", name);

	*ret_why = "";
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1) {
		*ret_why = arena_fmt(arena, "mail folder: %s",
		    strerror(errno));
		return (MAIL_SETTINGS);
	}
	if (!write_whole(fd, unfinished, mime) ||
	    renameat(fd, unfinished, fd, name) == -1 || fsync(fd) == -1) {
		*ret_why = arena_fmt(arena, "mail folder: %s",
		    strerror(errno));
		(void)unlinkat(fd, unfinished, 0);
		(void)close(fd);
		return (MAIL_LATER);
	}
	(void)close(fd);
	return (MAIL_SENT);
}

/* errno says why not. */
static bool
write_whole(int folder, const char *name, const struct buf *mime)
{
	size_t	done = 0;
	ssize_t	n;
	int	fd, error;

	fd = openat(folder, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC |
	    O_NOFOLLOW, S_IRUSR | S_IWUSR);
	if (fd == -1)
		return (false);
	while (done < mime->n) {
		n = write(fd, mime->p + done, mime->n - done);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			break;
		done += (size_t)n;
	}
	if (done < mime->n || fsync(fd) == -1) {
		error = errno;
		(void)close(fd);
		errno = error;
		return (false);
	}
	return (close(fd) == 0);
}
