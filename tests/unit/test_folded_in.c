/* Folded text in, functions and tree out; and all the ways a line can be no use. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/text.h"
#include "model/folded_in.h"

static struct snapshot *read_text(const char *text, double rate_hz,
				  struct folded_counts *counts)
{
	struct bytes in = { (const unsigned char *)text, strlen(text) };

	return folded_read(in, rate_hz, counts);
}

static const struct snapshot_function *function_of(const struct snapshot *s,
						   const char *name)
{
	size_t i;

	for (i = 0; i < s->n_functions; i++)
		if (strcmp(s->functions[i].name, name) == 0)
			return &s->functions[i];
	return NULL;
}

static void put_children(const struct snapshot *s, uint32_t node, unsigned depth,
			 struct text *out)
{
	uint32_t i;

	for (i = 1; i < s->n_nodes; i++) {
		if (s->nodes[i].parent != node)
			continue;
		text_fmt(out, "%*s%s %d/%d\n", (int)depth, "",
			 s->functions[s->nodes[i].function].name,
			 (int)s->nodes[i].self_ns, (int)s->nodes[i].total_ns);
		put_children(s, i, depth + 1, out);
	}
}

static void reads_a_tree(void **state)
{
	struct folded_counts counts;
	struct snapshot *s = read_text("main 1\nmain;parse 2\nmain;parse;read 30\n"
				       "main;write 4\nidle 5\n",
				       0, &counts);
	struct text tree = { 0 };

	(void)state;
	put_children(s, 0, 0, &tree);
	assert_string_equal(tree.p, "main 1/37\n parse 2/32\n  read 30/30\n write 4/4\n"
				    "idle 5/5\n");
	assert_int_equal(counts.lines, 5);
	assert_int_equal(counts.stacks, 5);
	assert_int_equal(s->samples, 42);
	assert_int_equal(s->weight_ns, 42);
	assert_int_equal(s->nodes[0].total_ns, 42);
	assert_string_equal(s->functions[0].name, "read");
	text_done(&tree);
	snapshot_free(s);
}

/* The reader keeps the path of the line before; a tree must not depend on the order of
 * lines. */
static void order_does_not_matter(void **state)
{
	static const char *const texts[] = {
		"a;b;c 1\na;b;cc 2\na;b 4\na;bb;c 8\na 16\n",
		"a 16\na;bb;c 8\na;b;c 1\na;b 4\na;b;cc 2\n",
		"a;b;cc 2\r\na;;b 4\n\n;a; 16\na;bb;c; 8\na;b;c 1",
	};
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		struct folded_counts counts;
		struct snapshot *s = read_text(texts[i], 0, &counts);

		assert_int_equal(counts.stacks, 5);
		assert_int_equal(s->n_functions, 5);
		assert_int_equal(s->n_nodes, 7);
		assert_int_equal(function_of(s, "a")->total_ns, 31);
		assert_int_equal(function_of(s, "a")->self_ns, 16);
		assert_int_equal(function_of(s, "b")->total_ns, 7);
		assert_int_equal(function_of(s, "c")->self_ns, 9);
		assert_int_equal(function_of(s, "cc")->total_ns, 2);
		snapshot_free(s);
	}
}

static void a_name_that_begins_another_is_another(void **state)
{
	struct folded_counts counts;
	struct snapshot *s = read_text("a;b 1\na;b c 2\na;b c;d 4\n", 0, &counts);

	(void)state;
	assert_int_equal(function_of(s, "b")->total_ns, 1);
	assert_int_equal(function_of(s, "b c")->total_ns, 6);
	snapshot_free(s);
}

static void recursion_counts_once(void **state)
{
	struct folded_counts counts;
	struct snapshot *s = read_text("f;f;g;f 3\nf;g 2\nh;f 1\n", 0, &counts);

	(void)state;
	assert_int_equal(function_of(s, "f")->total_ns, 6);
	assert_int_equal(function_of(s, "f")->self_ns, 4);
	assert_int_equal(function_of(s, "g")->total_ns, 5);
	snapshot_free(s);
}

static void a_rate_gives_time(void **state)
{
	struct folded_counts counts;
	struct snapshot *s = read_text("a 100\n", 997, &counts);

	(void)state;
	assert_int_equal(s->samples, 100);
	assert_in_range(s->weight_ns, 100300000, 100301000);
	snapshot_free(s);
}

static void annotations_say_the_kind(void **state)
{
	struct folded_counts counts;
	struct snapshot *s = read_text("sys_read_[k] 5\nadd_[j] 4\ntiny_[i] 3\n[wait] 2\n"
				       "f (dir/app.py:42) 1\n_[k] 1\n",
				       0, &counts);

	(void)state;
	assert_int_equal(function_of(s, "sys_read")->kind, CODE_KERNEL);
	assert_int_equal(function_of(s, "add")->kind, CODE_JIT);
	assert_int_equal(function_of(s, "tiny")->kind, CODE_APP);
	assert_int_equal(function_of(s, "[wait]")->kind, CODE_MARK);
	assert_int_equal(function_of(s, "f (dir/app.py:42)")->kind, CODE_PYTHON);
	assert_string_equal(function_of(s, "f (dir/app.py:42)")->file, "dir/app.py");
	assert_int_equal(function_of(s, "f (dir/app.py:42)")->line, 42);
	assert_non_null(function_of(s, "_[k]"));
	snapshot_free(s);
}

