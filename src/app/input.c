/* Everything becomes a recording, so merging and filtering are one thing; a single folded
 * file with nothing to filter goes straight to its picture, which is what makes large
 * ones fast. */
#include "app/input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "model/folded_in.h"
#include "recording/sessions.h"
#include "recording/sift.h"

#define LARGE ((size_t)2 << 20)
#define TEXT_LARGEST ((size_t)4 << 30)
#define PIECE ((size_t)256 << 10) /* of folded text: it stays in the processor's cache */

struct source {
	const struct options *o;
	VEC(struct recording *) list;
	struct snapshot *folded; /* the only source, unfiltered */
	bool alone;
	regex_t focus, ignore, hide;
	struct sift sift;
};

/* ---- bytes ---- */

/* Large pages for large files: otherwise a third of the time goes to page faults. */
static char *room(size_t bytes)
{
	char *p;

	if (bytes < LARGE)
		return malloc(bytes);
	p = aligned_alloc(LARGE, (bytes + LARGE - 1) / LARGE * LARGE);
	if (p)
		madvise(p, bytes, MADV_HUGEPAGE);
	return p;
}

/* At most so much of what comes, less only at the end. -1: errno. */
static ssize_t fill(int fd, unsigned char *to, size_t most)
{
	size_t n = 0;
	ssize_t got = 1;

	while (n < most && got) {
		got = read(fd, to + n, most - n);
		if (got == -1 && errno != EINTR)
			return -1;
		n += got > 0 ? (size_t)got : 0;
	}
	return (ssize_t)n;
}

/* All of it, of which `head` was read. Grows; a pipe tells no size. */
static int read_all(int fd, const char *name, struct bytes head, struct bytes *out,
		    struct error *err)
{
	struct stat st;
	size_t cap = head.n + (1 << 16), n = head.n;
	char *p;
	ssize_t got = 1;

	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (size_t)st.st_size >= cap &&
	    (size_t)st.st_size < TEXT_LARGEST)
		cap = (size_t)st.st_size + 1;
	p = room(cap);
	if (p)
		memcpy(p, head.p, head.n);
	while (p && got > 0) {
		if (n == cap) {
			char *more = cap < TEXT_LARGEST ? realloc(p, cap *= 2) : NULL;

			if (!more) {
				free(p);
				p = NULL;
				break;
			}
			p = more;
		}
		got = read(fd, p + n, cap - n);
		if (got == -1 && errno == EINTR)
			got = 1;
		else if (got > 0)
			n += (size_t)got;
	}
	if (!p)
		return error_set(err, EXIT_FAILED, "%s: larger than memory", name);
	if (got == -1) {
		free(p);
		return error_errno(err, name);
	}
	*out = (struct bytes){ (const unsigned char *)p, n };
	return 0;
}

/* Whole lines out of a buffer of PIECE + FOLDED_LINE_MAX bytes, of which n are filled. A line
 * that does not fit is too long: its beginning is told once, the rest is passed over. */
static int read_folded(int fd, unsigned char *buf, size_t n, struct folded_reader *to)
{
	bool skipping = false;
	ssize_t got = (ssize_t)n;

	while (got > 0) {
		const unsigned char *first = skipping ? memchr(buf, '\n', n) : buf;
		const unsigned char *last = memrchr(buf, '\n', n);
		size_t from = 0, whole = last ? (size_t)(last - buf) + 1 : 0;

		if (skipping) {
			from = first ? (size_t)(first - buf) + 1 : n;
			whole = first ? whole : n;
			skipping = !first;
		} else if (!last && n >= FOLDED_LINE_MAX + 1) {
			whole = n;
			skipping = true;
		}
		if (whole > from)
			folded_add(to, (struct bytes){ buf + from, whole - from });
		n -= whole;
		memmove(buf, buf + whole, n);
		got = fill(fd, buf + n, PIECE);
		n += got > 0 ? (size_t)got : 0;
	}
	if (n && !skipping && !got)
		folded_add(to, (struct bytes){ buf, n });
	return got < 0 ? -1 : 0;
}

