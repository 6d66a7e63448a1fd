/* Foreign files are read no further than asked; ours appear whole or not at all. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/text.h"

/* Every test works in an empty folder of its own, as the current one. */
static int enter_folder(void **state)
{
	char name[] = "/tmp/ptop-test-XXXXXX";

	if (!mkdtemp(name) || chdir(name) == -1)
		return -1;
	*state = strdup(name);
	return *state ? 0 : -1;
}

static int leave_folder(void **state)
{
	struct text command = { 0 };
	int ret = chdir("/");

	text_fmt(&command, "rm -rf '%s'", (const char *)*state);
	ret |= system(command.p);
	text_done(&command);
	free(*state);
	return ret;
}

static void put(const char *path, const char *p, size_t n)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(p, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

static void assert_content(const char *path, const char *want)
{
	struct bytes b;

	assert_int_equal(file_read(path, 1u << 20, &b, NULL), 0);
	assert_int_equal(b.n, strlen(want));
	assert_memory_equal(b.p, want, b.n);
	free((void *)(uintptr_t)b.p);
}

static int entries_here(void)
{
	FILE *p = popen("ls -A | wc -l", "r");
	char line[32] = "";

	assert_non_null(p);
	assert_non_null(fgets(line, sizeof(line), p));
	pclose(p);
	return (int)strtol(line, NULL, 10);
}

/* Around every power of two at which the buffer grows, and around the cap. */
static void test_read_sizes(void **state)
{
	static const size_t sizes[] = { 0, 1, 9, 4095, 4096, 4097, 8192, 8193, 70000 };
	char *content = malloc(70000);
	size_t i, k;

	(void)state;
	for (i = 0; i < 70000; i++)
		content[i] = (char)('a' + i % 23);
	for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		put("f", content, sizes[i]);
		for (k = 1; k < sizeof(sizes) / sizeof(*sizes); k++) {
			size_t want = sizes[i] < sizes[k] ? sizes[i] : sizes[k];
			struct bytes b;
			bool cut;

			assert_int_equal(file_read("f", sizes[k], &b, &cut), 0);
			assert_int_equal(b.n, want);
			assert_memory_equal(b.p, content, want);
			assert_int_equal(cut, sizes[i] > sizes[k]);
			free((void *)(uintptr_t)b.p);
		}
	}
	free(content);
}

static void test_read_failures(void **state)
{
	struct bytes b = { (const unsigned char *)"old", 3 };
	char line[8];

	(void)state;
	assert_int_equal(file_read("missing", 100, &b, NULL), -ENOENT);
	assert_null(b.p);
	assert_int_equal(file_read(".", 100, &b, NULL), -EISDIR);
	assert_null(b.p);
	memcpy(line, "before", 7);
	assert_false(file_line("missing", line, sizeof(line)));
	assert_string_equal(line, "");
	/* a pipe that nobody writes must not hold us up */
	assert_int_equal(mkfifo("fifo", 0600), 0);
	assert_int_equal(file_read("fifo", 100, &b, NULL), 0);
	assert_int_equal(b.n, 0);
	free((void *)(uintptr_t)b.p);
}

static void test_read_at(void **state)
{
	struct bytes b;
	int fd;

	(void)state;
	put("f", "0123456789", 10);
	fd = open("f", O_RDONLY | O_CLOEXEC);
	assert_int_equal(file_read_at(fd, 3, 4, 100, &b), 0);
	assert_int_equal(b.n, 4);
	assert_memory_equal(b.p, "3456", 4);
	free((void *)(uintptr_t)b.p);
	assert_int_equal(file_read_at(fd, 0, 101, 100, &b), -EFBIG);
	assert_int_equal(file_read_at(fd, UINT64_MAX, 1, 100, &b), -EFBIG);
	assert_int_equal(file_read_at(fd, 8, 4, 100, &b),
			 -EIO); /* the file ends: all or nothing */
	assert_null(b.p);
	assert_int_equal(file_read_at(-1, 0, 1, 100, &b), -EBADF);
	close(fd);
}

static void test_line(void **state)
{
	char line[8];

	(void)state;
	put("f", "a\x1b[m\tbc\nsecond", 15);
	assert_true(file_line("f", line, sizeof(line)));
	assert_string_equal(line, "a?[m?bc");
	put("f", "", 0);
	assert_true(file_line("f", line, sizeof(line)));
	assert_string_equal(line, "");
	put("f", "much too long for it", 20);
	assert_true(file_line("f", line, sizeof(line)));
	assert_string_equal(line, "much to");
}

