/* The program must find an ordinary pipe: one that is emptied, and whose writers get SIGPIPE
 * when its reader is gone, however ptop ended. All but the last 256 KB of what waits is
 * spliced to /dev/null, which copies nothing; and a program that fills the pipe faster than
 * it is emptied waits for up to PAUSE_MS, as for any busy reader, so that a `yes` costs ptop
 * a few percent of a core and not one half. */
#include "app/child_output.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/thread.h"

#define PIPE_BYTES (1 << 20) /* asked for; the usual limit of an unprivileged user */
#define PAUSE_MS 4

struct child_output {
	int fd, null_fd, end_fd;
	pthread_t thread;
	uint64_t total; /* bytes that were printed */
	uint64_t kept;	/* of them the last so many are in the ring */
	char ring[CHILD_OUTPUT_KEPT];
};

/* Drops up to n bytes; the ring's are older, and go too. */
static void drop(struct child_output *o, size_t n)
{
	while (n > 0) {
		ssize_t got = splice(o->fd, NULL, o->null_fd, NULL, n, SPLICE_F_NONBLOCK);

		if (got <= 0)
			return; /* it is read instead */
		o->total += (uint64_t)got;
		o->kept = 0;
		n -= (size_t)got;
	}
}

/* One read. 0: the pipe is empty; -1: all its writers are gone. */
static ssize_t take(struct child_output *o)
{
	size_t at = (size_t)(o->total % sizeof(o->ring));
	ssize_t n = read(o->fd, o->ring + at, sizeof(o->ring) - at);

	if (n <= 0)
		return n == -1 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
	o->total += (uint64_t)n;
	o->kept += (uint64_t)n;
	if (o->kept > sizeof(o->ring))
		o->kept = sizeof(o->ring);
	return n;
}

/* What waits now, and no more: a program that prints on and on does not hold us here. */
static bool drain(struct child_output *o)
{
	size_t left;
	int waits = 0;

	if (ioctl(o->fd, FIONREAD, &waits) == -1 || waits < 0)
		waits = 0;
	left = (size_t)waits;
	if (left > sizeof(o->ring)) {
		drop(o, left - sizeof(o->ring));
		left = sizeof(o->ring);
	}
	do {
		ssize_t n = take(o);

		if (n <= 0)
			return n == 0;
		left -= (size_t)n < left ? (size_t)n : left;
	} while (left > 0);
	return true;
}

static void *child_output_main(void *arg)
{
	struct child_output *o = arg;
	struct pollfd p[2] = { { .fd = o->end_fd, .events = POLLIN },
			       { .fd = o->fd, .events = POLLIN } };

	pthread_setname_np(pthread_self(), "ptop-output");
	while (poll(p, 2, -1) != -1 || errno == EINTR) {
		if (p[0].revents)
			break;
		if (p[1].revents && !drain(o))
			p[1].fd = -1; /* nobody can write to it any more */
		/* Rare output costs nothing by waiting; much of it comes in few pieces. */
		poll(p, 1, PAUSE_MS);
	}
	return NULL;
}

static void release(struct child_output *o)
{
	close(o->fd);
	if (o->null_fd != -1)
		close(o->null_fd);
	if (o->end_fd != -1)
		close(o->end_fd);
	free(o);
}

struct child_output *child_output_start(int fd)
{
	struct child_output *o = xcalloc(1, sizeof(*o));

	o->fd = fd;
	fcntl(fd, F_SETPIPE_SZ, PIPE_BYTES);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	o->null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	o->end_fd = eventfd(0, EFD_CLOEXEC);
	if (o->end_fd == -1 || thread_start(&o->thread, child_output_main, o, NULL)) {
		release(o);
		return NULL;
	}
	return o;
}

static void print(const struct child_output *o, FILE *out, FILE *notes)
{
	size_t n = (size_t)o->kept, first;
	size_t at = (size_t)((o->total - o->kept) % sizeof(o->ring));

	if (o->total > o->kept) {
		fprintf(notes,
			"ptop: %llu bytes of its output before this were dropped\n",
			(unsigned long long)(o->total - o->kept));
		fflush(notes);
	}
	first = n < sizeof(o->ring) - at ? n : sizeof(o->ring) - at;
	fwrite(o->ring + at, 1, first, out);
	fwrite(o->ring, 1, n - first, out);
	fflush(out);
}

void child_output_end(struct child_output *o, FILE *out, FILE *notes)
{
	uint64_t one = 1;

	if (!o)
		return;
	while (write(o->end_fd, &one, sizeof(one)) == -1 && errno == EINTR)
		;
	pthread_join(o->thread, NULL);
	drain(o);
	print(o, out, notes);
	release(o);
}
