/* Lists the processes for the picker. */
#ifndef PTOP_APP_PROCESSES_H
#define PTOP_APP_PROCESSES_H

#include "model/processes.h"

struct process_lister;

struct process_lister *process_lister_new(void);
void process_lister_free(struct process_lister *l);
/* All that are not kernel threads, ptop itself left out. What does not change is read once
 * a process. */
struct processes *process_lister_list(struct process_lister *l);
void processes_free(struct processes *p);

#endif
