/* A main for fuzz targets where there is no libFuzzer: gives the target every file of its
 * corpus, whole, cut short and with bytes changed, always the same ones, and prints a TAP
 * line for each file. The bytes end at an unmapped page, and a target that hangs is ended
 * by an alarm.
 *
 *	tests/fuzz/fuzz_maps [FOLDER|FILE]...
 *
 * Without arguments the corpus is $top_srcdir/tests/fuzz/corpus/maps. */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "base/vec.h"
#include "tests/guarded.h"

#define FILE_MAX (1u << 20)
#define CUTS 64u
#define CHANGES 256u
#define SECONDS_PER_FILE 60u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* xorshift64 (Marsaglia 2003): the changes must not depend on the C library. */
static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void try_one(const unsigned char *p, size_t n)
{
	struct guarded g = guarded_new(p, n);

	LLVMFuzzerTestOneInput(g.bytes.p, g.bytes.n);
	guarded_free(&g);
}

static void try_cuts(const unsigned char *p, size_t n)
{
	size_t step = n / CUTS + 1, at;

	for (at = 0; at < n; at += step)
		try_one(p, at);
}

/* One to four bytes at a time; the values are those that upset parsers, or any. */
static void try_changes(unsigned char *p, size_t n)
{
	static const unsigned char upsetting[] = {
		0, 1, 0x7f, 0x80, 0xff, '\n', ' ', '-'
	};
	uint64_t state = 0x9e3779b97f4a7c15ull ^ n;
	struct {
		size_t at;
		unsigned char old;
	} undo[4];
	unsigned i, k;

	for (i = 0; n > 0 && i < CHANGES; i++) {
		unsigned changed = 1 + (unsigned)(next_random(&state) % 4);

		for (k = 0; k < changed; k++) {
			uint64_t r = next_random(&state);

			undo[k].at = (size_t)(next_random(&state) % n);
			undo[k].old = p[undo[k].at];
			p[undo[k].at] = r & 1 ? (unsigned char)(r >> 8)
					      : upsetting[(r >> 8) % sizeof(upsetting)];
		}
		try_one(p, n);
		while (k-- > 0)
			p[undo[k].at] = undo[k].old;
	}
}

/* "" or why the file could not be tried. */
static const char *try_file(const char *path)
{
	struct bytes b;
	unsigned char *p;
	int ret = file_read(path, FILE_MAX, &b, NULL);

	if (ret)
		return strerror(-ret);
	p = xmalloc(b.n);
	memcpy(p, b.p, b.n);
	alarm(SECONDS_PER_FILE);
	try_one(p, b.n);
	try_cuts(p, b.n);
	try_changes(p, b.n);
	alarm(0);
	free(p);
	free((void *)(uintptr_t)b.p);
	return "";
}

struct paths {
	VEC(char *) list;
};

static void add_folder(struct paths *paths, const char *folder)
{
	struct dirent **entries;
	int i, n = scandir(folder, &entries, NULL, alphasort);

	for (i = 0; i < n; i++) {
		struct text path = { 0 };

		text_fmt(&path, "%s/%s", folder, entries[i]->d_name);
		if (entries[i]->d_name[0] != '.')
			*VEC_PUSH(&paths->list) = path.p;
		else
			text_done(&path);
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
}

static void add(struct paths *paths, const char *path)
{
	struct stat st;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		add_folder(paths, path);
	else
		*VEC_PUSH(&paths->list) = xstrdup(path);
}

/* The corpus that belongs to this program's name. */
static void add_own_corpus(struct paths *paths, const char *program)
{
	const char *top = getenv("top_srcdir"), *name = strstr(program, "fuzz_");
	const char *last = strrchr(program, '/');
	struct text folder = { 0 };

	if (last)
		name = strstr(last, "fuzz_");
	text_fmt(&folder, "%s/tests/fuzz/corpus/%s", top ? top : ".",
		 name ? name + strlen("fuzz_") : program);
	add(paths, folder.p);
	text_done(&folder);
}

int main(int argc, char **argv)
{
	struct paths paths = { 0 };
	size_t i;
	int ret = 0, k;

	for (k = 1; k < argc; k++)
		add(&paths, argv[k]);
	if (argc == 1)
		add_own_corpus(&paths, argv[0]);
	if (paths.list.n == 0) {
		printf("1..1\nnot ok 1 - %s has no corpus\n", argv[0]);
		return 1;
	}
	printf("1..%zu\n", paths.list.n);
	for (i = 0; i < paths.list.n; i++) {
		const char *why = try_file(paths.list.v[i]);
		const char *name = strrchr(paths.list.v[i], '/');

		printf("%s %zu - %s%s%s\n", *why ? "not ok" : "ok", i + 1,
		       name ? name + 1 : paths.list.v[i], *why ? ": " : "", why);
		fflush(stdout);
		ret |= *why != '\0';
		free(paths.list.v[i]);
	}
	VEC_DONE(&paths.list);
	return ret;
}
