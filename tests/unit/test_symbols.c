/* Names from every source, on a small library that is compiled, stripped and taken apart
 * here. nm and the unstripped original say what is right. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "symbol/symbols.h"
#include "symbol/table.h"
#include "tests/unit/made.h"

/* hidden() is local and comes between two exported ones, with a gap nobody may be blamed
 * for. */
static const char source[] =
    "int sink;\n"
    "__attribute__((noinline)) int first(int x) { sink += x; return x * 3 + sink; }\n"
    "static __attribute__((noinline)) int hidden(int x)\n"
    "{ for (int i = 0; i < x; i++) sink ^= i * x; return sink; }\n"
    "__attribute__((noinline)) int last(int x) { return first(x) + hidden(x + 1); }\n"
    "int last_too(int) __attribute__((alias(\"last\")));\n";
static const char other_source[] = "int something_else(int x) { return x + 42; }\n";

static struct made made;
static bool has_cc, has_binutils;

static int setup(void **state)
{
	(void)state;
	made_open(&made);
	made_write(&made, "lib.c", source, sizeof(source) - 1);
	made_write(&made, "other.c", other_source, sizeof(other_source) - 1);
	has_cc =
	    made_run(&made, "cc -O1 -fPIC -shared -Wl,--build-id -o lib.so lib.c && "
			    "cc -O1 -fPIC -shared -Wl,--build-id -o other.so other.c");
	has_binutils = made_run(&made, "nm -V && objcopy -V && strip -V");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	made_close(&made);
	return 0;
}

static void need_tools(void)
{
	if (has_cc && has_binutils)
		return;
	fprintf(stderr, "# SKIP: no cc, or no nm, objcopy and strip\n");
	skip();
}

static struct symbols *load(const char *file)
{
	char path[PATH_MAX];
	struct object o = made_object(&made, file, path);
	struct symbols *s = NULL;
	struct error err = { 0 };

	assert_int_equal(symbols_load(&o, &s, &err), 0);
	assert_non_null(s);
	return s;
}

/* `name` of lib.so must be found under `expected` (NULL: without a name) from its first
 * byte to its last. */
static void check(const struct symbols *s, const char *name, const char *expected)
{
	uint64_t vaddr, size, start;
	struct symbol y = { 0 };

	assert_true(made_symbol(&made, "lib.so", name, &vaddr, &size));
	start = made_offset(&made, "lib.so", vaddr);
	assert_true(symbols_find(s, start, &y));
	assert_true(symbols_find(s, start + size - 1, &y));
	assert_int_equal(y.start, start);
	assert_int_equal(y.size, size);
	assert_int_equal(y.vaddr, vaddr);
	if (expected)
		assert_string_equal(y.name ? y.name : "(none)", expected);
	else
		assert_null(y.name);
	if (symbols_find(s, start + size, &y))
		assert_int_not_equal(y.start, start);
}

static void test_symtab(void **state)
{
	struct symbols *s;
	struct symbol y;

	(void)state;
	need_tools();
	s = load("lib.so");
	assert_string_equal(symbols_source(s), ".symtab");
	check(s, "first", "first");
	check(s, "hidden", "hidden");
	check(s, "last", "last_too"); /* of two equal ones the longer */
	assert_true(symbols_count(s) >= 3);
	assert_true(symbols_bytes(s) > 0);
	assert_false(symbols_find(s, 0, &y)); /* the ELF header */
	assert_false(symbols_find(s, UINT64_MAX, &y));
	symbols_free(s);
}

/* Stripped: the exported ones keep their names, the local one must not get a neighbour's.
 */
static void test_dynsym(void **state)
{
	struct symbols *s;

	(void)state;
	need_tools();
	assert_true(made_run(&made, "strip -s -o bare.so lib.so"));
	s = load("bare.so");
	assert_string_equal(symbols_source(s), ".dynsym");
	check(s, "first", "first");
	check(s, "hidden", NULL);
	check(s, "last", "last_too");
	symbols_free(s);
}

