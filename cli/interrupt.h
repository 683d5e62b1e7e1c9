// Ctrl-C: stops the running statement, not the program.
//
// SIGINT is blocked everywhere and taken by a thread of its own with sigwait, because cancelling a
// session is not something a signal handler may do. A second Ctrl-C before the first was answered
// ends the program at once.
#ifndef FIRN_CLI_INTERRUPT_H
#define FIRN_CLI_INTERRUPT_H

#include <stdbool.h>

#include "firn.h"

enum { CLI_EXIT_INTERRUPTED = 130 };

/// Starts to listen. False if the system refuses; SIGINT then ends the program as usual.
bool cli_interrupt_start(void);

/// Which session to cancel; NULL before it is closed.
void cli_interrupt_watch(firn_session *session);

/// Whether Ctrl-C came since the last clear.
bool cli_interrupted(void);
void cli_interrupt_clear(void);

/// Waits until the descriptor can be read; false if Ctrl-C comes first.
bool cli_interrupt_wait(int descriptor);

#endif
