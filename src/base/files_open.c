#include "base/files_open.h"

#include <errno.h>
#include <sys/resource.h>
#include <unistd.h>

#define RESERVE 48u
#define LEAST 96u /* own threads' pipes, rings, and the reserve */
#define MOST 1048576u

int files_open_prepare(struct error *err)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) == -1)
		return 0;
	if (r.rlim_cur < r.rlim_max) {
		r.rlim_cur = r.rlim_max < MOST || r.rlim_cur > MOST ? r.rlim_max : MOST;
		if (setrlimit(RLIMIT_NOFILE, &r) == -1)
			getrlimit(RLIMIT_NOFILE, &r);
	}
	if (r.rlim_cur >= LEAST)
		return 0;
	error_set(
	    err, EXIT_FAILED,
	    "ptop may have %llu files open, which is too few: it needs %u and some for "
	    "each thread",
	    (unsigned long long)r.rlim_cur, LEAST);
	error_hint(err, "raise the limit: ulimit -n 65536");
	return -EMFILE;
}

bool files_open_may_keep(int fd)
{
	struct rlimit r;

	return getrlimit(RLIMIT_NOFILE, &r) == -1 || r.rlim_cur == RLIM_INFINITY ||
	       (rlim_t)fd + RESERVE < r.rlim_cur;
}

int files_open_keep(int fd)
{
	if (fd == -1 || files_open_may_keep(fd))
		return fd;
	close(fd);
	errno = EMFILE;
	return -1;
}
