// Runs statements that write again and again while the first, second, third … call of a kind to the
// system fails. Each time an engine of its own reads back what there is then:
//
//   done              all is as the statement makes it
//   commit unknown    as it makes it, or as it was
//   any other error   as it was, and the error says what failed
//
// and, but of a commit that is unknown, there are as many files as there are without faults. What
// is held is as before (fault_held.h), the session goes on, and where all is as it was, the same
// statement works.
#ifndef FIRN_TESTS_FAULTS_WRITE_SWEEP_H
#define FIRN_TESTS_FAULTS_WRITE_SWEEP_H

#include <stdbool.h>

typedef enum write_catalog { WRITE_SQLITE, WRITE_FOLDERS, WRITE_REST } write_catalog;

#define WRITE_CATALOG(name) (1U << WRITE_##name)

/// Words in braces stand for something else in all statements: {mark} and {side} for the
/// snapshots of those names, {when} for a time between them, {out} for a folder that is not the
/// catalog's.
typedef struct write_scenario {
    const char *name;
    /// Statements with semicolons between them, which take effect together. They may ask for the
    /// table t (x BIGINT, p VARCHAR), the tag "mark", behind which it was changed, the branch
    /// "side", which is a snapshot ahead of it, and for an empty schema called "empty".
    const char *sql;
    /// Statements that are run before, or NULL. Nothing fails in them.
    const char *before;
    /// A file of 1970 below the warehouse, or NULL.
    const char *orphan;
    /// Statements without which what it does cannot be read, or NULL.
    const char *probe;
    /// Where the statement may also end with an error, if it does one thing after the other.
    const char *also[2];
    /// Catalogs that do not have it.
    unsigned not_in;
    /// It takes rows away: on tables that are copy-on-write and merge-on-read.
    bool has_modes;
    /// It removes files behind its commit, which stay if that fails: what the error says then, or
    /// NULL. Folders of tables say nothing: what stays has a name that no list shows.
    const char *may_stay;
    /// It changes nothing that a commit writes: no kind of call must occur.
    bool is_small;
} write_scenario;

/// The rows of a table; one without name ends it. FIRN_FAULTS=all: every n; =few: some of each
/// kind; else more.
void write_sweep(write_catalog catalog, const write_scenario *scenarios);

#endif
