// firn_sql_tests: runs sqllogictest files on firn.h, each on a fresh engine in a process of its
// own, so that one that crashes or hangs takes no other with it. The last line is
//
//     N passed, N failed, N skipped
//
// usage: firn_sql_tests [options] FILE|FOLDER…
//     --jobs N             files at once (2)
//     --shard I/N          the I-th of N parts of the files, from 1
//     --filter TEXT        files whose path holds the text
//     --leave-out REGEX    not the records whose SQL matches, in any case
//     --timeout SECONDS    for one file (300)
//     -s KEY=VALUE         a setting of the engine
//     --complete           fill in the answers of queries, in place
//     -v                   a line for every record
//
// ${NAME} in a file is a variable of the environment; ${TMP} is an empty folder of the file's own.
// The modes in FIRN_TEST are what skipif and onlyif know besides "firn".
#include "slt_program.h"

int main(int argc, char **argv) {
    return slt_program_run(argc, argv, NULL);
}
