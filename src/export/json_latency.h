/* Members "latency", "slow" and "diagnosis" of a picture's JSON, a comma before each. */
#ifndef PTOP_EXPORT_JSON_LATENCY_H
#define PTOP_EXPORT_JSON_LATENCY_H

#include "base/text.h"
#include "model/snapshot.h"

void json_latency(const struct snapshot *s, struct text *out);
void json_diagnosis(const struct snapshot *s, struct text *out);

#endif
