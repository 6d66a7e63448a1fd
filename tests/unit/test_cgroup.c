/* Limits of control groups, in folders made for it: both versions, every ancestor, limits
 * that appear and vanish, and text that is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "target/cgroup.h"

#define MB (1024 * 1024ull)

static char root[64];

/* Writes root/path, folders included; NULL text removes it. */
static void put(const char *path, const char *text)
{
	char full[512], *p;
	FILE *f;

	snprintf(full, sizeof(full), "%s%s", root, path);
	if (!text) {
		unlink(full);
		return;
	}
	for (p = full + strlen(root) + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		mkdir(full, 0755);
		*p = '/';
	}
	f = fopen(full, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static int start(void **state)
{
	(void)state;
	snprintf(root, sizeof(root), "/tmp/test_cgroup.XXXXXX");
	return mkdtemp(root) ? 0 : -1;
}

static int end(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", root);
	return system(command);
}

static bool look(struct cgroup_memory *out)
{
	struct cgroup_mounts m;

	cgroup_mounts_read(&m, root);
	return cgroup_memory(&m, root, 42, out);
}

#define V2 "/sys/fs/cgroup"

static void version_2_every_ancestor(void **state)
{
	struct cgroup_memory c;

	(void)state;
	put("/proc/self/mountinfo",
	    "30 23 0:26 / " V2 " rw,nosuid - cgroup2 cgroup2 rw\n");
	put("/proc/42/cgroup", "0::/a.slice/b.service\n");
	put(V2 "/a.slice/b.service/memory.max", "max\n");
	put(V2 "/a.slice/b.service/memory.current", "104857600\n");
	assert_true(look(&c));
	assert_false(c.limited);
	/* The parent's limit appears. */
	put(V2 "/a.slice/memory.max", "524288000\n");
	put(V2 "/a.slice/memory.current", "314572800\n");
	put(V2 "/a.slice/memory.stat",
	    "anon 5\nfile 209715200\ninactive_file 104857600\n");
	put(V2 "/a.slice/memory.events", "low 0\nhigh 0\nmax 17\noom 0\n");
	assert_true(look(&c));
	assert_true(c.limited);
	assert_string_equal(c.name, "/a.slice");
	assert_int_equal(c.limit_bytes, 500 * MB);
	assert_int_equal(c.used_bytes, 200 * MB);
	assert_int_equal(c.hits, 17);
	/* Its own, with less room: memory.high throttles before memory.max kills. */
	put(V2 "/a.slice/b.service/memory.high", "209715200\n");
	put(V2 "/a.slice/b.service/memory.max", "419430400\n");
	put(V2 "/a.slice/b.service/memory.pressure",
	    "some avg10=1.25 avg60=0.50 avg300=0.00 total=5\n"
	    "full avg10=0.05 avg60=0.00 avg300=0.00 total=1\n");
	assert_true(look(&c));
	assert_string_equal(c.name, "/a.slice/b.service");
	assert_int_equal(c.limit_bytes, 200 * MB);
	assert_string_equal(c.pressure_path, V2 "/a.slice/b.service/memory.pressure");
	/* And it vanishes with its folder's files. */
	put(V2 "/a.slice/b.service/memory.high", NULL);
	put(V2 "/a.slice/b.service/memory.current", NULL);
	assert_true(look(&c));
	assert_string_equal(c.name, "/a.slice");
	put("/proc/42/cgroup", NULL);
	assert_false(look(&c));
	assert_false(c.limited);
}

#define V1 "/sys/fs/cgroup/memory"

static void version_1_beside_version_2(void **state)
{
	struct cgroup_memory c;

	(void)state;
	put("/proc/self/mountinfo",
	    "32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"
	    "35 31 0:32 / " V1 " rw,relatime shared:9 - cgroup cgroup rw,memory\n"
	    "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
	put("/proc/42/cgroup", "9:name=systemd:/\n4:cpu,memory:/x/y\n0::/\n");
	put(V1 "/memory.limit_in_bytes", "9223372036854771712\n");
	put(V1 "/memory.usage_in_bytes", "1\n");
	put(V1 "/x/memory.limit_in_bytes", "104857600\n");
	put(V1 "/x/memory.usage_in_bytes", "94371840\n");
	put(V1 "/x/memory.failcnt", "3\n");
	put(V1 "/x/memory.stat",
	    "cache 1\ninactive_file 7\ntotal_inactive_file 10485760\n");
	put(V1 "/x/y/memory.limit_in_bytes", "9223372036854771712\n");
	put(V1 "/x/y/memory.usage_in_bytes", "94371840\n");
	assert_true(look(&c));
	assert_true(c.limited);
	assert_string_equal(c.name, "/x");
	assert_int_equal(c.limit_bytes, 100 * MB);
	assert_int_equal(c.used_bytes, 80 * MB);
	assert_int_equal(c.hits, 3);
}

/* In a container: the hierarchy is mounted from the container's own group on. */
static void a_subtree_is_mounted(void **state)
{
	struct cgroup_memory c;

	(void)state;
	put("/proc/self/mountinfo",
	    "35 31 0:32 /docker/0123 /cg rw - cgroup cgroup rw,memory\n");
	put("/proc/42/cgroup", "4:memory:/docker/0123/in\n");
	put("/cg/memory.limit_in_bytes", "1048576\n");
	put("/cg/memory.usage_in_bytes",
	    "2097152\n"); /* more than the limit: it was cut */
	assert_true(look(&c));
	assert_true(c.limited);
	assert_string_equal(c.name, "/");
	assert_int_equal(c.limit_bytes, MB);
	/* A path that leads out of it is not followed. */
	put("/proc/42/cgroup", "4:memory:/../../etc\n");
	assert_true(look(&c));
	assert_string_equal(c.name, "/");
}

static void text_that_is_none(void **state)
{
	static const char *const texts[] = { "",
					     "\n\n",
					     ":",
					     "0",
					     "0:",
					     "0::",
					     "4:memory",
					     "x:y:z",
					     "0::/a\0b",
					     "99999999999999999999999:memory:/a",
					     "4:memory:relative",
					     "4:mem:/a" };
	static const char *const mounts[] = { "", "-", "a - cgroup",
					      "1 2 3 4 5 - cgroup2",
					      "1 2 3 4 5 6 7 8 9 10 11" };
	struct cgroup_memory c;
	struct cgroup_mounts m;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++)
		cgroup_mounts_parse(&m, (struct bytes){ (const unsigned char *)mounts[i],
							strlen(mounts[i]) });
	put("/proc/self/mountinfo", "30 23 0:26 / /c rw - cgroup2 x rw\n"
				    "31 23 0:26 / /c rw - cgroup x rw,memory\n");
	put("/c/memory.max", "not a number\n");
	put("/c/memory.limit_in_bytes", "-5\n");
	put("/c/memory.current", "5\n");
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		put("/proc/42/cgroup", texts[i]);
		look(&c);
		assert_false(c.limited);
	}
}

static struct pressure parsed(const char *text)
{
	struct pressure p;

	pressure_parse((struct bytes){ (const unsigned char *)text, strlen(text) }, &p);
	return p;
}

static void pressure_texts(void **state)
{
	struct pressure p = parsed("some avg10=1.25 avg60=0.50 avg300=0.00 total=5\n"
				   "full avg10=0.05 avg60=0.00 avg300=0.00 total=1\n");

	(void)state;
	assert_true(p.some_pct > 1.249 && p.some_pct < 1.251);
	assert_true(p.full_pct > 0.049 && p.full_pct < 0.051);
	p = parsed("some avg10=100.00\n");
	assert_true(p.some_pct == 100 && p.full_pct < 0);
	assert_true(parsed("").some_pct < 0);
	assert_true(parsed("some").some_pct < 0);
	assert_true(parsed("some avg10=").some_pct < 0);
	assert_true(parsed("some avg10=9999999").some_pct < 0);
	assert_true(parsed("some avg10=3.").some_pct == 3);
	put("/proc/pressure/memory", "some avg10=7.00\n");
	pressure_read(root, "", &p);
	assert_true(p.some_pct == 7);
	pressure_read(root, "/nowhere", &p);
	assert_true(p.some_pct < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(version_2_every_ancestor, start, end),
		cmocka_unit_test_setup_teardown(version_1_beside_version_2, start, end),
		cmocka_unit_test_setup_teardown(a_subtree_is_mounted, start, end),
		cmocka_unit_test_setup_teardown(text_that_is_none, start, end),
		cmocka_unit_test_setup_teardown(pressure_texts, start, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
