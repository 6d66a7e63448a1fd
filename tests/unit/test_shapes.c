/* What the screen makes of a call tree: libraries folded, neighbours of a function, the
 * lines of a tree, a baseline; with figures worked out by hand on the made picture. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/callers.h"
#include "model/fold.h"
#include "ui/branches.h"
#include "ui_made.h"

#define S(x) ((uint64_t)((x)*1e9 + 0.5))

static uint64_t about(uint64_t ns)
{
	return (ns + 500000) / 1000000; /* ms: the rows are written in decimals */
}

static const struct snapshot_function *row(const struct snapshot *s, const char *name)
{
	size_t i;

	for (i = 0; i < s->n_functions; i++)
		if (strcmp(s->functions[i].name, name) == 0)
			return &s->functions[i];
	return NULL;
}

static void test_fold(void **state)
{
	struct snapshot *s = made_snapshot(), *f;
	uint64_t before = 0, after = 0;
	size_t i;

	(void)state;
	made_tree(s);
	f = fold_libraries(s);
	for (i = 0; i < s->n_functions; i++)
		before += s->functions[i].self_ns;
	for (i = 0; i < f->n_functions; i++)
		after += f->functions[i].self_ns;
	assert_int_equal(before, after); /* no time is lost */
	assert_null(row(f, "ssl_read"));
	assert_non_null(row(f, "raw_decode"));
	assert_non_null(row(f, "[kernel]"));
	/* libz calls ssl calls the kernel calls libz: libz counts once. */
	assert_int_equal(about(row(f, "[lib] libz.so.1")->total_ns),
			 about(S(2.0 + 0.1 + 0.2 + 0.01 + 0.6)));
	assert_int_equal(f->nodes[0].total_ns, s->nodes[0].total_ns);
	for (i = 1; i < f->n_functions; i++)
		assert_true(f->functions[i - 1].self_ns >= f->functions[i].self_ns);
	snapshot_free(f);
	snapshot_free(s);
}

static void test_neighbours(void **state)
{
	struct snapshot *s = made_snapshot();
	struct neighbours n = { 0 };
	uint64_t sum = 0;
	size_t i;

	(void)state;
	made_tree(s);
	neighbours_find(&n, s, row(s, "parse_order")->function);
	assert_true(n.found);
	assert_false(n.recursive);
	assert_int_equal(n.callers.n, 1);
	assert_string_equal(s->functions[n.callers.v[0].row].name, "handle_request");
	assert_int_equal(n.callees.n, 2);
	assert_string_equal(s->functions[n.callees.v[0].row].name, "raw_decode");
	assert_int_equal(about(n.callees.v[0].ns), 18500);
	for (i = 0; i < n.callees.n; i++)
		sum += n.callees.v[i].ns;
	assert_int_equal(n.total_ns, n.self_ns + sum);

	/* libz stands on one stack twice: its outermost calls are its total. */
	neighbours_find(&n, s, row(s, "libz.so.1+0x1a20")->function);
	assert_true(n.recursive);
	assert_int_equal(about(n.total_ns), about(S(2.31 + 0.6)));
	neighbours_find(&n, s, 999999);
	assert_false(n.found);
	neighbours_done(&n);
	snapshot_free(s);
}

static size_t count(const struct branches *b, enum branch_kind kind)
{
	size_t i, n = 0;

	for (i = 0; i < b->lines.n; i++)
		n += b->lines.v[i].kind == kind;
	return n;
}

static void test_branches(void **state)
{
	struct snapshot *s = made_snapshot();
	struct children c = { 0 };
	struct branches b = { 0 };
	struct branch_marks marks = { 0 };
	struct filter filter = { 0 };
	struct branch_spec spec = { 0, false, &marks, &filter };
	char modules[80];
	size_t i;

	(void)state;
	made_tree(s);
	children_build(&c, s);
	branches_build(&b, s, &c, &spec);
	/* All 13 nodes, and own time of those that call. */
	assert_int_equal(count(&b, BRANCH_NODE), 13);
	assert_int_equal(count(&b, BRANCH_SELF), 6);
	assert_int_equal(b.lines.v[0].depth, 0);
	assert_string_equal(s->functions[s->nodes[b.lines.v[0].node].function].name,
			    "handle_request");

	/* Below libz: ssl, kernel, libz are one line of three. */
	spec.fold_libraries = true;
	branches_build(&b, s, &c, &spec);
	assert_int_equal(count(&b, BRANCH_HIDDEN), 1);
	for (i = 0; b.lines.v[i].kind != BRANCH_HIDDEN; i++)
		;
	assert_int_equal(b.lines.v[i].count, 3);
	branches_modules(s, &c, &b.lines.v[i], modules, sizeof(modules));
	assert_string_equal(modules, "libssl.so.3, [kernel], libz.so.1");

	/* What is small is a line that says how many. */
	spec.least_pct = 5;
	branches_build(&b, s, &c, &spec);
	assert_int_equal(count(&b, BRANCH_SMALL), 4);
	*VEC_PUSH(&marks.closed) = b.lines.v[0].path;
	branches_build(&b, s, &c, &spec);
	assert_int_equal(b.lines.n, 2); /* handle_request, closed; the small one */
	assert_true(b.lines.v[0].closed);
	VEC_CLEAR(&marks.closed);

	spec.least_pct = 0;
	filter_set(&filter, "raw_");
	branches_build(&b, s, &c, &spec);
	assert_int_equal(b.lines.n, 3); /* the way to it, and it */
	filter_done(&filter);
	VEC_DONE(&marks.closed);
	branches_done(&b);
	children_done(&c);
	snapshot_free(s);
}

static void test_baseline(void **state)
{
	struct snapshot *s = made_snapshot();
	struct children c = { 0 };
	struct baseline b = { 0 };

	(void)state;
	made_tree(s);
	assert_false(baseline_fits(&b, s));
	baseline_set(&b, s);
	assert_true(baseline_fits(&b, s));
	children_build(&c, s);
	assert_true(baseline_path(&b, c.path[3]).self_pct > 31.3);
	assert_true(baseline_function(&b, s->functions[0].id).self_pct > 31.3);
	assert_true(baseline_function(&b, 12345).self_pct == 0);
	s->by_line = true; /* rows of another kind */
	assert_false(baseline_fits(&b, s));
	baseline_clear(&b);
	children_done(&c);
	snapshot_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fold),
		cmocka_unit_test(test_neighbours),
		cmocka_unit_test(test_branches),
		cmocka_unit_test(test_baseline),
	};

	return cmocka_run_group_tests_name("shapes", tests, NULL, NULL);
}
