/* The parent computes; one child was started before "ready", others come and go after it,
 * each for a fifth of a second. */
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "work.h"

__attribute__((noinline)) static void parent_work(void)
{
	BURN(300000);
}

__attribute__((noinline)) static void early_work(void)
{
	BURN(300000);
}

__attribute__((noinline)) static void late_work(void)
{
	BURN(300000);
}

static void spin(void (*work)(void), double seconds)
{
	struct timespec began, now;

	clock_gettime(CLOCK_MONOTONIC, &began);
	do {
		work();
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while ((double)(now.tv_sec - began.tv_sec) +
		     (double)(now.tv_nsec - began.tv_nsec) / 1e9 <
		 seconds);
}

int main(void)
{
	if (fork() == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		spin(early_work, LIFETIME_S);
		_exit(0);
	}
	ready();
	for (;;) {
		pid_t child = fork();

		if (child == 0) {
			spin(late_work, 0.2);
			_exit(0);
		}
		spin(parent_work, 0.2);
		waitpid(child, NULL, 0);
	}
}
