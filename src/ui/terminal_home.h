/* curses looks for descriptions of terminals in $HOME/.terminfo first, and waits there for a file
 * server that is dead. */
#ifndef PTOP_UI_TERMINAL_HOME_H
#define PTOP_UI_TERMINAL_HOME_H

/* Where that folder does not answer, takes HOME out of the environment and returns it, else NULL. */
char *terminal_home_hide(void);
/* Puts it back, and frees it. NULL is allowed. */
void terminal_home_show(char *home);

#endif