static void warn(const char *name, uint64_t n, const char *what)
{
	if (n)
		fprintf(stderr, "ptop: %s: %llu %s\n", name, (unsigned long long)n, what);
}

static int take_folded(struct source *s, const char *name, int fd, unsigned char *buf,
		       size_t n, struct error *err)
{
	struct folded_counts c;
	struct folded_reader *r = folded_open(s->o->rate_given ? s->o->rate_hz : 0, &c);
	int failed = read_folded(fd, buf, n, r) ? errno : 0;
	struct snapshot *pic = folded_close(r);

	if (failed) {
		snapshot_free(pic);
		errno = failed;
		return error_errno(err, name);
	}
	if (c.stacks == 0) {
		snapshot_free(pic);
		error_set(err, EXIT_FAILED, "%s: no profile that ptop reads", name);
		error_hint(err,
			   "a recording (.ptop), folded stacks (main;work 42) or the "
			   "output of perf script");
		return -EINVAL;
	}
	warn(name, c.bad, "lines are no stacks with a count, and left out");
	warn(name, c.too_long, "lines are over 1 MiB, and left out");
	warn(name, c.too_many, "stacks are too many, and left out");
	warn(name, c.too_deep, "stacks are deeper than 4096, and cut");
	if (s->alone) {
		s->folded = pic;
		return 0;
	}
	*VEC_PUSH(&s->list) = recording_of_tree(pic);
	snapshot_free(pic);
	return 0;
}

/* A recording on standard input, or perf script: in one piece. */
static int take_whole(struct source *s, const char *name, int fd, struct bytes head,
		      struct error *err)
{
	struct recording *r = NULL;
	struct bytes in;
	uint64_t bad = 0;
	int ret = read_all(fd, name, head, &in, err);

	if (ret)
		return ret;
	if (recording_is(in)) {
		ret = recording_read(in, &r, err);
	} else {
		r = recording_of_perf(in, &bad);
		warn(name, bad, "lines of perf script were not understood");
	}
	if (r)
		*VEC_PUSH(&s->list) = r;
	free((void *)(uintptr_t)in.p);
	return ret;
}

static int take_text(struct source *s, const char *name, int fd, struct error *err)
{
	unsigned char *buf = xmalloc(PIECE + FOLDED_LINE_MAX);
	ssize_t n = fill(fd, buf, PIECE);
	struct bytes head = { buf, n > 0 ? (size_t)n : 0 };
	int ret;

	if (n == -1)
		ret = error_errno(err, name);
	else if (recording_is(head) || recording_is_perf(head))
		ret = take_whole(s, name, fd, head, err);
	else
		ret = take_folded(s, name, fd, buf, head.n, err);
	free(buf);
	return ret;
}

static int take_recording(struct source *s, const char *path, struct error *err)
{
	struct text missing = { 0 };
	struct recording *r;
	int ret = recording_open(path, &r, err);

	if (ret)
		return ret;
	*VEC_PUSH(&s->list) = r;
	recording_missing(r, &missing);
	if (missing.n && !s->o->quiet)
		fprintf(stderr, "ptop: %s: %s\n", path, missing.p);
	text_done(&missing);
	if (r->error[0] && !s->o->quiet)
		fprintf(stderr, "ptop: %s: recording failed: %s\n", path, r->error);
	warn(path, r->refused, "rows make no sense, and are left out");
	return 0;
}

static int take(struct source *s, const char *word, struct error *err)
{
	char path[4096];
	unsigned char head[16];
	int ret, fd;

	if (strcmp(word, "-") == 0)
		return take_text(s, "standard input", STDIN_FILENO, err);
	ret = sessions_path(word, path, sizeof(path), err);
	if (ret)
		return ret;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return error_errno(err, path);
	if (pread(fd, head, sizeof(head), 0) == (ssize_t)sizeof(head) &&
	    recording_is((struct bytes){ head, sizeof(head) })) {
		close(fd);
		return take_recording(s, path, err);
	}
	ret = take_text(s, path, fd, err);
	close(fd);
	return ret;
}

/* ---- filters ---- */

