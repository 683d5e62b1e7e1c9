// include/firn_next.h compiles alone, its INIT macros set up structs that begin with their size,
// and it leaves what firn.h declares as it is. As C++ it is compiled by tools/check_headers.py.
#include "firn_next.h"

#include <stddef.h>

#include "base/test.h"

#define BEGINS_WITH_SIZE(type, init)                                                               \
    do {                                                                                           \
        type made_ = init;                                                                         \
        CHECK(offsetof(type, size) == 0);                                                          \
        CHECK(made_.size == sizeof made_);                                                         \
    } while (0)

TEST(next_header_structs_begin_with_their_size) {
    BEGINS_WITH_SIZE(firn_objects_filter, FIRN_OBJECTS_FILTER_INIT);
    BEGINS_WITH_SIZE(firn_window, FIRN_WINDOW_INIT);
    BEGINS_WITH_SIZE(firn_aggregate_call, FIRN_AGGREGATE_CALL_INIT);
    BEGINS_WITH_SIZE(firn_column_facts, FIRN_COLUMN_FACTS_INIT);
    BEGINS_WITH_SIZE(firn_table_provider, FIRN_TABLE_PROVIDER_INIT);
    BEGINS_WITH_SIZE(firn_scalar_function, FIRN_SCALAR_FUNCTION_INIT);
    BEGINS_WITH_SIZE(firn_aggregate_function, FIRN_AGGREGATE_FUNCTION_INIT);
    BEGINS_WITH_SIZE(firn_verb, FIRN_VERB_INIT);
    CHECK(offsetof(firn_scan_request, size) == 0);
    CHECK(offsetof(firn_table_scan, size) == 0);
    CHECK(offsetof(firn_function_bind, size) == 0);
    CHECK(offsetof(firn_function_call, size) == 0);
    CHECK(offsetof(firn_fragment, size) == 0);
    // What they are not told about begins as "unknown", not as 0.
    const firn_column_facts facts = FIRN_COLUMN_FACTS_INIT;
    CHECK(facts.null_count == -1 && facts.distinct_count == -1 && facts.lower == NULL);
    const firn_verb verb = FIRN_VERB_INIT;
    CHECK(verb.limit == -1);
}
