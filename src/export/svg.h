/* The parts of the SVG exporter: layout (which boxes, where), style (colours) and the
 * script that travels in the file. svg.c puts them together. */
#ifndef PTOP_EXPORT_SVG_H
#define PTOP_EXPORT_SVG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "model/snapshot.h"

#define SVG_BOXES_MAX 10000u
#define SVG_WIDTH 1200u
#define SVG_MARGIN 10u
#define SVG_PLOT_WIDTH (SVG_WIDTH - 2 * SVG_MARGIN)

struct svg_box {
	uint32_t node, parent; /* indexes in snapshot.nodes; in boxes while laying out */
	uint32_t level;	       /* 0 is the root */
	uint64_t start_ns, total_ns; /* place and width, in weight */
};

struct svg_layout {
	struct svg_box *boxes; /* in a walk of the tree: callers before callees */
	size_t n;
	uint32_t levels;
	uint64_t total_ns;    /* the root's; 0: nothing was sampled */
	double least_px;      /* boxes narrower than this were left out */
	size_t left_out;      /* how many */
	uint64_t left_out_ns; /* weight of the stacks whose leaf end is not drawn */
};

/* Siblings stand in the order of their names. At most SVG_BOXES_MAX boxes. */
void svg_layout(struct svg_layout *l, const struct snapshot *s);
void svg_layout_done(struct svg_layout *l);

#define SVG_HUES 8u
#define SVG_SHADES 4u
#define SVG_COLOURS (CODE_KINDS * SVG_HUES * SVG_SHADES)

/* A colour's number: the family is the kind of code, the hue the module, the shade the
 * name, so the same function has the same colour in every file. */
unsigned svg_colour(const struct snapshot_function *f);
/* Its CSS class: "a27". */
void svg_colour_class(struct text *out, unsigned colour);
/* The style sheet with the rules of the colours used, light and dark. */
void svg_style(struct text *out, const bool used[SVG_COLOURS]);

extern const char svg_script[];

#endif
