/* Recordings of strangers: what the reader takes must give pictures whose sums hold, and
 * must come through merging and a second writing. The rest of its input is perf script
 * text, which goes the same way. */
#include <stdint.h>
#include <stdlib.h>

#include "export/exporter.h"
#include "recording/reader.h"
#include "recording/sift.h"

#define INPUT_MAX (1u << 18)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int holds)
{
	if (!holds)
		abort();
}

static void look(struct recording *r)
{
	const struct export_options o = { .creator = "fuzz" };
	struct picture_query q = { .merged = true };
	struct snapshot *s = recording_picture(r, &q, WANT_TREE | WANT_RUNS, false);
	struct text out = { 0 };
	uint64_t self = 0;
	size_t i;

	for (i = 0; i < s->n_functions; i++) {
		self += s->functions[i].self_ns;
		must(s->functions[i].total_ns <= s->weight_ns);
	}
	must(self <= s->weight_ns);
	for (i = 0; i < s->n_runs; i++)
		must(s->runs[i].node < s->n_nodes);
	for (i = 0; exporters[i]; i++)
		exporters[i]->write(s, &o, &out, NULL);
	text_done(&out);
	snapshot_free(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = { data, size };
	struct recording *r = NULL, *again;
	const struct sift how = { .lines = true };
	uint64_t bad;

	if (size > INPUT_MAX)
		return 0;
	if (recording_is(in))
		recording_read(in, &r, NULL);
	else
		r = recording_of_perf(in, &bad);
	if (!r)
		return 0;
	look(r);
	again = recording_sift(&r, 1, &how);
	look(again);
	recording_free(again);
	recording_free(r);
	return 0;
}
