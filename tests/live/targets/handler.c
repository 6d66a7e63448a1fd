/* A timer's signal interrupts interrupted_work() every 5 ms; the handler computes for 3
 * ms, on the alternate stack when there is an argument. */
#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

#include "work.h"

__attribute__((noinline)) static void handler_work(void)
{
	struct timespec began, now;

	clock_gettime(CLOCK_MONOTONIC, &began);
	do {
		BURN(100000);
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while ((now.tv_sec - began.tv_sec) * 1000000000 + now.tv_nsec - began.tv_nsec <
		 3000000);
}

static void on_alarm(int unused)
{
	(void)unused;
	handler_work();
	__asm__ volatile("");
}

__attribute__((noinline)) static void interrupted_work(void)
{
	BURN(300000);
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_alarm, .sa_flags = SA_RESTART };
	struct itimerval every = { { 0, 5000 }, { 0, 5000 } };

	(void)argv;
	if (argc > 1) {
		stack_t other = { .ss_sp = malloc(65536), .ss_size = 65536 };

		sigaltstack(&other, NULL);
		action.sa_flags |= SA_ONSTACK;
	}
	ready();
	/* the real-time timer is the alarm's too: another one */
	sigaction(SIGVTALRM, &action, NULL);
	setitimer(ITIMER_VIRTUAL, &every, NULL);
	for (;;)
		interrupted_work();
}
