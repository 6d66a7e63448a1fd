/* Colours. A family of hues says what kind of code a box is, the place in the family
 * which module it belongs to, the lightness separates neighbours. Text is black or white
 * by the luminance of its box. Everything is computed from names, nothing is drawn by
 * lot: two files of one program can be laid side by side. */
#include "export/svg.h"

#include <math.h>
#include <string.h>

#include "base/hash.h"

/* Degrees on the colour circle, saturation in per cent. */
static const struct {
	char letter;
	int first, last, saturation;
} families[CODE_KINDS] = {
	[CODE_APP] = { 'a', 6, 38, 88 },       [CODE_LIBRARY] = { 'l', 172, 212, 52 },
	[CODE_KERNEL] = { 'k', 252, 292, 50 }, [CODE_JIT] = { 'j', 84, 138, 50 },
	[CODE_MARK] = { 'm', 210, 230, 8 },    [CODE_PYTHON] = { 'p', 44, 56, 86 },
};

/* The luminance at which black and white text are equally readable on a box (WCAG 2:
 * contrast (L1 + 0.05) / (L2 + 0.05) to either is the same at 0.179). */
#define EVEN_LUMINANCE 0.179

struct rgb {
	double v[3]; /* 0..1 */
};

static struct rgb from_hsl(double hue, double saturation, double lightness)
{
	double chroma = (1 - fabs(2 * lightness - 1)) * saturation;
	struct rgb c;
	int i;

	for (i = 0; i < 3; i++) { /* each channel is a trapezoid over the circle */
		double h = fmod(hue / 60 + (i == 0 ? 0 : i == 1 ? 4 : 2), 6);
		double up = fabs(h - 3) - 1;

		up = up < 0 ? 0 : up > 1 ? 1 : up;
		c.v[i] = lightness + chroma * (up - 0.5);
	}
	return c;
}

/* Relative luminance; squares stand in for sRGB's exponent 2.4 and its linear foot. */
static double luminance(const struct rgb *c)
{
	return 0.2126 * c->v[0] * c->v[0] + 0.7152 * c->v[1] * c->v[1] +
	       0.0722 * c->v[2] * c->v[2];
}

unsigned svg_colour(const struct snapshot_function *f)
{
	const char *module = *f->module ? f->module : *f->file ? f->file : f->name;
	unsigned kind = f->kind < CODE_KINDS ? f->kind : CODE_APP;
	unsigned hue = (unsigned)(hash_bytes(module, strlen(module)) % SVG_HUES);
	unsigned shade = (unsigned)(hash_bytes(f->name, strlen(f->name)) % SVG_SHADES);

	return (kind * SVG_HUES + hue) * SVG_SHADES + shade;
}

void svg_colour_class(struct text *out, unsigned colour)
{
	text_char(out, families[colour / SVG_SHADES / SVG_HUES].letter);
	text_char(out, (char)('0' + colour / SVG_SHADES % SVG_HUES));
	text_char(out, (char)('0' + colour % SVG_SHADES));
}

static void put_rule(struct text *out, unsigned colour, bool dark)
{
	unsigned kind = colour / SVG_SHADES / SVG_HUES;
	double hue = colour / SVG_SHADES % SVG_HUES, shade = colour % SVG_SHADES;
	int first = families[kind].first, last = families[kind].last, i;
	double saturation = families[kind].saturation / 100.0;
	struct rgb c;

	hue = first + (last - first) * hue / (SVG_HUES - 1);
	c = dark ? from_hsl(hue, saturation * 0.72, 0.26 + 0.03 * shade)
		 : from_hsl(hue, saturation, 0.66 + 0.04 * shade);
	text_char(out, '.');
	svg_colour_class(out, colour);
	text_str(out, "{fill:#");
	for (i = 0; i < 3; i++)
		text_fmt(out, "%02x", (unsigned)(c.v[i] * 255 + 0.5));
	text_str(out, luminance(&c) > EVEN_LUMINANCE ? ";color:#111}" : ";color:#fff}");
}

static void put_rules(struct text *out, const bool used[SVG_COLOURS], bool dark)
{
	unsigned i;

	for (i = 0; i < SVG_COLOURS; i++)
		if (used[i])
			put_rule(out, i, dark);
}

/* The root `svg` colour is what text outside boxes has. */
static const char shared_rules[] =
    "text{font:12px ui-monospace,Menlo,Consolas,\"DejaVu Sans Mono\",monospace;"
    "fill:currentColor}\n"
    "#head text,#foot text{font-family:system-ui,Verdana,\"DejaVu Sans\",sans-serif}\n"
    "#head .big{font-size:16px;font-weight:bold}\n"
    "#frames text{pointer-events:none}\n"
    "#frames>g{cursor:pointer;outline:none}\n"
    "#frames>g:hover>rect,#frames>g:focus>rect{stroke:currentColor;stroke-width:1.5}\n"
    "#frames>g:focus>rect{stroke-width:2.5}\n"
    "#frames>.up{opacity:.6}\n"
    ".button{cursor:pointer;outline:none}\n"
    ".button:hover rect,.button:focus rect{stroke-width:2}\n"
    ".off{display:none}\n"
    "svg{color:#222;background:#fdfcf9}.dim{color:#666}.paper{fill:#fdfcf9}"
    ".button rect{fill:#fff;stroke:#999}\n";
static const char dark_rules[] =
    "svg{color:#e6e6e6;background:#16181c}.dim{color:#a0a4ab}.paper{fill:#16181c}"
    ".button rect{fill:#24272d;stroke:#777}\n";
/* Last, and stronger than the classes of colours. */
static const char hit_rule[] = "\n#frames>g.hit{fill:#e600e6;color:#111}\n";

void svg_style(struct text *out, const bool used[SVG_COLOURS])
{
	text_str(out, shared_rules);
	put_rules(out, used, false);
	text_str(out, "\n@media (prefers-color-scheme:dark){");
	text_str(out, dark_rules);
	put_rules(out, used, true);
	text_str(out, "}");
	text_str(out, hit_rule);
}
