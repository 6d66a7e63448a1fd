/* pprof's profile.proto, gzipped: `go tool pprof`, Pyroscope, Parca. One location a
 * function, values "samples/count" and "cpu/nanoseconds" (or wall), a label with the
 * thread where runs are known.
 *
 * The encoding is protobuf's: a field is its number << 3 | type, then a varint (type 0) or
 * a length and bytes (type 2). Numbers of fields as in
 * https://github.com/google/pprof/blob/main/proto/profile.proto */
#include <errno.h>
#include <string.h>
#include <zlib.h>

#include "base/intern.h"
#include "export/edges.h"
#include "export/exporter.h"
#include "export/figures.h"

enum profile_field {
	PROFILE_SAMPLE_TYPE = 1,
	PROFILE_SAMPLE,
	PROFILE_MAPPING,
	PROFILE_LOCATION,
	PROFILE_FUNCTION,
	PROFILE_STRING_TABLE,
	PROFILE_TIME_NANOS = 9,
	PROFILE_DURATION_NANOS,
	PROFILE_PERIOD_TYPE,
	PROFILE_PERIOD,
	PROFILE_COMMENT,
	PROFILE_DEFAULT_SAMPLE_TYPE,
};

struct pprof {
	const struct snapshot *s;
	struct text out, message, packed;
	struct intern strings; /* number 0 is "" */
};

/* What one sample of the file stands for. */
struct weighed {
	uint32_t thread, node;
	uint64_t weight_ns, samples;
};

static void varint(struct text *t, uint64_t v)
{
	for (; v > 0x7f; v >>= 7)
		text_char(t, (char)(v | 0x80));
	text_char(t, (char)v);
}

static void field_int(struct text *t, unsigned field, uint64_t v)
{
	if (!v)
		return; /* 0 is what a missing field is */
	varint(t, field << 3);
	varint(t, v);
}

static void field_bytes(struct text *t, unsigned field, const struct text *bytes)
{
	varint(t, field << 3 | 2);
	varint(t, bytes->n);
	text_add(t, bytes->p ? bytes->p : "", bytes->n);
}

static uint32_t string_id(struct pprof *p, const char *s)
{
	struct text clean = { 0 };
	uint32_t id;

	text_clean(&clean, s, strlen(s));
	id = intern_add(&p->strings, clean.p ? clean.p : "");
	text_done(&clean);
	return id;
}

static void put_type(struct pprof *p, unsigned field, const char *type, const char *unit)
{
	text_clear(&p->message);
	field_int(&p->message, 1, string_id(p, type));
	field_int(&p->message, 2, string_id(p, unit));
	field_bytes(&p->out, field, &p->message);
}

static void put_label(struct pprof *p, const char *key, const char *value,
		      uint64_t number)
{
	struct text label = { 0 };

	field_int(&label, 1, string_id(p, key));
	if (value)
		field_int(&label, 2, string_id(p, value));
	else
		field_int(&label, 3, number);
	field_bytes(&p->message, 3, &label);
	text_done(&label);
}

static void put_sample(struct pprof *p, const struct weighed *w)
{
	const struct snapshot *s = p->s;
	uint32_t node = w->node;

	text_clear(&p->message);
	text_clear(&p->packed);
	for (; node; node = s->nodes[node].parent)
		varint(&p->packed, (uint64_t)s->nodes[node].function + 1);
	field_bytes(&p->message, 1, &p->packed);
	text_clear(&p->packed);
	varint(&p->packed, w->samples);
	if (!figure_plain_counts(s))
		varint(&p->packed, w->weight_ns);
	field_bytes(&p->message, 2, &p->packed);
	if (w->thread < s->n_threads) {
		put_label(p, "thread", s->threads[w->thread].name, 0);
		put_label(p, "tid", NULL, (uint64_t)s->threads[w->thread].tid);
	}
	field_bytes(&p->out, PROFILE_SAMPLE, &p->message);
}

static int by_thread_and_node(const void *a, const void *b)
{
	const struct weighed *x = a, *y = b;

	if (x->thread != y->thread)
		return x->thread < y->thread ? -1 : 1;
	return x->node < y->node ? -1 : x->node > y->node;
}

static void put_runs(struct pprof *p)
{
	const struct snapshot *s = p->s;
	struct weighed *list = xcalloc(s->n_runs, sizeof(*list));
	size_t i, n = 0;

	for (i = 0; i < s->n_runs; i++)
		list[i] = (struct weighed){ s->runs[i].thread, s->runs[i].node,
					    s->runs[i].weight_ns, s->runs[i].samples };
	qsort(list, s->n_runs, sizeof(*list), by_thread_and_node);
	for (i = 1; i < s->n_runs; i++) {
		if (by_thread_and_node(&list[n], &list[i]) == 0) {
			list[n].weight_ns += list[i].weight_ns;
			list[n].samples += list[i].samples;
		} else {
			list[++n] = list[i];
		}
	}
	for (i = 0; i <= n; i++)
		if (list[i].node)
			put_sample(p, &list[i]);
	free(list);
}

