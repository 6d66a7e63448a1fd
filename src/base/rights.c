/* By capset(2) itself: libcap would be one more library for two calls. */
#include "base/rights.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

struct sets {
	struct __user_cap_data_struct half[2];
};

static bool get(struct sets *s)
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };

	return syscall(SYS_capget, &h, s->half) == 0;
}

static bool put(const struct sets *s)
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };

	return syscall(SYS_capset, &h, s->half) == 0;
}

/* Root's user ID has the same rights with and without; others have what the file gave them. */
static bool has_any(struct sets *s)
{
	return geteuid() != 0 && get(s) && (s->half[0].permitted || s->half[1].permitted);
}

static struct rights force(bool wanted)
{
	struct rights before = { false, false };
	struct sets s;
	int i;

	if (!has_any(&s))
		return before;
	before.in_force = s.half[0].effective || s.half[1].effective;
	if (before.in_force == wanted)
		return before;
	for (i = 0; i < 2; i++)
		s.half[i].effective = wanted ? s.half[i].permitted : 0;
	before.changed = put(&s);
	return before;
}

bool rights_begin(void)
{
	static const char *const followed[] = {
		"DEBUGINFOD_URLS", "DEBUGINFOD_CACHE_PATH",
		"TERMINFO",	   "TERMINFO_DIRS",
		"TERMPATH",	   "TERMCAP",
		"GCONV_PATH",	   "LOCPATH",
		"NLSPATH",	   "SQLITE_TMPDIR",
	};
	struct sets s;
	size_t i;

	if (!has_any(&s))
		return false;
	for (i = 0; i < 2; i++)
		s.half[i].effective = s.half[i].inheritable = 0;
	if (!put(&s))
		_exit(1);
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	for (i = 0; i < sizeof(followed) / sizeof(followed[0]); i++)
		unsetenv(followed[i]);
	return true;
}

struct rights rights_of_ptop(void)
{
	return force(true);
}

struct rights rights_of_user(void)
{
	return force(false);
}

void rights_back(struct rights before)
{
	int e = errno;

	if (before.changed)
		force(before.in_force);
	errno = e;
}

void rights_give_up(void)
{
	struct sets s;

	if (!has_any(&s))
		return;
	s = (struct sets){ 0 };
	put(&s);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}
