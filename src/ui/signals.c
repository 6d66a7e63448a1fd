/* Every signal that ends the process by default, faults and those that somebody sends alike, first gives
 * the terminal back. The handler may use async-signal-safe calls only, so all it writes is
 * prepared. It then puts the former action back: a fault happens again at the same instruction
 * and ends the process (or reaches a sanitizer) with the true registers; any other signal is
 * raised anew, so that the process ends by it. */
#include "ui/signals.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/alloc.h"

static const int faults[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS };
#define CRASH_WAIT_MS 5
#define CRASH_WAITS 200

/* Those that the screen reads, that do nothing or stop by default, and that cannot be handled. The first
 * two of the real-time signals are the C library's. */
static bool ends_by_default(int sig)
{
	static const int others[] = { SIGTERM, SIGHUP,	SIGINT,	  SIGQUIT,
				      SIGTSTP, SIGCONT, SIGWINCH, SIGUSR1,
				      SIGCHLD, SIGURG,	SIGTTIN,  SIGTTOU,
				      SIGKILL, SIGSTOP, SIGPIPE,  SIGUSR2 };
	size_t i;

	for (i = 0; i < sizeof(others) / sizeof(*others); i++)
		if (sig == others[i])
			return false;
	return sig < __SIGRTMIN || sig >= SIGRTMIN;
}

static bool is_fault(int sig)
{
	size_t i;

	for (i = 0; i < sizeof(faults) / sizeof(*faults); i++)
		if (sig == faults[i])
			return true;
	return false;
}

/* The one piece of changing file-scope state: a signal handler has no other way to know.
 * Written only while the handlers are not installed. */
static struct {
	char reset[256];
	size_t n;
	struct termios modes;
	int err_fd; /* atomic; -1 none */
	struct sigaction old[_NSIG];
	bool ours[_NSIG];
	pid_t crashed; /* atomic: thread that gives the terminal back, or 0 */
	pid_t drawer;  /* atomic: thread that writes to the terminal now, or 0 */
} guard;

/* A handler for stack overflow needs another stack. */
static char crash_stack[16384];

