/* The tables for people: what `top -b` and `dump` print. Plain text, no colour, no
 * escape, the same in every locale. A width cuts long names at character borders; names
 * keep their head, places their tail (the line number). */
#include <string.h>

#include "base/ended.h"
#include "export/columns.h"
#include "export/exporter.h"
#include "export/figures.h"

#define FEW_SAMPLES 100u
/* " SELF% TOTAL%    SELF   TOTAL  " */
#define FIGURES_WIDTH 31u
#define NAME_MIN 12u
#define NAME_MAX 60u
#define DUMP_NAME_MAX 40u
/* Below this share of one core a CPU profile says little about why something is slow. */
#define LITTLE_CPU_PCT 2.0

static void put_right(struct text *out, const struct text *cell, size_t width)
{
	size_t i;

	for (i = cell->n; i < width; i++)
		text_char(out, ' ');
	text_add(out, cell->p, cell->n);
}

static void put_pct_cell(struct text *out, const struct snapshot *s, uint64_t ns)
{
	struct text cell = { 0 };

	if (s->samples < FEW_SAMPLES)
		text_char(&cell, '~');
	figure_fixed(&cell, snapshot_pct(s, ns), 1);
	put_right(out, &cell, 6);
	text_char(out, ' ');
	text_done(&cell);
}

static void put_time_cell(struct text *out, uint64_t ns)
{
	struct text cell = { 0 };

	figure_time(&cell, ns, "");
	put_right(out, &cell, 7);
	text_char(out, ' ');
	text_done(&cell);
}

/* Appends a finished line, cut to width. */
static void put_line(struct text *out, struct text *line, size_t width)
{
	while (line->n && line->p[line->n - 1] == ' ')
		line->p[--line->n] = '\0';
	columns_put(out, line->n ? line->p : "", width, false, false);
	text_char(out, '\n');
	text_clear(line);
}

static void put_who(const struct snapshot *s, struct text *line)
{
	char how[64];

	text_fmt(line, "ptop %d ", (int)s->pid);
	text_str(line, s->command);
	if (*s->runtime)
		text_fmt(line, " (%s)", s->runtime);
	text_fmt(line, "  %s  ", mode_name(s->mode));
	figure_date(line, s->wall_ns, 0);
	if (s->exited && s->end_note)
		text_fmt(line, "  %s", s->end_note);
	else if (s->exited || (s->recorded && s->exit_status != -1))
		text_fmt(line, "  %s", ended_text(s->exit_status, how, sizeof(how)));
	else if (s->stopped)
		text_str(line, "  stopped");
}

static void put_known_bytes(struct text *line, uint64_t bytes)
{
	if (bytes)
		figure_bytes(line, bytes);
	else
		text_char(line, '-');
}

static void put_target(const struct snapshot *s, struct text *line)
{
	text_str(line, "CPU ");
	figure_fixed(line, s->target_cpu_pct, 1);
	text_str(line, "% (user ");
	figure_fixed(line, s->target_user_pct, 1);
	text_str(line, " system ");
	figure_fixed(line, s->target_system_pct, 1);
	text_str(line, ")  RSS ");
	put_known_bytes(line, s->target_rss_bytes);
	text_str(line, "  threads ");
	if (!s->n_threads && !s->n_threads_all && !s->exited)
		text_char(line, '-'); /* one that lives has some: not known */
	else
		figure_count(line, s->n_threads_all > s->n_threads ? s->n_threads_all
								   : s->n_threads);
}

static void put_how(const struct snapshot *s, struct text *line)
{
	figure_fixed(line, s->rate_hz, 0);
	text_str(line, "Hz eff ");
	figure_fixed(line, s->effective_pct, 1);
	text_str(line, "%  n ");
	figure_count(line, s->samples);
	text_str(line, "  win ");
	figure_time(line, s->covered_ns, "");
	text_str(line, "  lost ");
	figure_fixed(line, s->lost_pct, 1);
	text_str(line, "%  ptop ");
	figure_fixed(line, s->own_cpu_pct, 1);
	text_str(line, "% ");
	put_known_bytes(line, s->own_rss_bytes);
	text_str(line, "  target +");
	figure_fixed(line, s->taken_pct, 1);
	text_char(line, '%');
}

/* Lines that stand only when there is something to say. */
static void put_notes(const struct snapshot *s, size_t width, struct text *out,
		      struct text *line)
{
	int i, lost = 0;

	for (i = 0; i < LOSS_COUNT; i++)
		lost |= s->lost[i] != 0;
	if (lost) {
		text_str(line, "lost or cut since start: ");
		figure_losses(line, s);
		put_line(out, line, width);
	}
	if (*s->limits) {
		text_fmt(line, "limits: %s", s->limits);
		put_line(out, line, width);
	}
	if (s->stopped && !s->exited) {
		text_fmt(line, "stopped (SIGSTOP): nothing runs until `kill -CONT %d`",
			 (int)s->pid);
		put_line(out, line, width);
	} else if (s->mode == MODE_CPU && !s->exited && s->covered_ns &&
		   s->effective_pct > 0 &&
		   100.0 * (double)s->weight_ns / (double)s->covered_ns <
		       LITTLE_CPU_PCT) {
		text_str(line,
			 "little CPU used: try -m wall, which shows what it waits for");
		put_line(out, line, width);
	}
}

