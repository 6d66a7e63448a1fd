/* Each thread repeats one blocking call with a time limit and counts how often it was
 * interrupted. A stop and a resumption by a tracer or a signal interrupts these calls, a
 * profiler must not. At the end of standard input: a line "CALL ROUNDS INTERRUPTED" a
 * thread. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ipc.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#include "work.h"

#define LIMIT_MS 50
static const struct timespec limit = { .tv_nsec = LIMIT_MS * 1000000L };
static const struct timeval limit_tv = { .tv_usec = LIMIT_MS * 1000 };

struct call {
	const char *name;
	int (*prepare)(
	    void);	     /* a descriptor or id for the call, -1: there is none here */
	int (*once)(int fd); /* -1 and errno as the call has them */
	atomic_long rounds, interrupted;
};

static int none(void)
{
	return 0;
}

static int new_epoll(void)
{
	return epoll_create1(0);
}

static int socket_with_limit(void)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == -1)
		return -1;
	setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &limit_tv, sizeof(limit_tv));
	return pair[0];
}

static int listener_with_limit(void)
{
	struct sockaddr_un any = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	/* the bare family binds to a name the kernel chooses */
	if (bind(fd, (struct sockaddr *)&any, sizeof(any.sun_family)) == -1 ||
	    listen(fd, 1) == -1)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit_tv, sizeof(limit_tv));
	return fd;
}

static int new_semaphore(void)
{
	return semget(IPC_PRIVATE, 1, 0600);
}

static int new_pipe(void)
{
	int ends[2];

	return pipe(ends) == -1 ? -1 : ends[0];
}

static int once_epoll_wait(int fd)
{
	struct epoll_event event;

	return epoll_wait(fd, &event, 1, LIMIT_MS);
}

static int once_recv(int fd)
{
	char byte;

	return (int)recv(fd, &byte, 1, 0);
}

static int once_accept(int fd)
{
	return accept(fd, NULL, NULL);
}

static int once_semtimedop(int id)
{
	struct sembuf take = { .sem_op = -1 };

	return semtimedop(id, &take, 1, &limit);
}

/* Without a time limit: a timer thread would be another disturbance, so it just stays in
 * it. */
static int once_semop(int id)
{
	struct sembuf take = { .sem_op = -1 };

	return semop(id, &take, 1);
}

static int once_sigtimedwait(int fd)
{
	sigset_t set;

	(void)fd;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	return sigtimedwait(&set, NULL, &limit);
}

static int once_nanosleep(int fd)
{
	(void)fd;
	return nanosleep(&limit, NULL);
}

static int once_poll(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, LIMIT_MS);
}

static int once_select(int fd)
{
	struct timeval tv = limit_tv;
	fd_set set;

	FD_ZERO(&set);
	FD_SET(fd, &set);
	return select(fd + 1, &set, NULL, NULL, &tv);
}

static int once_read(int fd)
{
	char byte;

	return (int)read(fd, &byte, 1);
}

static struct call calls[] = {
	{ "epoll_wait", new_epoll, once_epoll_wait, 0, 0 },
	{ "recv", socket_with_limit, once_recv, 0, 0 },
	{ "accept", listener_with_limit, once_accept, 0, 0 },
	{ "semtimedop", new_semaphore, once_semtimedop, 0, 0 },
	{ "semop", new_semaphore, once_semop, 0, 0 },
	{ "sigtimedwait", none, once_sigtimedwait, 0, 0 },
	{ "nanosleep", none, once_nanosleep, 0, 0 },
	{ "poll", new_pipe, once_poll, 0, 0 },
	{ "select", new_pipe, once_select, 0, 0 },
	{ "read", new_pipe, once_read, 0, 0 },
};
#define CALLS (sizeof(calls) / sizeof(calls[0]))
static int prepared[CALLS];

static void *repeat(void *arg)
{
	struct call *c = arg;
	int fd = prepared[c - calls];

	for (;;) {
		errno = 0;
		if (c->once(fd) == -1 && errno == EINTR)
			atomic_fetch_add(&c->interrupted, 1);
		atomic_fetch_add(&c->rounds, 1);
	}
	return NULL;
}

static void *compute(void *unused)
{
	for (;;)
		BURN(300000);
	return unused;
}

int main(void)
{
	sigset_t set;
	pthread_t t;
	char byte;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (size_t i = 0; i < CALLS; i++)
		if ((prepared[i] = calls[i].prepare()) == -1)
			return 1;
	for (size_t i = 0; i < CALLS; i++)
		pthread_create(&t, NULL, repeat, &calls[i]);
	pthread_create(&t, NULL, compute, NULL);
	ready();
	while (read(STDIN_FILENO, &byte, 1) > 0 || errno == EINTR)
		errno = 0;
	for (size_t i = 0; i < CALLS; i++)
		printf("%s %ld %ld\n", calls[i].name, atomic_load(&calls[i].rounds),
		       atomic_load(&calls[i].interrupted));
	fflush(stdout);
	for (size_t i = 0; i < CALLS; i++)
		if (calls[i].prepare == new_semaphore)
			semctl(prepared[i], 0, IPC_RMID);
	_exit(0);
}
