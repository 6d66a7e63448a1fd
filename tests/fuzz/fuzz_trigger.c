/* Any text as a condition of --when: a mistake stands inside of it, and what is taken can be
 * judged and is taken again as it was written. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "model/trigger.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct snapshot empty;
	char text[2 * TRIGGER_TEXT_MAX], value[48];
	struct trigger_mistake m = { .at = SIZE_MAX };
	struct trigger t, again;
	double v;

	if (size >= sizeof(text))
		size = sizeof(text) - 1;
	memcpy(text, data, size);
	text[size] = '\0';
	if (!trigger_parse(text, &t, &m)) {
		if (m.at > strlen(text) || !m.why[0])
			abort();
		return 0;
	}
	if (!(t.value >= 0) || strcmp(t.text, text) != 0 ||
	    !trigger_parse(t.text, &again, &m))
		abort();
	trigger_value(&t, &empty, &v);
	trigger_check(&t, &empty);
	trigger_figure_text(&t, t.value, value, sizeof(value));
	return 0;
}
