/* Formatting of struct error; truncation at the array's end is accepted. */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int error_set(struct error *err, enum exit_code exit, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return -EINVAL;
	err->exit = exit;
	err->hint[0] = '\0';
	va_start(ap, fmt);
	vsnprintf(err->cause, sizeof(err->cause), fmt, ap);
	va_end(ap);
	return -EINVAL;
}

int error_errno(struct error *err, const char *what)
{
	int e = errno;
	enum exit_code exit = EXIT_FAILED;

	if (e == EACCES || e == EPERM)
		exit = EXIT_NO_PERMISSION;
	else if (e == ESRCH)
		exit = EXIT_NO_PROCESS;
	error_set(err, exit, "%s: %s", what,
		  e == ETIMEDOUT ? "does not answer" : strerror(e));
	if (e == ENOSPC || e == EDQUOT)
		error_hint(err, "free some space there, or write elsewhere with -o");
	return -e;
}

void error_hint(struct error *err, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return;
	va_start(ap, fmt);
	vsnprintf(err->hint, sizeof(err->hint), fmt, ap);
	va_end(ap);
}
