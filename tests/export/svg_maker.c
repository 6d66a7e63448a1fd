/* Writes a profile to stdout in one of our formats, for tests that look at the result
 * with other programs: svg_maker [-f FORMAT] [-r HZ] sample|hostile|empty|FILE.folded
 * FORMAT is an exporter's name, or json, table, dump, dump-json. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "export/exporter.h"
#include "model/folded_in.h"
#include "sample.h"

#define FILE_MAX ((size_t)1 << 30)

static struct snapshot *picture(const char *of, double rate_hz)
{
	struct folded_counts counts;
	struct bytes in = { NULL, 0 };
	struct snapshot *s;

	if (strcmp(of, "sample") == 0)
		return sample_snapshot();
	if (strcmp(of, "hostile") == 0)
		return sample_hostile();
	if (strcmp(of, "empty") == 0)
		return sample_of("", rate_hz);
	if (file_read(of, FILE_MAX, &in, NULL) != 0)
		return NULL;
	s = folded_read(in, rate_hz, &counts);
	s->command = "folded file";
	free((void *)(uintptr_t)in.p);
	return s;
}

static int put(const char *format, const struct snapshot *s, struct text *out)
{
	const struct export_options options = { .creator = "ptop test",
						.show_cmdline = false };
	const struct exporter *e = exporter_named(format);
	struct error err = { 0 };
	struct dump d;

	sample_dump(&d);
	if (e)
		return e->write(s, &options, out, &err);
	if (strcmp(format, "json") == 0)
		json_top(s, out);
	else if (strcmp(format, "table") == 0)
		table_top(s, 80, 0, out);
	else if (strcmp(format, "dump") == 0)
		table_dump(&d, out);
	else if (strcmp(format, "dump-json") == 0)
		json_dump(&d, out);
	else
		return -1;
	return 0;
}

int main(int argc, char **argv)
{
	const char *format = "svg";
	struct text out = { 0 };
	struct snapshot *s;
	double rate_hz = 0;
	int c, ret = 2;

	while ((c = getopt(argc, argv, "f:r:")) != -1) {
		if (c == 'f')
			format = optarg;
		else if (c == 'r')
			rate_hz = strtod(optarg, NULL);
		else
			return 2;
	}
	s = optind + 1 == argc ? picture(argv[optind], rate_hz) : NULL;
	if (s && put(format, s, &out) == 0)
		ret = out.n && fwrite(out.p, 1, out.n, stdout) != out.n;
	snapshot_free(s);
	text_done(&out);
	return ret;
}
