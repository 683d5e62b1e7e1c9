#include "tables/catalog.h"

firn_status catalog_say_other_kind(text name, bool is_view, const char *word, firn_error *err) {
    const firn_status status =
        FAIL_SQL(err, FIRN_INVALID, "42809", NO_POSITION, "\"%.*s\" is a %s, not a %s",
                 TEXT_ARGS(name), is_view ? "table" : "view", is_view ? "view" : "table");
    if (word != NULL) {
        err_hint(err, "write %s %s", word, is_view ? "TABLE" : "VIEW");
    }
    return status;
}
