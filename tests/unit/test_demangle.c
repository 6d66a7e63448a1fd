/* Names as they are shown. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "symbol/demangle.h"

static void check(const char *raw, const char *shown)
{
	char to[4096];
	size_t n = demangle(raw, to, sizeof(to));

	assert_string_equal(to, shown);
	assert_int_equal(n, strlen(shown));
}

static void test_plain(void **state)
{
	(void)state;
	check("main", "main");
	check("", "");
	check("_start", "_start");
	check("_Z", "_Z");
	check("runtime.main.func1", "runtime.main.func1");
	check("foo.cold", "foo.cold");
	check("foo.isra.0", "foo.isra.0");
	check("_ZNotMangled", "_ZNotMangled");
}

static void test_versions(void **state)
{
	(void)state;
	check("memcpy@@GLIBC_2.14", "memcpy");
	check("memcpy@GLIBC_2.2.5", "memcpy");
	check("_ZNSt6localeC1Ev@@GLIBCXX_3.4", "std::locale::locale");
	check("@x", "@x");
}

static void test_cxx(void **state)
{
	(void)state;
	check("_ZN3foo3barEi", "foo::bar");
	check("_ZNKSt6vectorIiSaIiEE4sizeEv",
	      "std::vector<int, std::allocator<int> >::size");
	check("_Z3sumIdET_PS0_", "sum<double>");
	check("_ZZ4mainENKUliE_clEi", "main::{lambda(int)#1}::operator()");
}

static void test_rust(void **state)
{
	(void)state;
	check("_ZN4core3fmt5write17h8a31b2a5ac83b4d0E", "core::fmt::write");
	check("_ZN71_$LT$Test$u20$$u2b$$u20$$u27$static$u20$as$u20$foo..Bar$LT$Test$GT$$"
	      "GT$3bar"
	      "17h930b740aa94f1d3aE",
	      "<Test + 'static as foo::Bar<Test>>::bar");
	check("_RNvCs15kBYyAo9fc_7mycrate7example", "mycrate::example");
	check("_RNvMsr_NtCs3ssYzQotkvD_3std4pathNtB5_7PathBuf3newCs15kBYyAo9fc_7mycrate",
	      "<std::path::PathBuf>::new");
}

static void test_clones(void **state)
{
	(void)state;
	check("_ZN3foo3barEi.cold", "foo::bar [clone .cold]");
	check("_ZN3foo3barEi.isra.0", "foo::bar [clone .isra.0]");
	check("_ZN3foo3barEi.constprop.0.cold", "foo::bar [clone .constprop.0.cold]");
	check("_ZN4core3fmt5write17h8a31b2a5ac83b4d0E.llvm.8127461", "core::fmt::write");
	check("_ZN3foo3barEi.part.3.llvm.99", "foo::bar [clone .part.3]");
	check("_ZN3foo3barEi.unheard.of", "foo::bar");
}

static void test_cleaned_and_cut(void **state)
{
	char to[8], one[1] = { 'x' };

	(void)state;
	check("evil\033[31m", "evil?[31m");
	assert_int_equal(demangle("_ZN3foo3barEi", to, sizeof(to)), 7);
	assert_string_equal(to, "foo::ba");
	assert_int_equal(demangle("main", one, sizeof(one)), 0);
	assert_int_equal(one[0], '\0');
}

/* Longer than 1 KB: shown as it is. */
static void test_long(void **state)
{
	char raw[3000], to[4096];
	size_t n = 0;

	(void)state;
	n = (size_t)snprintf(raw, sizeof(raw), "_ZN2000");
	memset(raw + n, 'a', 2000);
	snprintf(raw + n + 2000, sizeof(raw) - n - 2000, "Ev");
	assert_int_equal(demangle(raw, to, sizeof(to)), strlen(raw));
	assert_string_equal(to, raw);
}

static size_t substitution(char *to, size_t size, unsigned i)
{
	static const char digit[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

	if (i == 0)
		return (size_t)snprintf(to, size, "S_");
	i--;
	if (i < 36)
		return (size_t)snprintf(to, size, "S%c_", digit[i]);
	return (size_t)snprintf(to, size, "S%c%c_", digit[i / 36], digit[i % 36]);
}

/* Every parameter doubles the one before: 2^90 characters, were it written out. */
static void test_exponential(void **state)
{
	char raw[1024], to[65536];
	size_t n;
	unsigned k;

	(void)state;
	n = (size_t)snprintf(raw, sizeof(raw), "_Z1fI1AIiiE");
	for (k = 1; n < 980; k++) {
		n += (size_t)snprintf(raw + n, sizeof(raw) - n, "S_I");
		n += substitution(raw + n, sizeof(raw) - n, k);
		n += substitution(raw + n, sizeof(raw) - n, k);
		n += (size_t)snprintf(raw + n, sizeof(raw) - n, "E");
	}
	snprintf(raw + n, sizeof(raw) - n, "Evv");
	n = demangle(raw, to, sizeof(to));
	assert_in_range(n, 1000, 4096);
	assert_memory_equal(to, "f<A<int, int>", 13);
}

/* Nesting without end must not end the stack. */
static void test_nesting(void **state)
{
	char raw[1024], to[4096];

	(void)state;
	memset(raw, 'P', sizeof(raw));
	memcpy(raw, "_Z1fP", 5);
	raw[1000] = 'i';
	raw[1001] = '\0';
	assert_true(demangle(raw, to, sizeof(to)) > 0);
	memset(raw, 'I', sizeof(raw));
	memcpy(raw, "_RIIIII", 7);
	raw[1000] = '\0';
	assert_true(demangle(raw, to, sizeof(to)) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),	cmocka_unit_test(test_versions),
		cmocka_unit_test(test_cxx),	cmocka_unit_test(test_rust),
		cmocka_unit_test(test_clones),	cmocka_unit_test(test_cleaned_and_cut),
		cmocka_unit_test(test_long),	cmocka_unit_test(test_exponential),
		cmocka_unit_test(test_nesting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
