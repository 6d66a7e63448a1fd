/* A thread name and a function name with escape sequences, a tab and a bell in them. */
#include <sys/prctl.h>

#include "work.h"

void esc_work(void) __asm__("\"esc\033[31mred\007<&;bell\"");

__attribute__((noinline)) void esc_work(void)
{
	BURN(300000);
}

int main(void)
{
	prctl(PR_SET_NAME, "\033[31mr\007\t\xff\"\\");
	ready();
	for (;;)
		esc_work();
}