/* Not even section headers, which the file can do without. */
static void test_no_sections(void **state)
{
	struct symbols *s;
	char path[PATH_MAX];
	FILE *f;

	(void)state;
	need_tools();
	assert_true(made_run(&made, "strip -s -o nosec.so lib.so"));
	snprintf(path, sizeof(path), "%s/nosec.so", made.dir);
	f = fopen(path, "r+b");
	assert_non_null(f);
	assert_int_equal(fseek(f, 0x28, SEEK_SET), 0); /* e_shoff */
	assert_int_equal(fwrite("\0\0\0\0\0\0\0\0", 1, 8, f), 8);
	assert_int_equal(fclose(f), 0);
	s = load("nosec.so");
	assert_string_equal(symbols_source(s), "none");
	check(s, "first", NULL);
	check(s, "hidden", NULL);
	symbols_free(s);
}

/* Hand-written code: labels inside a function, functions without a size, one whose size
 * only the unwind table knows, and a hole. Offsets are from `sized`. */
static void test_assembly(void **state)
{
	static const char assembly[] =
	    ".text\n.globl sized\n.type sized,@function\n"
	    "sized: .skip 4,0x90\nlabel: .skip 4,0x90\n"
	    ".size sized,.-sized\n.skip 8,0x90\n"
	    ".type bare,@function\nbare: .skip 8,0x90\n"
	    "framed: .cfi_startproc\n.skip 8,0x90\n.cfi_endproc\n"
	    ".skip 8,0x90\n"
	    ".cfi_startproc\n.skip 8,0x90\n.cfi_endproc\n"
	    "tail: .skip 8,0x90\n"
	    ".section .note.GNU-stack\n";
	static const struct {
		const char *name; /* "": a function without one */
		unsigned from, to;
	} want[] = {
		{ "sized", 0, 8 }, { "bare", 16, 24 }, { "framed", 24, 32 },
		{ "", 40, 48 },	   { "tail", 48, 56 }, { NULL, 8, 16 },
		{ NULL, 32, 40 },
	};
	uint64_t vaddr, size, base, at;
	struct symbols *s;
	size_t i;

	(void)state;
	need_tools();
	made_write(&made, "hand.s", assembly, sizeof(assembly) - 1);
	if (!made_run(&made, "test $(uname -m) = x86_64 && "
			     "cc -nostdlib -shared -o hand.so hand.s"))
		skip();
	assert_true(made_symbol(&made, "hand.so", "sized", &vaddr, &size));
	base = made_offset(&made, "hand.so", vaddr);
	s = load("hand.so");
	for (i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		for (at = base + want[i].from; at < base + want[i].to; at++) {
			struct symbol y = { 0 };
			bool found = symbols_find(s, at, &y);

			assert_int_equal(found, want[i].name != NULL);
			if (!found)
				continue;
			assert_string_equal(y.name ? y.name : "", want[i].name);
			assert_int_equal(y.start, base + want[i].from);
			assert_int_equal(y.size, want[i].to - want[i].from);
		}
	}
	symbols_free(s);
}

static void test_debuglink(void **state)
{
	struct symbols *s;

	(void)state;
	need_tools();
	assert_true(
	    made_run(&made, "mkdir -p .debug && "
			    "objcopy --only-keep-debug lib.so .debug/linked.debug && "
			    "strip -s -o linked.so lib.so && "
			    "objcopy --add-gnu-debuglink=.debug/linked.debug linked.so"));
	s = load("linked.so");
	assert_string_equal(symbols_source(s), "debug file");
	check(s, "hidden", "hidden");
	symbols_free(s);
	/* Another file under this name: its build id differs, so it is not believed. */
	assert_true(
	    made_run(&made, "objcopy --only-keep-debug other.so .debug/linked.debug"));
	s = load("linked.so");
	assert_string_equal(symbols_source(s), ".dynsym");
	check(s, "hidden", NULL);
	symbols_free(s);
}

/* Without build ids the link's checksum decides. */
static void test_debuglink_crc(void **state)
{
	struct symbols *s;

	(void)state;
	need_tools();
	assert_true(made_run(&made,
			     "mkdir -p .debug && "
			     "objcopy -R .note.gnu.build-id lib.so noid.so && "
			     "objcopy --only-keep-debug noid.so .debug/noid.debug && "
			     "strip -s noid.so && "
			     "objcopy --add-gnu-debuglink=.debug/noid.debug noid.so"));
	s = load("noid.so");
	assert_string_equal(symbols_source(s), "debug file");
	check(s, "hidden", "hidden");
	symbols_free(s);
	assert_true(made_run(&made, "printf x >>.debug/noid.debug"));
	s = load("noid.so");
	assert_string_equal(symbols_source(s), ".dynsym");
	symbols_free(s);
}

