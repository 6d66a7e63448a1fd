/* Preloaded: a disk that takes SYNC_MS for each sync, and SYNC_LOG says who waited for it. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static int slow(void)
{
	const char *ms = getenv("SYNC_MS"), *log = getenv("SYNC_LOG");
	struct timespec ts = { 0, 0 };
	int fd = log ? open(log, O_WRONLY | O_APPEND | O_CREAT, 0600) : -1;

	if (ms)
		ts = (struct timespec){ atol(ms) / 1000, atol(ms) % 1000 * 1000000 };
	if (fd != -1) {
		dprintf(fd, "%s\n", gettid() == getpid() ? "main" : "other");
		close(fd);
	}
	nanosleep(&ts, NULL);
	return 0;
}

int fsync(int fd)
{
	(void)fd;
	return slow();
}

int fdatasync(int fd)
{
	(void)fd;
	return slow();
}
