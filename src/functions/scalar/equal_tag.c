// equal_tag: what tells equal values apart that are not the same, for unnesting
// (optimize/unnest_tags.c). Not told to users.
//
// The tag of a value: of each -0.0 in it, and of each interval, where it stands among the values
// of such types, and the interval's parts. So most floats have an empty one.
#include <math.h>

#include "base/half.h"
#include "functions/scalar/row_values.h"
#include "memory/text_builder.h"

typedef struct tagging {
    text_builder tag;
    uint64_t place; // Of the next float or interval in the row's value.
    cancel_watch watch;
} tagging;

static void add_tag(tagging *self, text parts) {
    text_append(&self->tag, (text){.data = (const char *)&self->place, .size = sizeof self->place});
    text_append(&self->tag, parts);
}

static void tag_float(tagging *self, double value) {
    if (value == 0 && signbit(value)) {
        add_tag(self, TEXT(""));
    }
    self->place++;
}

static void tag_row(tagging *self, const column *of, uint32_t row);

static void tag_list(tagging *self, const column *of, list_value slice) {
    for (uint32_t i = 0; i < slice.size && !cancel_watch_is_raised(&self->watch, 1); i++) {
        for (uint32_t child = 0; child < of->type->child_count; child++) {
            tag_row(self, &of->children[child], slice.offset + i);
        }
    }
}

static void tag_row(tagging *self, const column *of, uint32_t row) {
    if (type_equal_is_same(of->type) || !column_row_is_valid(of, row)) {
        return;
    }
    const uint32_t lane = row & column_mask(of);
    switch ((int)type_physical(of->type)) {
    case PHYSICAL_F16:
        tag_float(self, (double)half_to_float(COLUMN_VALUES(of, uint16_t)[lane]));
        break;
    case PHYSICAL_F32:
        tag_float(self, (double)COLUMN_VALUES(of, float)[lane]);
        break;
    case PHYSICAL_F64:
        tag_float(self, COLUMN_VALUES(of, double)[lane]);
        break;
    case PHYSICAL_INTERVAL:
        add_tag(self, (text){.data = (const char *)&COLUMN_VALUES(of, interval_value)[lane],
                             .size = sizeof(interval_value)});
        self->place++;
        break;
    case PHYSICAL_LIST:
        tag_list(self, of, COLUMN_VALUES(of, list_value)[lane]);
        break;
    case PHYSICAL_STRUCT:
        for (uint32_t child = 0; child < of->type->child_count; child++) {
            tag_row(self, &of->children[child], lane);
        }
        break;
    default:
        break;
    }
}

static uint32_t equal_tag(function_call *call, const column *const *args, column *out) {
    tagging state = {.tag = text_builder_open(call->scratch),
                     .watch = {.cancel = function_cancel(call)}};
    text_sink sink = text_sink_of(call);
    FOR_ROWS(call, row) {
        state.tag.size = 0;
        state.place = 0;
        tag_row(&state, args[0], row);
        const text made = {.data = state.tag.data, .size = state.tag.size};
        if (state.tag.is_full || !text_sink_put(&sink, out, row, made)) {
            return KERNEL_NO_MEMORY;
        }
    }
    return call->count;
}

const scalar_function function_equal_tag = {
    .name = "equal_tag",
    .category = "other",
    .summary = "bytes that differ for equal values that are not the same",
    .examples =
        (const char *const[]){
            "equal_tag(1.5::DOUBLE) = equal_tag(0.0::REAL)",
            "true",
            "equal_tag(0.0::DOUBLE) = equal_tag(-0.0::DOUBLE)",
            "false",
            "equal_tag(-0.0::REAL) = equal_tag(-0.0::DOUBLE)",
            "true",
            "equal_tag(INTERVAL '1 mon') = equal_tag(INTERVAL '30 days')",
            "false",
            "equal_tag(INTERVAL '1 mon') = equal_tag(INTERVAL '1 mon')",
            "true",
            "equal_tag([0.0::DOUBLE, -0.0]) = equal_tag([-0.0::DOUBLE, 0.0])",
            "false",
            "equal_tag({'b': [NULL, -0.0::REAL]}) = equal_tag({'b': [NULL, -0.0::REAL]})",
            "true",
            "equal_tag(MAP {1: INTERVAL '1 day'}) = equal_tag(MAP {1: INTERVAL '24:00'})",
            "false",
            "equal_tag('a') = equal_tag(1)",
            "true",
            "equal_tag(NULL)",
            "NULL",
            NULL},
    .flags = FUNCTION_NULL_STRICT | FUNCTION_INTERNAL,
    .overloads = (const overload[]){{.signature = "BINARY <- ANY", .kernel = equal_tag}, {0}},
};