/* A link that leads back to the code itself must not hide the other sources. */
static void test_debuglink_to_itself(void **state)
{
	struct symbols *s;

	(void)state;
	need_tools();
	assert_true(made_run(&made,
			     "strip -s -o self.so lib.so && cp self.so t && "
			     "cp lib.so self2 && mkdir -p x && cp lib.so x/self.so && "
			     "objcopy --add-gnu-debuglink=x/self.so self.so"));
	s = load("self.so");
	assert_string_equal(symbols_source(s), ".dynsym");
	symbols_free(s);
}

static void test_gnu_debugdata(void **state)
{
	struct symbols *s;

	(void)state;
	need_tools();
	if (!made_run(&made, "xz -V")) {
		fprintf(stderr, "# SKIP: no xz\n");
		skip();
	}
	assert_true(made_run(&made,
			     "echo hidden >keep && "
			     "objcopy --only-keep-debug lib.so full && "
			     "objcopy -S --keep-symbols=keep full mini && xz -f mini && "
			     "strip -s -o packed.so lib.so && "
			     "objcopy --add-section .gnu_debugdata=mini.xz packed.so"));
	s = load("packed.so");
	assert_string_equal(symbols_source(s), ".gnu_debugdata");
	check(s, "hidden", "hidden");
	check(s, "first", "first"); /* from .dynsym */
	symbols_free(s);
	assert_true(made_run(&made,
			     "head -c 100 mini.xz >cut.xz && "
			     "strip -s -o cut.so lib.so && "
			     "objcopy --add-section .gnu_debugdata=cut.xz cut.so"));
	s = load("cut.so");
	assert_string_equal(symbols_source(s), ".dynsym");
	symbols_free(s);
}

/* In a container: the debug file is found by its build id in the target's root, through a
 * link that is absolute there. Needs chroot. */
static void test_build_id_in_root(void **state)
{
	char path[PATH_MAX];
	struct symbols *s;
	struct object o;
	pid_t child;

	(void)state;
	need_tools();
	if (geteuid() != 0) {
		fprintf(stderr, "# SKIP: chroot needs root\n");
		skip();
	}
	assert_true(made_run(&made,
			     "id=$(readelf -n lib.so | sed -n 's/.*Build ID: //p') && "
			     "rest=${id#??} && d=${id%%\"$rest\"} && "
			     "mkdir -p root/usr/lib/debug/.build-id/$d root/store && "
			     "strip -s -o root/code.so lib.so && "
			     "objcopy --only-keep-debug lib.so root/store/code.debug && "
			     "ln -sf /store/code.debug "
			     "root/usr/lib/debug/.build-id/$d/$rest.debug"));
	o = made_object(&made, "root/code.so", path);
	child = fork();
	if (child == 0) {
		char root[PATH_MAX];

		snprintf(root, sizeof(root), "%s/root", made.dir);
		if (chroot(root) == -1 || chdir("/") == -1)
			_exit(1);
		raise(SIGSTOP);
		_exit(0);
	}
	assert_true(child > 0);
	assert_int_equal(waitpid(child, NULL, WUNTRACED), child);
	o.pid = child;
	o.path = "/code.so";
	assert_int_equal(symbols_load(&o, &s, NULL), 0);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	assert_string_equal(symbols_source(s), "debug file");
	check(s, "hidden", "hidden");
	symbols_free(s);
}

