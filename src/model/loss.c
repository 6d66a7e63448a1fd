/* Names and explanations, one row a reason. */
#include "model/loss.h"

static const struct {
	const char *name, *help;
} rows[LOSS_COUNT] = {
	[LOSS_RING_FULL] = { "ring_full", "dropped by the kernel, ptop got no CPU in "
					  "time: lower --rate" },
	[LOSS_BAD_RECORD] = { "bad_record", "event records that do not parse" },
	[LOSS_STACK_TRUNCATED] = { "stack_truncated", "stacks deeper than the copy; "
						      "their root end is missing" },
	[LOSS_STACK_BROKEN] = { "stack_broken", "stacks whose unwinding stopped before "
						"the outermost frame" },
	[LOSS_STACK_RACED] = { "stack_raced",
			       "blocked threads that woke while their stack was read" },
	[LOSS_STACK_REJECTED] = { "stack_rejected",
				  "interpreter stacks that moved while they were read" },
	[LOSS_MERGE] = { "merge", "samples whose Python frames did not fit into the "
				  "native stack: shown as [python?]" },
	[LOSS_READ_FAILED] = { "read_failed", "target memory that could not be read" },
	[LOSS_LATE] = { "late", "looks skipped because ptop was behind: lower --rate" },
	[LOSS_HISTORY_FULL] = { "history_full",
				"samples dropped from the window for want of memory" },
	[LOSS_NAMES] = { "names", "files whose symbol names could not be loaded" },
	[LOSS_FUNCTIONS] = { "functions",
			     "names beyond the first 200,000, shown as one row" },
	[LOSS_RECORDING] = { "recording", "runs that the disk was too slow to record" },
	[LOSS_THREADS] = { "threads", "threads that could not be attached" },
};

const char *loss_name(enum loss l)
{
	return l < LOSS_COUNT ? rows[l].name : "unknown";
}

const char *loss_help(enum loss l)
{
	return l < LOSS_COUNT ? rows[l].help : "";
}
