#include "exec/batch_slicer.h"

#include "exec/row_pace.h"

#define SAMPLE 4 // Elements of a list.

batch_slicer batch_slicer_open(const execution *run) {
    const uint64_t most = row_pace_open(run).most; // What a call may take, of whatever it makes.
    return (batch_slicer){.most = most > BATCH_BYTES ? most : BATCH_BYTES};
}

// About what a lane of a flat column takes as a row: of a list as much as if all its elements were
// like the first `sample` ones, each of whose lists is like its first element.
static uint64_t bytes_at(const column *flat, uint32_t lane, uint32_t sample) {
    const physical kind = type_physical(flat->type);
    if (flat->type->id == TYPE_NULL ||
        (flat->validity != NULL && !bitmap_get(flat->validity, lane))) {
        return 0;
    }
    if (kind == PHYSICAL_STRING) {
        return COLUMN_VALUES(flat, string_value)[lane].size;
    }
    if (kind != PHYSICAL_LIST && kind != PHYSICAL_STRUCT) {
        return physical_size(kind);
    }
    const list_value one = {.offset = lane, .size = 1};
    const list_value lanes = kind == PHYSICAL_LIST ? COLUMN_VALUES(flat, list_value)[lane] : one;
    const uint32_t looked_at = lanes.size < sample ? lanes.size : sample;
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < looked_at; i++) {
        for (uint32_t child = 0; child < flat->type->child_count; child++) {
            bytes += 1 + bytes_at(&flat->children[child], lanes.offset + i, 1);
        }
    }
    return looked_at == 0 ? 0 : bytes * lanes.size / looked_at;
}

static uint64_t longest_of(const column *values, uint32_t lanes) {
    uint64_t longest = 0;
    for (uint32_t i = 0; i < lanes; i++) {
        const uint64_t bytes = bytes_at(values, i, SAMPLE);
        longest = bytes > longest ? bytes : longest;
    }
    return longest;
}

// The longest value of a column whose values may be fewer than its rows; 0 of others.
static uint64_t longest_in(batch_slicer *self, const column *values) {
    if (!type_has_any_length(values->type) || values->form == FORM_FLAT) {
        return 0;
    }
    if (values->form != FORM_DICTIONARY) {
        return longest_of(values, values->form == FORM_CONSTANT ? 1 : values->run_count);
    }
    const dictionary *entries = values->dictionary;
    const size_t at = entries->identity % SLICER_DICTIONARIES;
    if (self->known[at].identity != entries->identity) {
        self->known[at].longest = longest_of(entries->values, entries->size);
        self->known[at].identity = entries->identity;
    }
    return self->known[at].longest;
}

static uint64_t bytes_of(const column *values, const batch *input) {
    const column *flat = values->form == FORM_DICTIONARY ? values->dictionary->values : values;
    uint64_t bytes = 0;
    for (uint32_t k = 0; k < input->selected_count; k++) {
        const uint32_t row = batch_row(input, k);
        bytes +=
            column_is_valid(values, row) ? bytes_at(flat, column_lane(values, row), SAMPLE) : 0;
    }
    return bytes;
}

uint32_t batch_slicer_rows(batch_slicer *self, const batch *input) {
    uint64_t bytes = 0; // At most.
    for (uint32_t i = 0; i < input->column_count; i++) {
        bytes += longest_in(self, &input->columns[i]) * input->selected_count;
    }
    if (bytes <= self->most) {
        return input->selected_count;
    }
    bytes = 0;
    for (uint32_t i = 0; i < input->column_count; i++) {
        const column *each = &input->columns[i];
        bytes += longest_in(self, each) > 0 ? bytes_of(each, input) : 0;
    }
    const uint64_t rows = self->most / (bytes / input->selected_count + 1);
    return rows >= input->selected_count ? input->selected_count : rows == 0 ? 1 : (uint32_t)rows;
}