static void test_new_file(void **state)
{
	struct error err = { 0 };
	struct outfile o;
	struct stat st;

	(void)state;
	umask(027);
	assert_int_equal(outfile_open(&o, "out", false, &err), 0);
	assert_int_equal(access("out", F_OK), -1); /* not there before it is whole */
	assert_int_equal(outfile_commit(&o, "hello", 5, &err), 0);
	umask(022);
	assert_content("out", "hello");
	assert_int_equal(stat("out", &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(o.fd, -1);
	assert_int_equal(entries_here(), 1);
}

static void test_existing_file(void **state)
{
	struct error err = { 0 };
	struct outfile o;

	(void)state;
	put("out", "old", 3);
	assert_int_equal(outfile_open(&o, "out", false, &err), -EEXIST);
	assert_int_equal(err.exit, EXIT_FAILED);
	assert_non_null(strstr(err.cause, "out"));
	assert_int_equal(outfile_open(&o, "out", true, &err), 0);
	assert_content("out", "old");
	outfile_abort(&o);
	assert_content("out", "old");
	assert_int_equal(entries_here(), 1);
	assert_int_equal(outfile_open(&o, "out", true, &err), 0);
	assert_int_equal(outfile_commit(&o, "new", 3, &err), 0);
	assert_content("out", "new");
	assert_int_equal(entries_here(), 1);
}

/* Somebody else made the file between our look and our end. */
static void test_lost_race(void **state)
{
	struct error err = { 0 };
	struct outfile o;

	(void)state;
	assert_int_equal(outfile_open(&o, "out", false, &err), 0);
	put("out", "theirs", 6);
	assert_int_equal(outfile_commit(&o, "ours", 4, &err), -EEXIST);
	assert_content("out", "theirs");
	assert_int_equal(entries_here(), 1);
}

/* A link is replaced, what it points to is not written. */
static void test_symbolic_link(void **state)
{
	struct error err = { 0 };
	struct outfile o;

	(void)state;
	put("precious", "p", 1);
	assert_int_equal(symlink("precious", "out"), 0);
	assert_int_equal(outfile_open(&o, "out", false, &err), -EEXIST);
	assert_int_equal(outfile_open(&o, "out", true, &err), 0);
	assert_int_equal(outfile_commit(&o, "new", 3, &err), 0);
	assert_content("precious", "p");
	assert_content("out", "new");
}

static void test_bad_paths(void **state)
{
	struct error err = { 0 };
	struct outfile o;
	char *path = malloc(5001);

	(void)state;
	assert_int_equal(outfile_open(&o, "no/such/folder/f", false, &err), -ENOENT);
	assert_int_equal(err.exit, EXIT_FAILED);
	assert_int_not_equal(err.cause[0], '\0');
	assert_int_equal(outfile_open(&o, "/tmp", true, &err), -EISDIR);
	assert_int_equal(outfile_open(&o, "/proc/nothing", false, &err), -ENOENT);
	assert_int_equal(outfile_open(&o, "no/such/folder/f", false, NULL), -ENOENT);
	assert_int_equal(outfile_open(&o, "/tmp", true, NULL), -EISDIR);
	memset(path, 'x', 5000);
	path[5000] = '\0';
	assert_true(outfile_open(&o, path, false, &err) < 0);
	free(path);
	outfile_abort(&o); /* of one that never opened: nothing happens */
}

/* A full disk, played by the limit on file size. */
static void test_full_disk(void **state)
{
	struct rlimit old, small;
	struct error err = { 0 };
	struct outfile o;
	int ret;

	(void)state;
	put("out", "old", 3);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = old;
	small.rlim_cur = 4;
	assert_int_equal(outfile_open(&o, "out", true, &err), 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	ret = outfile_commit(&o, "more than four", 14, &err);
	setrlimit(RLIMIT_FSIZE, &old);
	assert_int_equal(ret, -EFBIG);
	assert_int_equal(err.exit, EXIT_FAILED);
	assert_content("out", "old");
	assert_int_equal(entries_here(), 1);
}

static void test_error_words(void **state)
{
	struct error err = { 0 };

	(void)state;
	errno = EPERM;
	assert_int_equal(error_errno(&err, "x"), -EPERM);
	assert_int_equal(err.exit, EXIT_NO_PERMISSION);
	assert_non_null(strstr(err.cause, "x: "));
	errno = ESRCH;
	assert_int_equal(error_errno(&err, "x"), -ESRCH);
	assert_int_equal(err.exit, EXIT_NO_PROCESS);
	errno = EIO;
	assert_int_equal(error_errno(NULL, "x"), -EIO);
	error_hint(&err, "%s", "try this");
	assert_string_equal(err.hint, "try this");
	error_hint(NULL, "nobody asked");
	assert_true(error_set(&err, EXIT_UNSUPPORTED, "%s", "why") < 0);
	assert_string_equal(err.cause, "why");
	assert_string_equal(err.hint, ""); /* the old hint was for the old cause */
	assert_true(error_set(NULL, EXIT_USAGE, "unheard") < 0);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, enter_folder, leave_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(test_read_sizes),
		IN_FOLDER(test_read_failures),
		IN_FOLDER(test_read_at),
		IN_FOLDER(test_line),
		IN_FOLDER(test_new_file),
		IN_FOLDER(test_existing_file),
		IN_FOLDER(test_lost_race),
		IN_FOLDER(test_symbolic_link),
		IN_FOLDER(test_bad_paths),
		IN_FOLDER(test_full_disk),
		cmocka_unit_test(test_error_words),
	};

	/* SIGXFSZ would end us before write() can fail. */
	signal(SIGXFSZ, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
