/* Folded text of strangers through reader and writers. What was read must come back: the
 * counts of the folded text written from it add up to the samples, and so does the text
 * read again. */
#include <stdint.h>
#include <stdlib.h>

#include "export/exporter.h"
#include "model/folded_in.h"

#define INPUT_MAX (1u << 16)
/* Exact arithmetic is promised for any count; this only keeps the sum from saturating. */
#define SAMPLES_MAX (UINT64_C(1) << 62)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct export_options options = { .creator = "fuzz", .show_cmdline = true };
	struct text folded = { 0 }, other = { 0 };
	struct folded_counts counts, again_counts;
	struct snapshot *s, *again;

	if (size > INPUT_MAX)
		return 0;
	s = folded_read((struct bytes){ data, size }, 0, &counts);
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
