/* Live windows are read from the page of the address upwards, since walks go up; when
 * that much is not there (the end of a stack), one page is tried, then the eight bytes
 * alone. */
#include "unwind/stack.h"

#define PAGE_BYTES 4096u
#define LINE_BYTES 64u

void stack_init(struct stack *s, struct bytes copy, uint64_t base, const struct mem *live,
		unsigned char *window)
{
	s->copy = copy;
	s->base = base;
	s->words_end = copy.n >= 8 ? copy.n - 7 : 0;
	s->live = live;
	s->window = window;
	s->window_at = 0;
	s->window_bytes = s->live_bytes = 0;
	s->used_live = s->cut = false;
	s->asked = 0;
	stack_ahead(s, base);
}

void stack_ask(struct stack *s, uint64_t at)
{
	uint64_t line = at > s->asked ? at & ~(uint64_t)(LINE_BYTES - 1) : s->asked;
	uint64_t end = line + STACK_AHEAD_BYTES;

	for (; line < end && line < s->copy.n; line += LINE_BYTES)
		__builtin_prefetch(s->copy.p + line);
	s->asked = line < s->copy.n ? line : UINT64_MAX;
}

static bool fetch(struct stack *s, uint64_t address, size_t n)
{
	if (!s->live->read(s->live, address, s->window, n))
		return false;
	s->window_at = address;
	s->window_bytes = n;
	s->live_bytes += n;
	s->used_live = true;
	return true;
}

static bool in_window(const struct stack *s, uint64_t address)
{
	uint64_t at = address - s->window_at;

	return s->window_bytes >= 8 && at <= s->window_bytes - 8;
}

bool stack_far_u64(struct stack *s, uint64_t address, uint64_t *v)
{
	uint64_t page = address & ~(uint64_t)(PAGE_BYTES - 1);

	if (!s->live) {
		s->cut |= address - s->base < STACK_LIVE_MAX;
		return false;
	}
	if (address > UINT64_MAX - STACK_WINDOW_BYTES)
		return false;
	if (!in_window(s, address)) {
		s->window_bytes = 0;
		if (s->live_bytes >= STACK_LIVE_MAX) {
			s->cut = true;
			return false;
		}
		if (!fetch(s, page, STACK_WINDOW_BYTES))
			fetch(s, page, PAGE_BYTES);
		if (!in_window(s, address) && !fetch(s, address, 8))
			return false;
	}
	memcpy(v, s->window + (address - s->window_at), sizeof(*v));
	return true;
}