static int compile(const char *option, const char *text, regex_t *re, const regex_t **out,
		   struct error *err)
{
	char said[128];
	int code;

	if (!text)
		return 0;
	code = regcomp(re, text, REG_EXTENDED | REG_NOSUB);
	if (!code) {
		*out = re;
		return 0;
	}
	regerror(code, re, said, sizeof(said));
	error_set(err, EXIT_USAGE, "--%s: '%s': %s", option, text, said);
	error_hint(err, "an extended regular expression, as of grep -E");
	return -EINVAL;
}

static int prepare(struct source *s, struct error *err)
{
	const struct options *o = s->o;
	int ret = compile("focus", o->focus, &s->focus, &s->sift.focus, err);

	if (!ret)
		ret = compile("ignore", o->ignore, &s->ignore, &s->sift.ignore, err);
	if (!ret)
		ret = compile("hide", o->hide, &s->hide, &s->sift.hide, err);
	if (!ret && o->to_ns && o->to_ns <= o->from_ns) {
		ret = error_set(err, EXIT_USAGE, "--to is not after --from");
		error_hint(err, "both count from the start of the recording");
	}
	s->sift.threads = o->only_threads;
	s->sift.from_ns = o->from_ns;
	s->sift.to_ns = o->to_ns;
	s->sift.lines = o->lines;
	return ret;
}

static bool filters(const struct options *o)
{
	return o->focus || o->ignore || o->hide || o->only_threads || o->from_ns ||
	       o->to_ns || o->lines;
}

static void done(struct source *s)
{
	size_t i;

	for (i = 0; i < s->list.n; i++)
		recording_free(s->list.v[i]);
	VEC_DONE(&s->list);
	if (s->sift.focus)
		regfree(&s->focus);
	if (s->sift.ignore)
		regfree(&s->ignore);
	if (s->sift.hide)
		regfree(&s->hide);
}

static struct snapshot *picture(struct source *s, unsigned wants)
{
	struct picture_query q = { .merged = true, .idle_shown = s->o->idle };
	struct recording *all;
	struct snapshot *pic;

	if (s->folded) {
		pic = s->folded;
		pic->command = "folded stacks";
		return pic;
	}
	if (s->list.n == 1 && !filters(s->o))
		return recording_picture(s->list.v[0], &q, wants, false);
	all = recording_sift(s->list.v, s->list.n, &s->sift);
	pic = recording_picture(all, &q, wants, false);
	recording_free(all);
	return pic;
}

/* Counts of samples and times do not add up, unless somebody says what a sample is. */
static int same_units(const struct source *s, struct error *err)
{
	size_t i;

	for (i = 1; i < s->list.n && !s->o->rate_given; i++)
		if (s->list.v[i]->counted != s->list.v[0]->counted) {
			error_set(
			    err, EXIT_USAGE,
			    "text has counts, recordings have times: they do not add up");
			error_hint(err,
				   "say with -r how many of its samples are a second");
			return -EINVAL;
		}
	return 0;
}

int profile_read(const struct options *o, char *const *words, unsigned wants,
		 struct snapshot **out, struct error *err)
{
	struct source s = { .o = o, .alone = words[0] && !words[1] && !filters(o) };
	int ret = prepare(&s, err);
	size_t i;

	*out = NULL;
	for (i = 0; !ret && words[i]; i++)
		ret = take(&s, words[i], err);
	if (!ret)
		ret = same_units(&s, err);
	if (!ret)
		*out = picture(&s, wants);
	done(&s);
	return ret;
}

int profile_recording(const struct options *o, char *const *words, struct recording **out,
		      struct error *err)
{
	struct source s = { .o = o };
	int ret = prepare(&s, err);
	size_t i;

	*out = NULL;
	for (i = 0; !ret && words[i]; i++)
		ret = take(&s, words[i], err);
	if (!ret && s.list.v[0]->counted) {
		ret = error_set(err, EXIT_UNSUPPORTED,
				"text has no times: no recording can be made of it");
		error_hint(err, "choose another format with -f");
	}
	if (!ret)
		*out = recording_sift(s.list.v, s.list.n, &s.sift);
	done(&s);
	return ret;
}
