/* ptoprc: what is read, what is refused, and that the user's own lines survive. */
#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "app/config.h"
#include "app/options.h"
#include "base/clock.h"
#include "base/file.h"

/* A folder and the folder ptop in it, with all files. */
static void remove_folder(const char *dir)
{
	char path[600];
	struct dirent *e;
	DIR *d;

	snprintf(path, sizeof(path), "%s/ptop", dir);
	d = opendir(path);
	assert_non_null(d);
	while ((e = readdir(d)))
		unlinkat(dirfd(d), e->d_name, 0);
	closedir(d);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(rmdir(dir), 0);
}

static void test_parse(void **state)
{
	static const char good[] =
	    "# mine\n colours = colour-blind # eyes\nascii=yes\r\n"
	    "mouse = no\nfold-libraries = yes\nkeys.digits = sort\ndelay = 500ms\n\n"
	    "window = 0";
	static const char *const bad[] = {
		"colours = pink\n",  "delay = 0\n",    "delay = 61\n",
		"delay\n",	     "= 3\n",	       "mouse = maybe\n",
		"keys.digits = 3\n", "window = 1ms\n", "\xff\xfe\x01 = 2\n"
	};
	struct ui_settings s = { .delay_ns = NS_PER_SEC, .window_ns = 1 }, before;
	char warning[200];
	size_t i;

	(void)state;
	config_parse(good, sizeof(good) - 1, &s, warning, sizeof(warning));
	assert_string_equal(warning, "");
	assert_int_equal(s.scheme, SCHEME_COLOUR_BLIND);
	assert_true(s.ascii && s.no_mouse && s.folded && s.digits_sort);
	assert_int_equal(s.delay_ns, NS_PER_SEC / 2);
	assert_int_equal(s.window_ns, 0);
	before = s;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		config_parse(bad[i], strlen(bad[i]), &s, warning, sizeof(warning));
		assert_non_null(strstr(warning, "line 1"));
		assert_int_equal(s.delay_ns, before.delay_ns);
		assert_int_equal(s.scheme, before.scheme);
		assert_int_equal(s.window_ns, before.window_ns);
	}
}

static void test_write(void **state)
{
	struct ui_settings s = { .scheme = SCHEME_LIGHT, .delay_ns = 2 * NS_PER_SEC },
			   back = { .folded = true, .digits_sort = true, .window_ns = 7 };
	char dir[] = "/tmp/ptop-config-XXXXXX", path[200], warning[200];
	struct bytes b;
	FILE *f;

	(void)state;
	assert_non_null(mkdtemp(dir));
	setenv("XDG_CONFIG_HOME", dir, 1);
	assert_int_equal(config_write(&s, NULL), 0);
	assert_true(config_path(path, sizeof(path)));
	f = fopen(path, "a");
	fputs("# keep me\nsome.day = 1\n", f);
	fclose(f);
	s.scheme = SCHEME_HIGH_CONTRAST;
	assert_int_equal(config_write(&s, NULL), 0);
	config_read(&back, warning, sizeof(warning));
	assert_int_equal(back.scheme, SCHEME_HIGH_CONTRAST);
	assert_int_equal(back.delay_ns, 2 * NS_PER_SEC);
	assert_false(back.folded);
	assert_false(back.digits_sort);
	assert_int_equal(back.window_ns, 0);
	assert_non_null(strstr(warning, "some.day"));
	assert_int_equal(file_read(path, 4096, &b, NULL), 0);
	assert_non_null(memmem(b.p, b.n, "# keep me\n", 10));
	free((void *)(uintptr_t)b.p);
	/* The command line comes first. */
	back = (struct ui_settings){ .scheme = SCHEME_MONO, .delay_ns = 5 };
	config_apply(&back, GIVEN_SCHEME, warning, sizeof(warning));
	assert_int_equal(back.scheme, SCHEME_MONO);
	assert_int_equal(back.delay_ns, 2 * NS_PER_SEC);
	unlink(path);
	*strrchr(path, '/') = '\0';
	rmdir(path);
	rmdir(dir);
}

/* The first byte past a limit cannot be written: that is an error, not the end of the program. */
static void test_fails_while_writing(void **state)
{
	struct ui_settings s = { .scheme = SCHEME_LIGHT, .delay_ns = 2 * NS_PER_SEC };
	char dir[] = "/tmp/ptop-config-XXXXXX", path[200];
	struct bytes before, after;
	int status;
	pid_t pid;

	(void)state;
	assert_non_null(mkdtemp(dir));
	setenv("XDG_CONFIG_HOME", dir, 1);
	assert_int_equal(config_write(&s, NULL), 0);
	assert_true(config_path(path, sizeof(path)));
	assert_int_equal(file_read(path, 4096, &before, NULL), 0);
	s.scheme = SCHEME_MONO;
	pid = fork();
	if (pid == 0) {
		setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
		setrlimit(RLIMIT_FSIZE, &(struct rlimit){ 10, 10 });
		_exit(config_write(&s, NULL) == -EFBIG ? 7 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
	assert_int_equal(file_read(path, 4096, &after, NULL), 0);
	assert_int_equal(after.n, before.n);
	assert_memory_equal(after.p, before.p, before.n);
	free((void *)(uintptr_t)before.p);
	free((void *)(uintptr_t)after.p);
	assert_int_equal(config_write(&s, NULL), 0); /* nothing is left that disturbs */
	assert_int_equal(file_read(path, 4096, &after, NULL), 0);
	assert_non_null(memmem(after.p, after.n, "colours = mono\n", 15));
	free((void *)(uintptr_t)after.p);
	remove_folder(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_fails_while_writing),
	};

	return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
