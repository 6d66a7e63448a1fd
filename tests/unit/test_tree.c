/* The call tree as text: stacks written "main;work 9" go in, indented lines come out. And
 * the small arithmetic of a snapshot. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "model/frame.h"
#include "model/loss.h"
#include "model/tree.h"

/* Functions are one letter each: 'a' is 0. "a;b;c 9" adds 9 ns to that stack. */
static void add_text(struct tree *t, const char *stack)
{
	uint32_t functions[64];
	size_t n = 0;

	while (*stack && *stack != ' ') {
		if (*stack != ';')
			functions[n++] = (uint32_t)(*stack - 'a');
		stack++;
	}
	tree_add(t, functions, n, strtoull(stack, NULL, 10));
}

/* "a 10/3": total/self, children below their parent, indented by depth. */
static void print_node(const struct tree *t, uint32_t node, int depth, struct text *out)
{
	uint32_t i;

	if (node)
		text_fmt(out, "%*s%c %llu/%llu\n", depth, "",
			 (int)('a' + t->nodes.v[node].function),
			 (unsigned long long)t->nodes.v[node].total_ns,
			 (unsigned long long)t->nodes.v[node].self_ns);
	for (i = 1; i < t->nodes.n; i++)
		if (t->nodes.v[i].parent == node)
			print_node(t, i, depth + (node != 0), out);
}

static void assert_tree(const char *const *stacks, const char *want)
{
	struct text got = { 0 };
	struct tree t;

	tree_init(&t);
	while (*stacks)
		add_text(&t, *stacks++);
	tree_total(&t);
	text_str(&got, "");
	print_node(&t, 0, 0, &got);
	assert_string_equal(got.p, want);
	text_done(&got);
	tree_done(&t);
}

static void test_shapes(void **state)
{
	(void)state;
	assert_tree((const char *[]){ NULL }, "");
	assert_tree((const char *[]){ "a;b 9", "a;c 1", "a;b 2", "d 5", NULL },
		    "a 12/0\n"
		    " b 11/11\n"
		    " c 1/1\n"
		    "d 5/5\n");
	/* the same function below two parents, and below itself */
	assert_tree((const char *[]){ "a;b;a;b 1", "b;a 2", "a 4", NULL }, "a 5/4\n"
									   " b 1/0\n"
									   "  a 1/0\n"
									   "   b 1/1\n"
									   "b 2/0\n"
									   " a 2/2\n");
}

static void test_totals_twice(void **state)
{
	struct tree t;

	(void)state;
	tree_init(&t);
	add_text(&t, "a;b 3");
	tree_total(&t);
	tree_total(&t); /* must not add to what stands there */
	assert_true(t.nodes.v[0].total_ns == 3);
	add_text(&t, "a 4");
	tree_total(&t);
	assert_true(t.nodes.v[0].total_ns == 7);
	tree_done(&t);
}

/* Enough nodes to grow the table several times; every one is found again. */
static void test_many(void **state)
{
	struct tree t;
	uint32_t i, k, a, b;

	(void)state;
	tree_init(&t);
	for (k = 0; k < 2; k++) {
		for (i = 0; i < 100; i++) {
			a = tree_child(&t, 0, i);
			for (b = 0; b < 100; b++) {
				uint32_t leaf = tree_child(&t, a, b);

				t.nodes.v[leaf].self_ns++;
			}
		}
		assert_int_equal(t.nodes.n, 1 + 100 + 100 * 100);
	}
	tree_total(&t);
	assert_true(t.nodes.v[0].total_ns == 2 * 100 * 100);
	for (i = 1; i < t.nodes.n; i++) {
		assert_true(t.nodes.v[i].parent < i);
		assert_true(t.nodes.v[i].total_ns == (t.nodes.v[i].parent ? 2 : 200));
	}
	tree_done(&t);
}

static void test_deep(void **state)
{
	uint32_t stack[5000];
	struct tree t;
	uint32_t i;

	(void)state;
	for (i = 0; i < 5000; i++)
		stack[i] = i % 3;
	tree_init(&t);
	tree_add(&t, stack, 5000, 7);
	tree_total(&t);
	assert_int_equal(t.nodes.n, 5001);
	assert_true(t.nodes.v[1].total_ns == 7);
	assert_true(t.nodes.v[5000].self_ns == 7);
	tree_done(&t);
}

static void test_snapshot_order(void **state)
{
	struct snapshot_function f[] = {
		{ .name = "b", .self_ns = 1, .total_ns = 5 },
		{ .name = "z", .self_ns = 9, .total_ns = 9 },
		{ .name = "a", .self_ns = 1, .total_ns = 5 },
		{ .name = "c", .self_ns = 1, .total_ns = 6 },
	};
	struct snapshot *s = snapshot_new();

	(void)state;
	assert_string_equal(s->command, "");
	assert_string_equal(s->limits, "");
	snapshot_sort(s); /* an empty one too */
	s->functions = f;
	s->n_functions = 4;
	snapshot_sort(s);
	assert_string_equal(f[0].name, "z");
	assert_string_equal(f[1].name, "c");
	assert_string_equal(f[2].name, "a");
	assert_string_equal(f[3].name, "b");
	assert_true(snapshot_pct(s, 5) == 0.0); /* no weight, no share */
	s->weight_ns = 20;
	assert_true(snapshot_pct(s, 5) == 25.0);
	snapshot_free(s);
	snapshot_free(NULL);
}

/* Every enumerator has a word of its own, and strangers get one too. */
static void test_words(void **state)
{
	unsigned i, k;

	(void)state;
	for (i = 0; i < LOSS_COUNT; i++) {
		assert_true(strlen(loss_name((enum loss)i)) > 0);
		assert_true(strlen(loss_help((enum loss)i)) > 0);
		for (k = 0; k < i; k++)
			assert_string_not_equal(loss_name((enum loss)i),
						loss_name((enum loss)k));
	}
	for (i = 0; i < MARK_WAIT_FIRST + WAIT_REASONS; i++) {
		assert_int_equal(frame_mark_name(i)[0], '[');
		for (k = 0; k < i; k++)
			assert_string_not_equal(frame_mark_name(i), frame_mark_name(k));
	}
	assert_non_null(frame_mark_name(UINT64_MAX));
	for (i = 0; i < CODE_KINDS; i++)
		assert_string_not_equal(code_kind_name((enum code_kind)i), "unknown");
	assert_string_equal(code_kind_name(CODE_KINDS), "unknown");
	assert_string_equal(mode_name(MODE_CPU), "cpu");
	assert_string_equal(mode_name(MODE_WALL), "wall");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shapes),
		cmocka_unit_test(test_totals_twice),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_deep),
		cmocka_unit_test(test_snapshot_order),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
