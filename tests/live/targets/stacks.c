/* A function that is probed in a program which does with its stacks what return probes die of:
 *
 *	stacks fiber|asm|jump|tail|twice|handler|leave
 *
 * It prints "ready", then each 50 ms "calls N M": how often handle() was called, and how often it
 * came to its end. */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#define FIBERS 8
#define STACK_BYTES 65536

static volatile unsigned long sum, calls, ends;
static int mode, current;
static ucontext_t main_context, context[FIBERS];
static void *main_stack, *stack[FIBERS];
static sigjmp_buf back;
static bool forked;

void switch_stacks(void **from, void *to);
__asm__(".globl switch_stacks\n.type switch_stacks, @function\nswitch_stacks:\n"
	"push %rbp\npush %rbx\npush %r12\npush %r13\npush %r14\npush %r15\n"
	"mov %rsp, (%rdi)\nmov %rsi, %rsp\n"
	"pop %r15\npop %r14\npop %r13\npop %r12\npop %rbx\npop %rbp\nret\n"
	".size switch_stacks, .-switch_stacks\n");

enum { FIBER, ASM, JUMP, TAIL, TWICE, HANDLER, LEAVE };

static void on_jump(int sig)
{
	(void)sig;
	siglongjmp(back, 1);
}

/* The other ways out of the middle of a call, and in a child that returns from it as well. */
static void leave(int n)
{
	pid_t pid;

	switch (n % 5) {
	case 0:
		raise(SIGUSR1);
		break;
	case 1:
		pthread_exit(NULL);
	case 2:
		pid = fork();
		forked = pid == 0;
		if (pid > 0)
			waitpid(pid, NULL, 0);
		break;
	case 3:
		pid = vfork();
		if (pid == 0) {
			execl("/bin/true", "true", NULL);
			_exit(1);
		}
		waitpid(pid, NULL, 0);
		break;
	}
}

__attribute__((noinline)) static void yield(int n)
{
	if (mode == FIBER)
		swapcontext(&context[current], &main_context);
	else if (mode == ASM)
		switch_stacks(&stack[current], main_stack);
	else if (mode == JUMP && n % 4 == 0)
		siglongjmp(back, 1);
	else if (mode == LEAVE)
		leave(n);
}

static void burn(int n)
{
	for (int i = 0; i < n; i++)
		sum += (unsigned)i;
}

/* Called in place of a return. */
__attribute__((noinline)) int rest(int n)
{
	burn(20000);
	ends++;
	return n;
}

__attribute__((noinline)) int handle(int n)
{
	calls++;
	burn(10000);
	if (mode == TAIL)
		return rest(n);
	yield(n);
	burn(10000);
	ends++;
	return n + 1;
}

/* Sixteen frames that look alike around it. */
__attribute__((noinline)) static int deeper(int n, int depth)
{
	volatile int mine = n;

	return depth ? deeper(n, depth - 1) + mine : handle(n);
}

static void fiber(void)
{
	for (int n = 0;; n++)
		deeper(n, 2);
}

static void make_fibers(void)
{
	for (int k = 0; k < FIBERS; k++) {
		char *p = malloc(STACK_BYTES);
		uintptr_t *top =
		    (uintptr_t *)((uintptr_t)(p + STACK_BYTES) & ~(uintptr_t)15);

		getcontext(&context[k]);
		context[k].uc_stack.ss_sp = malloc(STACK_BYTES);
		context[k].uc_stack.ss_size = STACK_BYTES;
		makecontext(&context[k], fiber, 0);
		*--top = 0;
		*--top = (uintptr_t)fiber;
		memset(top - 6, 0, 6 * sizeof(*top));
		stack[k] = top - 6;
	}
}

static void on_alarm(int sig)
{
	(void)sig;
	handle(1);
}

static void use_handler(void)
{
	stack_t own = { .ss_sp = malloc(STACK_BYTES), .ss_size = STACK_BYTES };
	struct sigaction sa = { .sa_handler = on_alarm,
				.sa_flags = SA_ONSTACK | SA_RESTART };
	struct itimerspec every = { { 0, 7000000 }, { 0, 7000000 } };
	timer_t timer;

	sigaltstack(&own, NULL);
	sigaction(SIGALRM, &sa, NULL);
	timer_create(CLOCK_MONOTONIC, NULL, &timer);
	timer_settime(timer, 0, &every, NULL);
}

/* What of libc returns twice, or in another process. */
static void twice(void)
{
	volatile int once = 0;
	ucontext_t here;
	jmp_buf there;
	pid_t pid;

	if (!setjmp(there))
		longjmp(there, 1);
	getcontext(&here);
	if (!once++)
		setcontext(&here);
	pid = vfork();
	if (pid == 0)
		_exit(0);
	waitpid(pid, NULL, 0);
	pid = fork();
	if (pid == 0)
		_exit(0);
	waitpid(pid, NULL, 0);
	calls++;
	ends++;
}

static void *in_thread(void *arg)
{
	handle((int)(intptr_t)arg);
	return NULL;
}

static void leave_once(int n)
{
	pthread_t thread;

	if (n % 5 == 1) {
		pthread_create(&thread, NULL, in_thread, (void *)(intptr_t)n);
		pthread_join(thread, NULL);
	} else if (!sigsetjmp(back, 1)) {
		handle(n);
		if (forked)
			_exit(0);
	}
}

static void once(int n)
{
	current = n * 5 % FIBERS;
	switch (mode) {
	case FIBER:
		swapcontext(&main_context, &context[current]);
		break;
	case ASM:
		switch_stacks(&main_stack, stack[current]);
		break;
	case JUMP:
		if (!sigsetjmp(back, 0))
			handle(n);
		break;
	case LEAVE:
		leave_once(n);
		break;
	case TWICE:
		twice();
		break;
	default:
		handle(n);
	}
}

int main(int argc, char **argv)
{
	static const char *const modes[] = { "fiber", "asm",	 "jump", "tail",
					     "twice", "handler", "leave" };
	struct timespec gap = { 0, 4000000 };

	while (argc > 1 && mode < LEAVE && strcmp(argv[1], modes[mode]) != 0)
		mode++;
	setvbuf(stdout, NULL, _IOLBF, 0);
	make_fibers();
	if (mode == HANDLER)
		use_handler();
	signal(SIGUSR1, on_jump);
	puts("ready");
	for (int n = 0;; n++) {
		once(n);
		nanosleep(&gap, NULL);
		if (n % 12 == 0)
			printf("calls %lu %lu\n", calls, ends);
	}
}