static void bad_lines_are_counted(void **state)
{
	static const struct {
		const char *text;
		int bad, too_many;
	} rows[] = {
		{ "", 0, 0 },
		{ "\n\r\n", 0, 0 },
		{ "main", 1, 0 },
		{ "main ", 1, 0 },
		{ " 5", 1, 0 },
		{ ";;; 5", 1, 0 },
		{ "5", 1, 0 },
		{ "main -5", 1, 0 },
		{ "main 5.5", 1, 0 },
		{ "main 5x", 1, 0 },
		{ "main\t5", 1, 0 },
		{ "# comment", 1, 0 },
		{ "main 99999999999999999999999", 1, 0 },
		{ "main 18446744073709551615", 0, 1 },
		{ "a 9223372036854775807\nb 1", 0, 1 },
	};
	struct folded_counts counts;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct snapshot *s = read_text(rows[i].text, 0, &counts);

		assert_int_equal(counts.bad, rows[i].bad);
		assert_int_equal(counts.too_many, rows[i].too_many);
		assert_int_equal(counts.lines,
				 counts.stacks + counts.bad + counts.too_many);
		assert_int_equal(s->lost[LOSS_BAD_RECORD],
				 rows[i].bad + rows[i].too_many);
		snapshot_free(s);
	}
}

static void long_lines_and_deep_stacks_have_limits(void **state)
{
	struct folded_counts counts;
	struct text text = { 0 };
	struct snapshot *s;
	size_t i;

	(void)state;
	for (i = 0; i < FOLDED_LINE_MAX - 2; i++)
		text_char(&text, 'x');
	text_str(&text, " 1\n"); /* just fits */
	for (i = 0; i < FOLDED_LINE_MAX - 1; i++)
		text_char(&text, 'x');
	text_str(&text, " 1\n"); /* does not */
	for (i = 0; i < FOLDED_DEPTH_MAX + 10; i++)
		text_str(&text, i % 2 ? ";a" : ";b");
	text_str(&text, " 7\n");
	s = read_text(text.p, 0, &counts);
	assert_int_equal(counts.stacks, 2);
	assert_int_equal(counts.too_long, 1);
	assert_int_equal(counts.too_deep, 1);
	assert_int_equal(s->samples, 8);
	assert_int_equal(s->n_nodes, 1 + 1 + FOLDED_DEPTH_MAX);
	assert_int_equal(function_of(s, "a")->total_ns, 7);
	assert_int_equal(s->lost[LOSS_STACK_TRUNCATED], 1);
	for (i = 0; i < s->n_functions; i++)
		assert_true(strlen(s->functions[i].name) < FOLDED_NAME_MAX);
	text_done(&text);
	snapshot_free(s);
}

static void foreign_bytes_are_cleaned(void **state)
{
	static const char text[] = "a\0b;\x1b[31m;\xff\xfe;\xe6\xbc\xa2 3\n";
	struct folded_counts counts;
	struct bytes in = { (const unsigned char *)text, sizeof(text) - 1 };
	struct snapshot *s = folded_read(in, 0, &counts);

	(void)state;
	assert_int_equal(counts.stacks, 1);
	assert_non_null(function_of(s, "a?b"));
	assert_non_null(function_of(s, "?[31m"));
	assert_non_null(function_of(s, "??"));
	assert_non_null(function_of(s, "\xe6\xbc\xa2"));
	snapshot_free(s);
}

/* Every beginning of a file, the last byte at an unmapped page. */
static void no_read_past_the_end(void **state)
{
	static const char text[] =
	    "main;parse (x.py:1);read_[k] 30\r\nmain;parse (x.py:1) 2\n";
	size_t page = (size_t)sysconf(_SC_PAGESIZE), n;
	char *two = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)state;
	assert_ptr_not_equal(two, MAP_FAILED);
	assert_int_equal(munmap(two + page, page), 0);
	for (n = 0; n < sizeof(text); n++) {
		struct folded_counts counts;
		struct bytes in = { (unsigned char *)two + page - n, n };

		memcpy(two + page - n, text, n);
		snapshot_free(folded_read(in, 100, &counts));
		assert_true(counts.lines <= 3);
	}
	munmap(two, page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_a_tree),
		cmocka_unit_test(order_does_not_matter),
		cmocka_unit_test(a_name_that_begins_another_is_another),
		cmocka_unit_test(recursion_counts_once),
		cmocka_unit_test(a_rate_gives_time),
		cmocka_unit_test(annotations_say_the_kind),
		cmocka_unit_test(bad_lines_are_counted),
		cmocka_unit_test(long_lines_and_deep_stacks_have_limits),
		cmocka_unit_test(foreign_bytes_are_cleaned),
		cmocka_unit_test(no_read_past_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
