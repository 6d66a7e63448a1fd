/* The whole engine on a child of this test: attached, asked everything a screen may ask
 * while it samples, and stopped; twice. What it shows is checked in tests/live; here it
 * is the threads that are tested, so this runs under ThreadSanitizer too. Skips where
 * sampling is not permitted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/engine.h"
#include "base/clock.h"

/* libproc2 keeps buffers for each thread that used it and does not free them with the
 * thread. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libproc2";
}

static volatile unsigned spun;

static void *spin(void *arg)
{
	(void)arg;
	for (;;)
		spun++;
	return NULL;
}

/* Of this process, by /proc; 0: not known. */
static int count_threads(void)
{
	char line[256];
	FILE *f = fopen("/proc/self/status", "re");
	int n = 0;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "Threads: %d", &n) == 1)
			break;
	if (f)
		fclose(f);
	return n;
}

static int threads_at_first;

/* Threads of the test before that read files end after their engine, and ThreadSanitizer ends a child
 * that was forked beside others as soon as it starts a thread. */
static void wait_for_threads(void)
{
	int tries;

	for (tries = 0; tries < 500 && count_threads() > threads_at_first; tries++)
		usleep(10000);
	usleep(20000);
}

/* A child with one busy and one sleeping thread. */
static int start_child(void **state)
{
	pid_t *pid = malloc(sizeof(*pid));

	wait_for_threads();
	*pid = fork();
	if (*pid == 0) {
		pthread_t t;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (pthread_create(&t, NULL, spin, NULL))
			_exit(1);
		pause();
		_exit(0);
	}
	*state = pid;
	return *pid == -1;
}

static int end_child(void **state)
{
	pid_t *pid = *state;

	kill(*pid, SIGKILL);
	waitpid(*pid, NULL, 0);
	free(pid);
	return 0;
}

static struct engine *start(pid_t pid)
{
	struct engine_config c = { .pid = pid,
				   .rate_hz = 997,
				   .merged = true,
				   .delay_ns = 20 * NS_PER_MSEC,
				   .window_ns = 10 * NS_PER_SEC };
	struct engine *e = NULL;
	struct error err = { 0 };
	int ret = engine_start(&c, &e, &err);

	if (ret && err.exit == EXIT_NO_PERMISSION) {
		print_message("skipped: %s\n", err.cause);
		skip();
	}
	if (ret)
		print_message("# %s\n", err.cause);
	assert_int_equal(ret, 0);
	return e;
}

static void ask(struct engine *e, enum command_kind kind, uint64_t value,
		const char *text)
{
	struct command c = { .kind = kind, .value = value };

	snprintf(c.text, sizeof(c.text), "%s", text);
	engine_send(e, &c);
}

static void take(struct engine *e, size_t n)
{
	while (n-- > 0) {
		struct snapshot *s = engine_wait(e, 10 * NS_PER_SEC);

		assert_non_null(s);
		assert_true(s->n_threads <= s->n_threads_all);
		snapshot_free(s);
	}
}

static void test_all_commands(void **state)
{
	pid_t pid = *(pid_t *)*state;
	char folder[] = "/tmp/ptop-test-XXXXXX", text[128], path[64];
	struct engine *e = start(pid);
	struct stat st;
	int i;

	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/a.svg", folder);
	snprintf(text, sizeof(text), "svg %s", path);
	for (i = 0; i < 6; i++) {
		take(e, 3);
		ask(e, COMMAND_WINDOW, (uint64_t)(i % 3) * 5 * NS_PER_SEC, "");
		ask(e, COMMAND_MODE, i % 2 ? MODE_WALL : MODE_CPU, "");
		ask(e, COMMAND_IDLE, i % 2, "");
		ask(e, COMMAND_MERGE, (uint64_t)(i + 1) % 2, "");
		take(e, 2);
		ask(e, COMMAND_SAVE, 0, text);
		ask(e, COMMAND_SAVE, 0, "nosuchformat");
		if (i == 3)
			ask(e, COMMAND_RESET, 0, "");
		ask(e, COMMAND_DELAY, (10 + (uint64_t)i) * NS_PER_MSEC, "");
	}
	engine_stop(e); /* the file that is being written is finished first */
	assert_int_equal(stat(path, &st), 0);
	assert_true(st.st_size > 1000);
	unlink(path);
	assert_int_equal(rmdir(folder), 0); /* and no temporary is left */
}

static bool has_function(const struct snapshot *s, const char *name)
{
	size_t i;

	for (i = 0; i < s->n_functions; i++)
		if (strcmp(s->functions[i].name, name) == 0)
			return true;
	return false;
}

static void test_finish_and_exit(void **state)
{
	pid_t pid = *(pid_t *)*state;
	struct engine *e = start(pid);
	struct snapshot *s = NULL;
	int tries;

	take(e, 10);
	kill(pid, SIGKILL);
	for (tries = 0; tries < 500; tries++) {
		s = engine_wait(e, NS_PER_SEC);
		if (s && s->exited)
			break;
		snapshot_free(s);
		s = NULL;
	}
	assert_non_null(s);
	snapshot_free(s);
	ask(e, COMMAND_FINISH, 0, "");
	for (tries = 0; tries < 500; tries++) {
		s = engine_wait(e, NS_PER_SEC);
		if (s && s->nodes)
			break;
		snapshot_free(s);
		s = NULL;
	}
	assert_non_null(s);
	assert_true(has_function(s, "spin"));
	snapshot_free(s);
	engine_stop(e);
}

static void test_refused(void **state)
{
	struct engine_config c = { .pid = 4194303,
				   .rate_hz = 99,
				   .delay_ns = NS_PER_SEC };
	struct engine *e = NULL;
	struct error err = { 0 };

	(void)state;
	assert_int_not_equal(engine_start(&c, &e, &err), 0);
	assert_int_equal(err.exit, EXIT_NO_PROCESS);
	assert_non_null(strstr(err.cause, "4194303"));
	c.pid = getpid();
	assert_int_not_equal(engine_start(&c, &e, &err), 0);
	assert_int_equal(err.exit, EXIT_USAGE);
	assert_null(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_all_commands, start_child,
						end_child),
		cmocka_unit_test_setup_teardown(test_finish_and_exit, start_child,
						end_child),
		cmocka_unit_test(test_refused),
	};

	threads_at_first = count_threads();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
