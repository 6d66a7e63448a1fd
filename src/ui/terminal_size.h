/* How large the terminal of standard output is. */
#ifndef PTOP_UI_TERMINAL_SIZE_H
#define PTOP_UI_TERMINAL_SIZE_H

#include <stdbool.h>
#include <sys/ioctl.h>

/* As it claims, within what is ever drawn; 80x24 when it claims none. */
struct winsize terminal_size(void);
/* Into the environment, where curses looks for it first, or out of it. */
void terminal_size_tell(bool told);

#endif
