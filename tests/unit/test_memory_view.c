/* The memory view as text, at the sizes people have, and what its keys ask of the sampler. */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ui_made.h"

#define MB (1ull << 20)

/* Ten minutes, a megabyte every six seconds. */
static void add_series(struct snapshot *s)
{
	struct series series;
	uint64_t t;

	series_init(&series);
	for (t = 400; t < 1000; t++)
		series_add(&series, t * NS_PER_SEC, (double)((900 + (t - 400) / 6) * MB));
	s->memory.rss = series_look(&series, &s->arena, 400 * NS_PER_SEC,
				    1000 * NS_PER_SEC, true, MEMORY_CELLS);
	s->memory.anon = s->memory.rss;
}

static struct snapshot *picture(void)
{
	static struct memory_grower growers[] = {
		{ GROWER_CHUNKS, "60016 bytes (malloc 59993-60008)", "", 700 * MB, 12000,
		  25 * (int64_t)MB, 436, 60 * NS_PER_SEC },
		{ GROWER_OBJECTS, "Order", "", 3 * MB, 940, (int64_t)MB, 300,
		  60 * NS_PER_SEC },
		{ GROWER_FAULTS, "parse_order", "dispatch < main", 24 * MB, 6100,
		  24 * (int64_t)MB, 6100, 90 * NS_PER_SEC },
		{ GROWER_MAPPING, "[heap]", "", 880 * MB, 1, 25 * (int64_t)MB, 0,
		  600 * NS_PER_SEC },
	};
	struct snapshot *s = made_snapshot();
	struct snapshot_memory *m = &s->memory;

	s->window_ns = s->covered_ns = 600 * NS_PER_SEC;
	m->known = true;
	m->rss_bytes = m->peak_bytes = 1000 * MB;
	m->least_bytes = 900 * MB;
	m->anon_bytes = 990 * MB;
	m->file_bytes = 10 * MB;
	m->verdict = VERDICT_GROWING;
	m->slope =
	    (struct memory_slope){ true, MB / 6.0, MB / 7.0, MB / 5.0, 600 * NS_PER_SEC };
	m->limit = LIMIT_CGROUP;
	m->limit_name = "/a.slice/b.service";
	m->limit_bytes = 2048 * MB;
	m->headroom_bytes = 1048 * MB;
	m->limit_s = 6288;
	m->limit_soonest_s = 5240;
	m->limit_latest_s = 7336;
	m->minor_per_s = 312;
	m->pressure_some_pct = 1.25;
	m->pressure_of_group = true;
	m->available_bytes = 4096 * MB;
	m->growers = growers;
	m->n_growers = 4;
	m->heap_look = (struct memory_look){ .on = true,
					     .looks = 2,
					     .took_ns = 52000000,
					     .things = 13000,
					     .bytes = 720 * MB,
					     .torn = 3,
					     .problem = "" };
	m->objects_look = m->heap_look;
	m->faults_look = (struct memory_look){
		.on = true, .looks = 1, .things = 381, .bytes = 24 * MB, .problem = ""
	};
	add_series(s);
	return s;
}

static void has(struct made *m, const char *want)
{
	assert_true(made_shows(m, want));
}

static bool asked(struct made *m, enum command_kind kind, uint64_t value)
{
	struct command c = made_command(m);

	return c.kind == kind && c.value == value;
}

static void open_view(struct made *m, int width, int height)
{
	made_open(m, width, height, false);
	screen_take(&m->screen, picture());
	screen_key(&m->screen, '5');
}

static void whole_at_80x24(void **state)
{
	struct made m;

	(void)state;
	open_view(&m, 80, 24);
	has(&m, "LEAK? yes, 10m");
	has(&m, "RSS 0.98G  +10.0M/m");
	has(&m, "anon 990M  file 10.0M");
	has(&m, "left 1.02G of 2.00G  gone in 1h44m  (1h27m to 2h2m)");
	has(&m, "cgroup b.service");
	has(&m, "faults 312/s minor");
	has(&m, "pressure 1.2% of its group");
	has(&m, "TOUCHES NEW PAGES (pushes the high-water mar");
	has(&m, "parse_order  < dispatch < main");
	has(&m, "-10m");
	has(&m, "█");
	made_close(&m);
}

static void the_list_scrolls(void **state)
{
	struct made m;

	(void)state;
	open_view(&m, 80, 24);
	has(&m, "parse_order");
	made_keys(&m, "G");
	has(&m, "[heap]");
	has(&m, "60016 bytes (malloc 59993-60008)");
	has(&m, "13,000 chunks, 720M, in 52ms; 3 torn");
	made_close(&m);
}

static void what_counts_is_there_at_40x12(void **state)
{
	struct made m;

	(void)state;
	open_view(&m, 40, 12);
	has(&m, "RSS 0.98G");
	has(&m, "LEAK? yes");
	has(&m, "gone in 1h44m");
	has(&m, "parse_order");
	made_close(&m);
	open_view(&m, 160, 50);
	has(&m, "60016 bytes (malloc 59993-60008)");
	has(&m, "ADDRESS SPACE (touched or not)");
	has(&m, "limit of cgroup /a.slice/b.service");
	made_close(&m);
}

static void keys_ask_the_sampler(void **state)
{
	struct made m;

	(void)state;
	open_view(&m, 80, 24);
	while (made_command(&m).kind != UINT32_MAX) /* of the change of views */
		;
	made_keys(&m, "H");
	assert_true(asked(&m, COMMAND_CENSUS, 0));
	made_keys(&m, "FF");
	assert_true(asked(&m, COMMAND_FAULTS, 1));
	assert_true(asked(&m, COMMAND_FAULTS, 0));
	made_keys(&m, "eee"); /* PSS; USS, read already; RSS */
	assert_true(asked(&m, COMMAND_PSS, 1));
	assert_true(asked(&m, COMMAND_PSS, 0));
	assert_true(asked(&m, UINT32_MAX, 0));
	made_close(&m);
}

static void nothing_known_is_said(void **state)
{
	struct made m;

	(void)state;
	made_open(&m, 80, 24, false);
	screen_take(&m.screen, made_snapshot());
	screen_key(&m.screen, '5');
	has(&m, "nothing is known of its memory");
	made_close(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_at_80x24),
		cmocka_unit_test(the_list_scrolls),
		cmocka_unit_test(what_counts_is_there_at_40x12),
		cmocka_unit_test(keys_ask_the_sampler),
		cmocka_unit_test(nothing_known_is_said),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
