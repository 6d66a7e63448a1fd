/* Objects of running interpreters by type, against what their program made: on every one of
 * $PTOP_TEST_PYTHONS (paths separated by spaces or colons), else on python3. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/file.h"
#include "runtime/runtime.h"
#include "target/memory.h"

static const char script[] = "import sys, threading\n"
			     "class Order:\n"
			     "    pass\n"
			     "keep = []\n"
			     "def orders(n):\n"
			     "    for i in range(n):\n"
			     "        o = Order()\n"
			     "        o.tags = [i, keep]\n"
			     "        keep.append(o)\n"
			     "def churn():\n"
			     "    while True:\n"
			     "        a = [[i] for i in range(50)]\n"
			     "def say():\n"
			     "    sys.stdout.write('x')\n"
			     "    sys.stdout.flush()\n"
			     "orders(3000)\n"
			     "say()\n"
			     "sys.stdin.read(1)\n"
			     "orders(2000)\n"
			     "keep.append({i: keep for i in range(100000)})\n"
			     "if sys.argv[1] == 'churn':\n"
			     "    threading.Thread(target=churn, daemon=True).start()\n"
			     "say()\n"
			     "sys.stdin.read(1)\n";

struct target {
	pid_t pid;
	int in, out;
};

static void spawn(struct target *t, const char *python, const char *how)
{
	int in[2], out[2];

	assert_int_equal(pipe(in) | pipe(out), 0);
	t->pid = fork();
	if (t->pid == 0) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		close(in[1]);
		execl(python, python, "-c", script, how, (char *)NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	t->in = in[1];
	t->out = out[0];
}

static bool ready(struct target *t)
{
	char c;

	return read(t->out, &c, 1) == 1;
}

/* Until its main thread sits in read(0): what runs meanwhile would move the lists. */
static void wait_until_it_waits(const struct target *t)
{
	char path[64], line[64];
	int i;

	snprintf(path, sizeof(path), "/proc/%d/syscall", (int)t->pid);
	for (i = 0; i < 1000; i++) {
		if (file_line(path, line, sizeof(line)) &&
		    strncmp(line, "0 0x0 ", 6) == 0)
			return;
		usleep(10000);
	}
	fail_msg("%s: %s", path, line);
}

static void end(struct target *t)
{
	kill(t->pid, SIGKILL);
	waitpid(t->pid, NULL, 0);
	close(t->in);
	close(t->out);
}

static void count(struct target *t, struct census *out)
{
	struct objects *objects = objects_new();
	runtime_thread_list threads = { 0 };
	struct runtime_site site;
	struct error err = { 0 };
	struct mem_present mem;
	struct maps maps;
	void *reader, *plan;

	maps_init(&maps);
	assert_int_equal(maps_read(&maps, objects, t->pid), 0);
	python_runtime.detect(t->pid, &maps, &site);
	assert_int_equal(site.state, RUNTIME_READY);
	reader = python_runtime.attach(t->pid, &site, &err);
	assert_non_null(reader);
	assert_true(python_runtime.threads(reader, false, &threads));
	plan = python_runtime.census_new(reader);
	assert_non_null(plan);
	python_runtime.detach(reader);
	assert_int_equal(mem_present_open(&mem, t->pid), 0);
	census_init(out);
	assert_true(python_runtime.census_run(plan, &mem.mem,
					      clock_now_ns() + 10 * NS_PER_SEC, out));
	mem_present_close(&mem);
	free(plan);
	VEC_DONE(&threads);
	maps_done(&maps);
	objects_free(objects);
}

static const struct memory_grower *named(const struct memory_grower *g, size_t n,
					 const char *name)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strcmp(g[i].name, name) == 0)
			return &g[i];
	return NULL;
}

static void on_one(const char *python, const char *how)
{
	struct memory_grower g[6];
	const struct memory_grower *one;
	struct arena a = { 0 };
	struct census first, second;
	struct target t;
	size_t n;

	print_message("# %s %s\n", python, how);
	spawn(&t, python, how);
	assert_true(ready(&t));
	wait_until_it_waits(&t);
	count(&t, &first);
	assert_int_equal(write(t.in, "x", 1), 1);
	assert_true(ready(&t));
	wait_until_it_waits(&t);
	count(&t, &second);
	end(&t);
	assert_int_equal(first.torn, 0);
	assert_false(second.cut);
	n = census_growers(&first, &second, GROWER_OBJECTS, &a, g, 6);
	one = named(g, n, "Order");
	assert_non_null(one);
	if (strcmp(how, "churn") == 0) { /* one list, the youngest, may be torn */
		assert_true(second.torn <= 1);
		assert_in_range(one->count_more, 1500, 2000);
	} else {
		assert_int_equal(one->count, 5000);
		assert_int_equal(one->count_more, 2000);
		one = named(g, n, "list");
		assert_non_null(one);
		assert_in_range(one->count_more, 2000, 2010);
		one = named(g, n, "dict");
		assert_true(one && one->bytes_more > 2000000);
	}
	census_done(&first);
	census_done(&second);
	arena_done(&a);
}

static void each(const char *how)
{
	const char *list = getenv("PTOP_TEST_PYTHONS");
	char *copy, *p, *rest;

	if (!list && access("/usr/bin/python3", X_OK) == -1)
		skip();
	copy = strdup(list ? list : "/usr/bin/python3");
	for (p = strtok_r(copy, ": ", &rest); p; p = strtok_r(NULL, ": ", &rest))
		on_one(p, how);
	free(copy);
}

static void types_that_grow(void **state)
{
	(void)state;
	each("quiet");
}

static void under_churn(void **state)
{
	(void)state;
	each("churn");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(types_that_grow),
		cmocka_unit_test(under_churn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
