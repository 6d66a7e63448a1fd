/* Of what a program prints the end is kept, the rest counted; without a reader it gets SIGPIPE. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/child_output.h"

#define LINE 16u

/* Prints numbered lines of 16 bytes; n 0: for ever. */
static pid_t start_printer(unsigned n, struct child_output **o)
{
	int fd[2];
	pid_t pid;

	assert_int_equal(pipe(fd), 0);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		char line[LINE + 1];
		unsigned i;

		signal(SIGPIPE, SIG_DFL);
		close(fd[0]);
		for (i = 0; !n || i < n; i++) {
			snprintf(line, sizeof(line), "%15u\n", i);
			if (write(fd[1], line, LINE) != (ssize_t)LINE)
				_exit(1);
		}
		_exit(0);
	}
	close(fd[1]);
	*o = child_output_start(fd[0]);
	assert_non_null(*o);
	return pid;
}

struct printed {
	char *out, *notes;
	size_t n, n_notes;
};

static struct printed end(struct child_output *o)
{
	struct printed p = { 0 };
	FILE *out = open_memstream(&p.out, &p.n);
	FILE *notes = open_memstream(&p.notes, &p.n_notes);

	child_output_end(o, out, notes);
	fclose(out);
	fclose(notes);
	return p;
}

static void release(struct printed *p)
{
	free(p->out);
	free(p->notes);
}

static int status_of(pid_t pid)
{
	int status = 0;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void test_little_is_all_there(void **state)
{
	struct child_output *o;
	struct printed p;

	(void)state;
	assert_int_equal(status_of(start_printer(3, &o)), 0);
	p = end(o);
	assert_string_equal(p.out, "              0\n              1\n              2\n");
	assert_int_equal(p.n_notes, 0);
	release(&p);
}

static void test_of_much_the_end(void **state)
{
	const unsigned lines = 200000;
	unsigned long long dropped = 0;
	struct child_output *o;
	struct printed p;
	char *at;
	unsigned i;

	(void)state;
	assert_int_equal(status_of(start_printer(lines, &o)), 0);
	p = end(o);
	assert_true(p.n > CHILD_OUTPUT_KEPT / 2 && p.n <= CHILD_OUTPUT_KEPT);
	at = strstr(p.notes, "ptop: ");
	assert_non_null(at);
	dropped = strtoull(at + strlen("ptop: "), NULL, 10);
	assert_int_equal(dropped + p.n, (uint64_t)lines * LINE);
	/* Without a gap, to the last line. */
	assert_int_equal(p.n % LINE, 0);
	for (i = 0; i < p.n / LINE; i++)
		assert_int_equal(strtoul(p.out + (size_t)i * LINE, NULL, 10),
				 lines - p.n / LINE + i);
	release(&p);
}

static void test_without_a_reader_it_dies(void **state)
{
	struct child_output *o;
	struct printed p;
	pid_t pid;
	int status;

	(void)state;
	pid = start_printer(0, &o);
	usleep(20000);
	p = end(o);
	status = status_of(pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE);
	assert_true(p.n <= CHILD_OUTPUT_KEPT);
	release(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_little_is_all_there),
		cmocka_unit_test(test_of_much_the_end),
		cmocka_unit_test(test_without_a_reader_it_dies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