static void test_go(void **state)
{
	static const char go[] =
	    "package main\n\n//go:noinline\n"
	    "func work(n int) int { if n < 2 { return n }; return "
	    "work(n-1) + work(n-2) }\n\nfunc main() { println(work(3)) }\n";
	static const char env[] = "env HOME=. GOCACHE=$PWD/cache GOFLAGS=-mod=mod "
				  "GO111MODULE=off CGO_ENABLED=0";
	uint64_t vaddr, size;
	struct symbols *s;
	struct symbol y;

	(void)state;
	need_tools();
	made_write(&made, "a.go", go, sizeof(go) - 1);
	if (!made_run(&made, "go version") ||
	    !made_run(
		&made,
		"%s go build -o go a.go && %s go build -ldflags='-s -w' -o gos a.go", env,
		env)) {
		fprintf(stderr, "# SKIP: no go\n");
		skip();
	}
	assert_true(made_symbol(&made, "go", "main.work", &vaddr, &size));
	s = load("go");
	assert_string_equal(symbols_source(s), ".symtab");
	assert_true(symbols_find(s, made_offset(&made, "go", vaddr), &y));
	assert_string_equal(y.name, "main.work");
	symbols_free(s);
	s = load("gos");
	assert_string_equal(symbols_source(s), ".gopclntab");
	assert_true(symbols_find(s, made_offset(&made, "gos", vaddr) + size - 1, &y));
	assert_non_null(y.name);
	assert_string_equal(y.name, "main.work");
	assert_int_equal(y.vaddr, vaddr);
	symbols_free(s);
}

static void refuse(const char *file, int exit_code)
{
	char path[PATH_MAX];
	struct object o = made_object(&made, file, path);
	struct error err = { 0 };
	struct symbols *s = NULL;

	assert_true(symbols_load(&o, &s, &err) < 0);
	assert_non_null(s);
	assert_int_equal(symbols_count(s), 0);
	assert_string_equal(symbols_source(s), "none");
	assert_string_not_equal(err.cause, "");
	assert_int_equal(err.exit, exit_code);
	symbols_free(s);
}

static void test_refused(void **state)
{
	static const char elf32[64] = "\177ELF\1\1\1";

	(void)state;
	made_write(&made, "text", "hello\n", 6);
	made_write(&made, "elf32", elf32, sizeof(elf32));
	refuse("not-there", EXIT_FAILED);
	refuse("text", EXIT_FAILED);
	refuse("elf32", EXIT_UNSUPPORTED);
}

static unsigned char *contents(const char *file, size_t *n)
{
	char path[PATH_MAX];
	unsigned char *p;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", made.dir, file);
	f = fopen(path, "rb");
	p = malloc(1u << 20);
	assert_non_null(f);
	assert_non_null(p);
	*n = fread(p, 1, 1u << 20, f);
	fclose(f);
	return p;
}

static void look(const char *file)
{
	char path[PATH_MAX];
	struct object o = made_object(&made, file, path);
	struct symbols *s;
	uint64_t at;

	symbols_load(&o, &s, NULL);
	for (at = 0; at < 0x8000; at += 64) {
		struct symbol y;

		if (!symbols_find(s, at, &y))
			continue;
		assert_true(y.start <= at && at - y.start < y.size);
		assert_true(!y.name || strlen(y.name) < NAME_BYTES_MAX);
	}
	symbols_free(s);
}

/* Broken files may lose names and nothing else. */
static void test_corrupt(void **state)
{
	unsigned seed = 1;
	unsigned char *p;
	size_t n, i;

	(void)state;
	need_tools();
	p = contents("lib.so", &n);
	for (i = 0; i < 64; i++) {
		made_write(&made, "broken.so", p, n * i / 64);
		look("broken.so");
	}
	for (i = 0; i < 400; i++) {
		unsigned char *copy = malloc(n);
		size_t k;

		assert_non_null(copy);
		memcpy(copy, p, n);
		for (k = 0; k < 8; k++) {
			/* The headers and the tables at the end are what counts. */
			size_t at = (size_t)rand_r(&seed) % 4096;

			copy[(k & 1) && at < n ? n - 1 - at : at % n] =
			    (unsigned char)rand_r(&seed);
		}
		made_write(&made, "broken.so", copy, n);
		look("broken.so");
		free(copy);
	}
	free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_symtab),
		cmocka_unit_test(test_dynsym),
		cmocka_unit_test(test_no_sections),
		cmocka_unit_test(test_assembly),
		cmocka_unit_test(test_debuglink),
		cmocka_unit_test(test_debuglink_crc),
		cmocka_unit_test(test_debuglink_to_itself),
		cmocka_unit_test(test_gnu_debugdata),
		cmocka_unit_test(test_build_id_in_root),
		cmocka_unit_test(test_go),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_corrupt),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
