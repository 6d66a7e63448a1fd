/* The small part of latencies that every reader of a snapshot needs. */
#include "model/latency.h"

const char *latency_source_name(enum latency_source s)
{
	static const char *const names[LATENCY_SOURCES] = {
		[LATENCY_VISITS] = "visits", [LATENCY_WATCH] = "watch",
		[LATENCY_PROBE] = "probe",   [LATENCY_REQUESTS] = "requests",
		[LATENCY_LOOP] = "loop",     [LATENCY_WAIT] = "waits",
		[LATENCY_QUEUE] = "queue",
	};

	return s < LATENCY_SOURCES ? names[s] : "unknown";
}