static size_t name_width(const struct snapshot *s, size_t width, size_t rows)
{
	size_t longest = NAME_MIN, i;

	if (width > FIGURES_WIDTH + 2 * NAME_MIN)
		return (width - FIGURES_WIDTH) * 3 / 5;
	if (width)
		return width > FIGURES_WIDTH + NAME_MIN ? width - FIGURES_WIDTH
							: NAME_MIN;
	for (i = 0; i < rows; i++) {
		size_t cells = columns_of(s->functions[i].name);

		if (cells > longest && cells <= NAME_MAX)
			longest = cells;
	}
	return longest;
}

static void put_place(const struct snapshot_function *f, size_t max, struct text *line)
{
	struct text place = { 0 };

	if (*f->file) {
		text_str(&place, f->file);
		if (f->line > 0)
			text_fmt(&place, ":%d", f->line);
	} else {
		text_str(&place, f->module);
	}
	columns_put(line, place.n ? place.p : "", max, false, true);
	text_done(&place);
}

static void put_function(const struct snapshot *s, const struct snapshot_function *f,
			 size_t name_cells, size_t width, struct text *line)
{
	size_t used = FIGURES_WIDTH + name_cells + 1;

	put_pct_cell(line, s, f->self_ns);
	put_pct_cell(line, s, f->total_ns);
	put_time_cell(line, f->self_ns);
	put_time_cell(line, f->total_ns);
	text_char(line, ' ');
	if (width == 0 && columns_of(f->name) > name_cells)
		columns_put(line, f->name, 0, false, false);
	else
		columns_put(line, f->name, name_cells, true, false);
	if (width == 0 || used < width) {
		text_char(line, ' ');
		put_place(f, width ? width - used : 0, line);
	}
}

void table_top(const struct snapshot *s, size_t width, size_t rows, struct text *out)
{
	struct text line = { 0 };
	size_t name_cells, i;

	rows = rows && rows < s->n_functions ? rows : s->n_functions;
	name_cells = name_width(s, width, rows);
	put_who(s, &line);
	put_line(out, &line, width);
	put_target(s, &line);
	put_line(out, &line, width);
	put_how(s, &line);
	put_line(out, &line, width);
	put_notes(s, width, out, &line);
	text_str(out, "\n");
	text_str(&line, " SELF% TOTAL%    SELF   TOTAL  ");
	columns_put(&line, "FUNCTION", name_cells, true, false);
	text_str(&line, " FILE:LINE or MODULE");
	put_line(out, &line, width);
	for (i = 0; i < rows; i++) {
		put_function(s, &s->functions[i], name_cells, width, &line);
		put_line(out, &line, width);
	}
	if (s->n_functions == 0)
		text_str(out, "no samples in this window\n");
	text_done(&line);
}

static void put_frame(const struct dump_frame *f, size_t name_cells, struct text *line)
{
	text_str(line, "  ");
	if (columns_of(f->name) > name_cells)
		columns_put(line, f->name, 0, false, false);
	else
		columns_put(line, f->name, name_cells, true, false);
	if (strcmp(f->module, f->file) != 0) { /* of a script, the file is the module */
		text_str(line, "  ");
		columns_put(line, f->module, 0, false, false);
	}
	if (*f->file) {
		text_str(line, "  ");
		columns_put(line, f->file, 0, false, false);
		if (f->line > 0)
			text_fmt(line, ":%d", f->line);
	}
	if (f->inlined)
		text_str(line, "  (inlined)");
}

static void put_frames(const struct dump_frame *frames, size_t n, struct text *line,
		       struct text *out)
{
	size_t name_cells = 1, i, k;

	for (i = 0; i < n; i++) {
		size_t cells = columns_of(frames[i].name);

		if (cells > name_cells && cells <= DUMP_NAME_MAX)
			name_cells = cells;
	}
	for (i = 0; i < n; i++) {
		put_frame(&frames[i], name_cells, line);
		put_line(out, line, 0);
		for (k = 0; k < frames[i].n_locals; k++) {
			const struct dump_local *l = &frames[i].locals[k];

			text_fmt(line, "      %s%s = %s", l->argument ? "(arg) " : "",
				 l->name, l->value);
			put_line(out, line, 0);
		}
	}
}

static void put_tasks(const struct dump *d, struct text *line, struct text *out)
{
	size_t i;

	for (i = 0; i < d->n_tasks; i++) {
		const struct dump_task *t = &d->tasks[i];

		text_str(out, "\n");
		text_fmt(line, "Task \"%s\" %s", t->name, t->state);
		if (*t->awaits)
			text_fmt(line, ", awaits %s", t->awaits);
		put_line(out, line, 0);
		put_frames(t->frames, t->n_frames, line, out);
	}
	if (d->n_tasks == 0)
		text_fmt(out, "\nNo tasks%s%s\n", *d->tasks_note ? ": " : "",
			 d->tasks_note);
	else if (*d->tasks_note)
		text_fmt(out, "\nTasks: %s\n", d->tasks_note);
}

void table_dump(const struct dump *d, struct text *out)
{
	struct text line = { 0 };
	size_t i;

	for (i = 0; i < d->n_threads; i++) {
		const struct dump_thread *t = &d->threads[i];

		text_str(out, i ? "\n" : "");
		text_fmt(&line, "Thread %d ", (int)t->tid);
		if (t->pid != d->pid)
			text_fmt(&line, "(pid %d) ", (int)t->pid);
		text_fmt(&line, "\"%s\" %c", t->name, t->state ? t->state : '?');
		if (*t->note)
			text_fmt(&line, "  (%s)", t->note);
		put_line(out, &line, 0);
		put_frames(t->frames, t->n_frames, &line, out);
	}
	if (d->tasks_note)
		put_tasks(d, &line, out);
	if (d->locals_note)
		text_fmt(out, "\nNo variables: %s\n", d->locals_note);
	text_done(&line);
}