int signals_open(struct signals *s, struct error *err)
{
	static const int wanted[] = { SIGTERM, SIGHUP,	SIGINT,	  SIGQUIT,
				      SIGTSTP, SIGCONT, SIGWINCH, SIGUSR1 };
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	size_t i;

	sigemptyset(&s->set);
	for (i = 0; i < sizeof(wanted) / sizeof(*wanted); i++)
		sigaddset(&s->set, wanted[i]);
	s->fd = signalfd(-1, &s->set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (s->fd == -1)
		return error_errno(err, "signalfd");
	pthread_sigmask(SIG_BLOCK, &s->set, &s->old_mask);
	sigaction(SIGPIPE, &ignore, &s->old_pipe);
	/* It means something to record alone. */
	sigaction(SIGUSR2, &ignore, &s->old_usr2);
	return 0;
}

/* What is still pending has been answered by leaving. */
void signals_close(struct signals *s)
{
	while (signals_next(s))
		;
	close(s->fd);
	s->fd = -1;
	sigaction(SIGPIPE, &s->old_pipe, NULL);
	sigaction(SIGUSR2, &s->old_usr2, NULL);
	pthread_sigmask(SIG_SETMASK, &s->old_mask, NULL);
}

int signals_next(struct signals *s)
{
	struct signalfd_siginfo info;

	if (read(s->fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return 0;
	return (int)info.ssi_signo;
}

void signals_stop(struct signals *s, bool by_key)
{
	struct sigaction stop = { .sa_handler = SIG_DFL }, old;
	sigset_t tstp;

	(void)s;
	if (!by_key) {
		raise(SIGSTOP);
		return;
	}
	/* To the whole group, as the terminal would: a shell script or sudo that started
	 * us must stop too. In a group no shell watches, the kernel ignores this. */
	sigemptyset(&tstp);
	sigaddset(&tstp, SIGTSTP);
	sigaction(SIGTSTP, &stop, &old);
	pthread_sigmask(SIG_UNBLOCK, &tstp, NULL);
	kill(0, SIGTSTP);
	pthread_sigmask(SIG_BLOCK, &tstp, NULL);
	sigaction(SIGTSTP, &old, NULL);
}

static void restore_actions(void)
{
	int i;

	for (i = 1; i < _NSIG; i++)
		if (guard.ours[i])
			sigaction(i, &guard.old[i], NULL);
}

/* Where memory ends, several threads come here at once. The first gives the terminal back and
 * ends the process, the others wait for that. */
static bool is_first(void)
{
	pid_t self = gettid(), none = 0;
	int i;

	if (__atomic_compare_exchange_n(&guard.crashed, &none, self, false,
					__ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		return true;
	if (none == self) /* a fault in the handler itself */
		return false;
	if (__atomic_load_n(&guard.drawer, __ATOMIC_SEQ_CST) == self)
		__atomic_store_n(&guard.drawer, 0, __ATOMIC_SEQ_CST);
	for (i = 0; i < 2 * CRASH_WAITS; i++)
		poll(NULL, 0, CRASH_WAIT_MS);
	return false;
}

static void give_back(void)
{
	int i, err_fd;

	/* Let a write of the screen's thread that is under way end, and begin no other: it would
	 * undo the reset. */
	for (i = 0; i < CRASH_WAITS; i++) {
		pid_t drawer = __atomic_load_n(&guard.drawer, __ATOMIC_SEQ_CST);

		if (drawer == 0 || drawer == gettid())
			break;
		poll(NULL, 0, CRASH_WAIT_MS);
	}
	/* The modes first, as they matter most should the process not live to the end of this;
	 * and again, as the screen's thread may have been about to set them. */
	tcsetattr(STDIN_FILENO, TCSANOW, &guard.modes);
	if (write(STDOUT_FILENO, guard.reset, guard.n) == -1) {
		/* nothing can be done about it here */
	}
	tcsetattr(STDIN_FILENO, TCSANOW, &guard.modes);
	err_fd = __atomic_load_n(&guard.err_fd, __ATOMIC_SEQ_CST);
	if (err_fd >= 0)
		dup2(err_fd, STDERR_FILENO);
}

static void on_crash(int sig, siginfo_t *info, void *context)
{
	(void)context;
	if (is_first())
		give_back();
	if (sig == SIGABRT && info->si_code == SI_QUEUE &&
	    info->si_value.sival_int == ALLOC_FAILED)
		return; /* to where the program ends */
	restore_actions();
	/* One that was sent, or that no instruction caused, would not recur. */
	if (info->si_code <= 0 || !is_fault(sig))
		raise(sig);
}

bool signals_draw_begin(void)
{
	__atomic_store_n(&guard.drawer, gettid(), __ATOMIC_SEQ_CST);
	if (!__atomic_load_n(&guard.crashed, __ATOMIC_SEQ_CST))
		return true;
	signals_draw_end();
	return false;
}

void signals_draw_end(void)
{
	__atomic_store_n(&guard.drawer, 0, __ATOMIC_SEQ_CST);
}

void signals_guard_stderr(int fd)
{
	__atomic_store_n(&guard.err_fd, fd, __ATOMIC_SEQ_CST);
}

void signals_guard(const char *reset, size_t n, const struct termios *modes)
{
	stack_t stack = { .ss_sp = crash_stack, .ss_size = sizeof(crash_stack) };
	struct sigaction crash = { .sa_sigaction = on_crash,
				   .sa_flags = SA_SIGINFO | SA_ONSTACK };
	stack_t none;
	int i;

	guard.n = n < sizeof(guard.reset) ? n : sizeof(guard.reset);
	memcpy(guard.reset, reset, guard.n);
	guard.modes = *modes;
	guard.err_fd = -1;
	/* Sanitizers bring a stack of their own. */
	if (sigaltstack(NULL, &none) == 0 && (none.ss_flags & SS_DISABLE))
		sigaltstack(&stack, NULL);
	/* Two signals at once must not give it back twice, one inside of the other. */
	sigfillset(&crash.sa_mask);
	for (i = 0; i < (int)(sizeof(faults) / sizeof(*faults)); i++)
		sigdelset(&crash.sa_mask, faults[i]);
	for (i = 1; i < _NSIG; i++) {
		guard.ours[i] = ends_by_default(i) &&
				sigaction(i, NULL, &guard.old[i]) == 0 &&
				guard.old[i].sa_handler != SIG_IGN;
		if (guard.ours[i])
			sigaction(i, &crash, NULL);
	}
}

void signals_unguard(void)
{
	stack_t stack;

	restore_actions();
	if (sigaltstack(NULL, &stack) == 0 && stack.ss_sp == crash_stack) {
		stack.ss_flags = SS_DISABLE;
		sigaltstack(&stack, NULL);
	}
}
