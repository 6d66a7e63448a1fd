/* Preloaded (LD_PRELOAD): lets calls of the C library fail at a chosen call site, as the kernel would.
 *
 *	FAILS_LIST=FILE		appends each site that is reached, once: "pread ptop+0x1f00"
 *	FAILS=SITE		that one fails
 *	FAILS_ERRNO=N		...with this errno (5, EIO)
 *	FAILS_FROM=N		...from its Nth time on (1)
 *	FAILS_TIMES=N		...so often (1; 0: for ever)
 *
 * A site is the address a call returns to, in the object that made it. Calls of the kernel by libc
 * itself (getpwuid() and its kin) and by assembler are not seen. */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define SITES 4096u

static struct site {
	uintptr_t address;
	int chosen; /* 1 no, 2 yes */
} sites[SITES];
static long times;

static const char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool judge_site(const char *function, void *caller)
{
	const char *list = getenv("FAILS_LIST"), *wanted = getenv("FAILS");
	char text[512];
	Dl_info in;
	int fd;

	if (!dladdr(caller, &in) || !in.dli_fname)
		return false;
	snprintf(text, sizeof(text), "%s %s+0x%lx\n", function, name_of(in.dli_fname),
		 (unsigned long)((uintptr_t)caller - (uintptr_t)in.dli_fbase));
	if (list) {
		fd = (int)syscall(SYS_openat, AT_FDCWD, list,
				  O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
		if (fd != -1) {
			(void)!syscall(SYS_write, fd, text, strlen(text));
			syscall(SYS_close, fd);
		}
	}
	return wanted && strncmp(text, wanted, strlen(wanted)) == 0 &&
	       text[strlen(wanted)] == '\n';
}

static long number(const char *name, long missing)
{
	const char *text = getenv(name);

	return text ? atol(text) : missing;
}

static struct site *site_of(uintptr_t at, bool *is_new)
{
	unsigned i = (unsigned)(at * 0x9e3779b97f4a7c15ull >> 50) % SITES;

	for (;; i = (i + 1) % SITES) {
		uintptr_t held = 0;

		*is_new = __atomic_compare_exchange_n(&sites[i].address, &held, at, false,
						      __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
		if (*is_new || held == at)
			return &sites[i];
	}
}

/* Is this call to fail? */
static bool fails(const char *function, void *caller)
{
	int error = errno;
	bool is_new;
	struct site *s = site_of((uintptr_t)caller, &is_new);
	long nth, from, most;

	if (is_new)
		__atomic_store_n(&s->chosen, 1 + judge_site(function, caller),
				 __ATOMIC_RELEASE);
	errno = error;
	if (__atomic_load_n(&s->chosen, __ATOMIC_ACQUIRE) != 2)
		return false;
	nth = __atomic_add_fetch(&times, 1, __ATOMIC_RELAXED);
	from = number("FAILS_FROM", 1);
	most = number("FAILS_TIMES", 1);
	if (nth < from || (most && nth >= from + most))
		return false;
	errno = (int)number("FAILS_ERRNO", EIO);
	return true;
}

#define NEXT(name) ((__typeof__(&(name)))dlsym(RTLD_NEXT, #name))
#define CALLER __builtin_return_address(0)
/* name, what it returns when it fails, its parameters, its arguments. */
#define FAILING(type, name, failed, parameters, arguments)                   \
	type name parameters                                                 \
	{                                                                    \
		return fails(#name, CALLER) ? failed : NEXT(name) arguments; \
	}

/* Pipes and counters between ptop's own threads do not fail. */
static bool is_file(int fd)
{
	struct stat st;

	return fd <= STDERR_FILENO || (NEXT(fstat)(fd, &st) == 0 && S_ISREG(st.st_mode));
}

ssize_t read(int fd, void *to, size_t n)
{
	return is_file(fd) && fails("read", CALLER) ? -1 : NEXT(read)(fd, to, n);
}

ssize_t write(int fd, const void *p, size_t n)
{
	return is_file(fd) && fails("write", CALLER) ? -1 : NEXT(write)(fd, p, n);
}

FAILING(ssize_t, pread, -1, (int fd, void *to, size_t n, off_t at), (fd, to, n, at))
FAILING(ssize_t, pread64, -1, (int fd, void *to, size_t n, off64_t at), (fd, to, n, at))
FAILING(ssize_t, pwrite, -1, (int fd, const void *p, size_t n, off_t at), (fd, p, n, at))
FAILING(ssize_t, pwrite64, -1, (int fd, const void *p, size_t n, off64_t at),
	(fd, p, n, at))
FAILING(void *, mmap, MAP_FAILED,
	(void *at, size_t n, int prot, int flags, int fd, off_t offset),
	(at, n, prot, flags, fd, offset))
FAILING(void *, mmap64, MAP_FAILED,
	(void *at, size_t n, int prot, int flags, int fd, off64_t offset),
	(at, n, prot, flags, fd, offset))
FAILING(ssize_t, process_vm_readv, -1,
	(pid_t pid, const struct iovec *to, unsigned long n_to, const struct iovec *from,
	 unsigned long n_from, unsigned long flags),
	(pid, to, n_to, from, n_from, flags))
FAILING(int, fstat, -1, (int fd, struct stat *st), (fd, st))
FAILING(int, stat, -1, (const char *path, struct stat *st), (path, st))
FAILING(int, lstat, -1, (const char *path, struct stat *st), (path, st))
FAILING(ssize_t, readlink, -1, (const char *path, char *to, size_t n), (path, to, n))
FAILING(DIR *, opendir, NULL, (const char *path), (path))
FAILING(int, eventfd, -1, (unsigned n, int flags), (n, flags))
FAILING(int, signalfd, -1, (int fd, const sigset_t *set, int flags), (fd, set, flags))
FAILING(int, pipe2, -1, (int fd[2], int flags), (fd, flags))
FAILING(int, fsync, -1, (int fd), (fd))
FAILING(int, fdatasync, -1, (int fd), (fd))
FAILING(int, ftruncate, -1, (int fd, off_t size), (fd, size))
FAILING(int, ftruncate64, -1, (int fd, off64_t size), (fd, size))
FAILING(int, linkat, -1,
	(int from_dir, const char *from, int to_dir, const char *to, int flags),
	(from_dir, from, to_dir, to, flags))
FAILING(FILE *, fopen, NULL, (const char *path, const char *mode), (path, mode))
FAILING(int, pthread_create, errno,
	(pthread_t * thread, const pthread_attr_t *attr, void *(*run)(void *), void *arg),
	(thread, attr, run, arg))

/* Those of any number of arguments. */
#define OPENING(name, parameters, arguments)                             \
	int name parameters                                              \
	{                                                                \
		va_list ap;                                              \
		unsigned mode;                                           \
                                                                         \
		va_start(ap, flags);                                     \
		mode = va_arg(ap, unsigned);                             \
		va_end(ap);                                              \
		return fails(#name, CALLER) ? -1 : NEXT(name) arguments; \
	}
OPENING(open, (const char *path, int flags, ...), (path, flags, mode))
OPENING(open64, (const char *path, int flags, ...), (path, flags, mode))
OPENING(openat, (int dir, const char *path, int flags, ...), (dir, path, flags, mode))
OPENING(openat64, (int dir, const char *path, int flags, ...), (dir, path, flags, mode))

int ioctl(int fd, unsigned long request, ...)
{
	va_list ap;
	void *arg;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	return fails("ioctl", CALLER) ? -1 : NEXT(ioctl)(fd, request, arg);
}

/* Those that have no function of their own. */
static bool may_fail(long call)
{
	return call == SYS_perf_event_open || call == SYS_bpf || call == SYS_pidfd_open ||
	       call == SYS_memfd_create || call == SYS_statx || call == SYS_capget ||
	       call == SYS_capset;
}

long syscall(long call, ...)
{
	va_list ap;
	long a[6];
	int i;

	va_start(ap, call);
	for (i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	if (may_fail(call) && fails("syscall", CALLER))
		return -1;
	return NEXT(syscall)(call, a[0], a[1], a[2], a[3], a[4], a[5]);
}
