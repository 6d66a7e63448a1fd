/* Folded text of strangers through reader and writers. What was read must come back: the
 * counts of the folded text written from it add up to the samples, and so does the text
 * read again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "export/exporter.h"
#include "model/folded_in.h"

#define INPUT_MAX (1u << 16)
/* Exact arithmetic is promised for any count; this only keeps the sum from saturating. */
#define SAMPLES_MAX (UINT64_C(1) << 62)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In two pieces, parted behind some newline, it is the same. */
static void must_be_same(const uint8_t *data, size_t size, const struct snapshot *s)
{
	const uint8_t *half = memchr(data + size / 2, '\n', size - size / 2);
	size_t first = half ? (size_t)(half - data) + 1 : size;
	struct folded_counts counts;
	struct folded_reader *r = folded_open(0, &counts);
	uint8_t *copy = malloc(first);
	struct snapshot *pieces;

	if (!copy)
		abort();
	memcpy(copy, data, first);
	folded_add(r, (struct bytes){ copy, first });
	free(copy);
	folded_add(r, (struct bytes){ data + first, size - first });
	pieces = folded_close(r);
	if (pieces->samples != s->samples || pieces->n_nodes != s->n_nodes ||
	    pieces->n_functions != s->n_functions)
		abort();
	snapshot_free(pieces);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct export_options options = { .creator = "fuzz", .show_cmdline = true };
	struct text folded = { 0 }, other = { 0 };
	struct folded_counts counts, again_counts;
	struct snapshot *s, *again;

	if (size > INPUT_MAX)
		return 0;
	s = folded_read((struct bytes){ data, size }, 0, &counts);
	if (size)
		must_be_same(data, size, s);
	if (exporter_named("folded")->write(s, &options, &folded, NULL) != 0)
		abort();
	if (exporter_named("svg")->write(s, &options, &other, NULL) != 0)
		abort();
	json_top(s, &other);
	table_top(s, 40, 0, &other);
	again = folded_read((struct bytes){ (const unsigned char *)folded.p, folded.n },
			    0, &again_counts);
	if (s->samples <= SAMPLES_MAX && again->samples != s->samples)
		abort();
	if (again_counts.stacks != again_counts.lines)
		abort();
	snapshot_free(s);
	snapshot_free(again);
	text_done(&folded);
	text_done(&other);
	return 0;
}
