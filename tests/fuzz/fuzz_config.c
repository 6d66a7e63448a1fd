/* The file of settings: whatever it says, settings stay within their limits, and the warning
 * can be printed. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "app/config.h"
#include "base/clock.h"
#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ui_settings s = { .delay_ns = NS_PER_SEC, .window_ns = 60 * NS_PER_SEC };
	char warning[200];
	size_t i, n;

	config_parse((const char *)data, size, &s, warning, sizeof(warning));
	if (s.delay_ns < NS_PER_SEC / 10 || s.delay_ns > 60 * NS_PER_SEC)
		abort();
	if (s.window_ns && s.window_ns < NS_PER_SEC)
		abort();
	if ((unsigned)s.scheme >= SCHEMES)
		abort();
	for (i = 0; warning[i]; i += n) {
		n = clean_char(warning + i, strlen(warning + i));
		if (!n)
			abort();
	}
	return 0;
}
