/* Two threads pass a byte to and fro through pipes: nothing but switches between them. */
#include <pthread.h>

#include "work.h"

static int there[2], back[2];

__attribute__((noinline)) static void pass_on(int from, int to)
{
	char byte;

	if (read(from, &byte, 1) != 1 || write(to, &byte, 1) != 1)
		_exit(1);
}

static void *answering(void *unused)
{
	for (;;)
		pass_on(there[0], back[1]);
	return unused;
}

int main(void)
{
	pthread_t t;

	if (pipe(there) == -1 || pipe(back) == -1 ||
	    pthread_create(&t, NULL, answering, NULL) != 0 ||
	    write(there[1], "x", 1) != 1)
		return 1;
	ready();
	for (;;)
		pass_on(back[0], there[1]);
}
