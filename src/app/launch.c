/* The child stops at a pipe until ptop is attached, so nothing of it is missed. A second
 * pipe, closed by a successful exec, brings back the errno of one that failed. */
#include "app/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

#define TERM_WAIT_NS (2 * NS_PER_SEC)

static void child(char **argv, int wait_fd, int output_fd)
{
	sigset_t none;
	char go;
	int e;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL); /* those that ptop changed */
	signal(SIGXFSZ, SIG_DFL);
	if (output_fd != -1) {
		int null = open("/dev/null", O_RDONLY);

		setpgid(0, 0); /* the screen's ^Z suspends ptop's group, not its target */
		dup2(null, STDIN_FILENO);
		dup2(output_fd, STDOUT_FILENO);
		dup2(output_fd, STDERR_FILENO);
		close(null);
	}
	if (read(wait_fd, &go, 1) != 1)
		_exit(127); /* ptop gave up */
	execvp(argv[0], argv);
	e = errno;
	if (write(wait_fd, &e, sizeof(e)) == -1)
		_exit(126);
	_exit(127);
}

static pid_t start_child(char **argv, const int pair[2], int output_fd)
{
	pid_t pid = fork();

	if (pid == 0) {
		close(pair[0]);
		child(argv, pair[1], output_fd);
	}
	return pid;
}

int launch_prepare(char **argv, bool quiet, struct launch *l, struct error *err)
{
	int pair[2], output[2] = { -1, -1 }, ret = 0;

	*l = (struct launch){ .go_fd = -1 };
	/* One socket pair serves both ways: "go" to the child, errno back. */
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == -1)
		return error_errno(err, argv[0]);
	l->go_fd = pair[0];
	if (quiet && pipe2(output, O_CLOEXEC) == -1)
		ret = error_errno(err, "a pipe for its output");
	if (!ret)
		l->pid = start_child(argv, pair, output[1]);
	if (l->pid == -1)
		ret = error_errno(err, argv[0]);
	close(pair[1]);
	if (output[1] != -1) {
		close(output[1]);
		l->output = child_output_start(output[0]);
		if (!l->output && !ret)
			ret = error_set(err, EXIT_FAILED, "cannot start a thread");
	}
	if (ret)
		launch_end(l); /* the child ends when nobody lets it go */
	return ret;
}

int launch_go(struct launch *l, const char *command, struct error *err)
{
	char go = 1;
	int e = 0;
	ssize_t n;

	if (send(l->go_fd, &go, 1, MSG_NOSIGNAL) != 1)
		return error_errno(err, command);
	do
		n = read(l->go_fd, &e, sizeof(e));
	while (n == -1 && errno == EINTR);
	close(l->go_fd);
	l->go_fd = -1;
	if (n != (ssize_t)sizeof(e))
		return 0;
	error_set(err, EXIT_FAILED, "cannot start %s: %s", command, strerror(e));
	error_hint(err, "check the path and the program's rights");
	return -e;
}

int launch_end(struct launch *l)
{
	uint64_t until = clock_now_ns() + TERM_WAIT_NS;
	int status = -1;
	pid_t got;

	if (l->go_fd != -1)
		close(l->go_fd);
	l->go_fd = -1;
	if (l->pid <= 0) {
		child_output_end(l->output, stdout, stderr);
		return -1;
	}
	got = waitpid(l->pid, &status, WNOHANG);
	if (got == 0) {
		kill(l->pid, SIGTERM);
		do {
			usleep(10000);
			got = waitpid(l->pid, &status, WNOHANG);
		} while (got == 0 && clock_now_ns() < until);
		if (got == 0) {
			kill(l->pid, SIGKILL);
			got = waitpid(l->pid, &status, 0);
		}
	}
	child_output_end(l->output, stdout, stderr);
	l->output = NULL;
	return got == l->pid ? status : -1;
}