static void put_nodes(struct pprof *p)
{
	const struct snapshot *s = p->s;
	size_t i;

	for (i = 1; i < s->n_nodes; i++) {
		uint64_t w = s->nodes[i].self_ns;
		struct weighed sample = { UINT32_MAX, (uint32_t)i, w, samples_of(s, w) };

		if (w)
			put_sample(p, &sample);
	}
}

static void put_functions(struct pprof *p)
{
	struct text line = { 0 };
	size_t i;

	for (i = 0; i < p->s->n_functions; i++) {
		const struct snapshot_function *f = &p->s->functions[i];

		text_clear(&line);
		field_int(&line, 1, i + 1);
		field_int(&line, 2, f->line > 0 ? (uint64_t)f->line : 0);
		text_clear(&p->message);
		field_int(&p->message, 1, i + 1);
		field_int(&p->message, 2, 1); /* the mapping */
		field_int(&p->message, 3, i + 1);
		field_bytes(&p->message, 4, &line);
		field_bytes(&p->out, PROFILE_LOCATION, &p->message);
		text_clear(&p->message);
		field_int(&p->message, 1, i + 1);
		field_int(&p->message, 2, string_id(p, f->name));
		field_int(&p->message, 3, string_id(p, f->name));
		field_int(&p->message, 4, string_id(p, *f->file ? f->file : f->module));
		field_bytes(&p->out, PROFILE_FUNCTION, &p->message);
	}
	text_done(&line);
}

/* Tools show its name as that of the program. */
static void put_mapping(struct pprof *p)
{
	unsigned has;

	text_clear(&p->message);
	field_int(&p->message, 1, 1);
	field_int(&p->message, 2, 1);
	field_int(&p->message, 3, p->s->n_functions + 2);
	field_int(&p->message, 5, string_id(p, p->s->command));
	for (has = 7; has <= 9; has++) /* functions, file names, line numbers */
		field_int(&p->message, has, 1);
	field_bytes(&p->out, PROFILE_MAPPING, &p->message);
}

static void put_strings(struct pprof *p)
{
	struct text s = { 0 };
	size_t i;

	for (i = 0; i < p->strings.strings.n; i++) {
		text_clear(&s);
		text_str(&s, intern_get(&p->strings, (uint32_t)i));
		field_bytes(&p->out, PROFILE_STRING_TABLE, &s);
	}
	text_done(&s);
}

static int compress_to(struct text *out, const struct text *in, struct error *err)
{
	z_stream z = { 0 };
	unsigned char buf[16384];
	int ret;

	if (deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK ||
	    in->n > UINT32_MAX) {
		error_set(err, EXIT_FAILED, "the profile is too large for pprof");
		return -E2BIG;
	}
	z.next_in = (unsigned char *)in->p;
	z.avail_in = (unsigned)in->n;
	do {
		z.next_out = buf;
		z.avail_out = sizeof(buf);
		ret = deflate(&z, Z_FINISH);
		text_add(out, (const char *)buf, sizeof(buf) - z.avail_out);
	} while (ret == Z_OK);
	deflateEnd(&z);
	return ret == Z_STREAM_END ? 0 : error_set(err, EXIT_FAILED, "zlib failed");
}

static void put_all(struct pprof *p, const struct export_options *o)
{
	const struct snapshot *s = p->s;
	bool plain = figure_plain_counts(s);

	put_type(p, PROFILE_SAMPLE_TYPE, "samples", "count");
	if (!plain)
		put_type(p, PROFILE_SAMPLE_TYPE, mode_name(s->mode), "nanoseconds");
	put_mapping(p);
	if (s->n_runs)
		put_runs(p);
	else
		put_nodes(p);
	put_functions(p);
	field_int(&p->out, PROFILE_TIME_NANOS,
		  s->wall_ns > s->covered_ns ? s->wall_ns - s->covered_ns : 0);
	field_int(&p->out, PROFILE_DURATION_NANOS, s->covered_ns);
	if (!plain && s->rate_hz > 0) {
		put_type(p, PROFILE_PERIOD_TYPE, mode_name(s->mode), "nanoseconds");
		field_int(&p->out, PROFILE_PERIOD, (uint64_t)(1e9 / s->rate_hz));
	}
	field_int(&p->out, PROFILE_COMMENT,
		  string_id(p, o->show_cmdline ? s->cmdline : s->command));
	field_int(&p->out, PROFILE_DEFAULT_SAMPLE_TYPE,
		  string_id(p, plain ? "samples" : mode_name(s->mode)));
	put_strings(p);
}

static int pprof_write(const struct snapshot *s, const struct export_options *o,
		       struct text *out, struct error *err)
{
	struct pprof p = { .s = s };
	int ret;

	intern_init(&p.strings);
	intern_add(&p.strings, "");
	put_all(&p, o);
	ret = compress_to(out, &p.out, err);
	intern_done(&p.strings);
	text_done(&p.out);
	text_done(&p.message);
	text_done(&p.packed);
	return ret;
}

const struct exporter pprof_exporter = {
	.name = "pprof",
	.help = "go tool pprof, Pyroscope, Parca",
	.suffix = ".pb.gz",
	.wants_tree = true,
	.wants_runs = true,
	.binary = true,
	.write = pprof_write,
};
