// Arbitrary bytes as an encoded plan.
//
// Oracle: what is taken is a plan that hangs together: it can be encoded, and the encoding is read
// back to the same bytes. It can be printed.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "functions/registry.h"
#include "memory/text_builder.h"
#include "plan/plan.h"

#define MEMORY_MAX ((size_t)64 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool condition) {
    if (!condition) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const struct function_lookup lookup = {.scalar = function_find, .aggregate = aggregate_find};
    arena memory = arena_open(MEMORY_MAX);
    firn_error err = ERR_INIT;
    plan decoded;
    if (plan_decode((bytes){.data = data, .size = size}, &lookup, &memory, &decoded, &err) ==
        FIRN_OK) {
        bytes first;
        bytes second;
        plan again;
        expect(plan_encode(&decoded, &memory, &first, &err) == FIRN_OK);
        expect(plan_decode(first, &lookup, &memory, &again, &err) == FIRN_OK);
        expect(plan_encode(&again, &memory, &second, &err) == FIRN_OK);
        expect(first.size == second.size && memcmp(first.data, second.data, first.size) == 0);
        text_builder printed = text_builder_open(&memory);
        text shown;
        plan_number(decoded.root);
        plan_print(&decoded, NULL, NULL, &printed);
        expect(text_builder_finish(&printed, &shown, &err) == FIRN_OK);
    }
    arena_close(&memory);
    return 0;
}
