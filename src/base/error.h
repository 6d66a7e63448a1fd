/* What went wrong, in one line, and what mends it, in another. */
#ifndef PTOP_BASE_ERROR_H
#define PTOP_BASE_ERROR_H

/* Exit codes of the program; see EXIT STATUS in ptop(1). */
enum exit_code {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_NO_PROCESS = 3,
	EXIT_NO_PERMISSION = 4,
	EXIT_UNSUPPORTED = 5,
	EXIT_NO_SAMPLES = 6,
	EXIT_THRESHOLD = 7,
};

struct error {
	enum exit_code exit; /* what the program ends with if this ends it */
	char cause[320];     /* no newline, no "ptop:" in front */
	char hint[320];	     /* the cure, or "" */
};

/* Both return -errno (or -EINVAL for exit codes without one), so that
 * `return error_set(err, ...)` reads well. err may be NULL. */
int error_set(struct error *err, enum exit_code exit, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* "WHAT: strerror(errno)"; returns -errno. EACCES and EPERM become EXIT_NO_PERMISSION,
 * ESRCH becomes EXIT_NO_PROCESS, all else EXIT_FAILED. */
int error_errno(struct error *err, const char *what);
void error_hint(struct error *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
