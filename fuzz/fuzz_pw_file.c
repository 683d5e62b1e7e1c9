// Arbitrary bytes as decisions: which columns a file has, in which forms its batches come, how it
// is written (pw_sample.h). Where the bytes end, random numbers go on.
//
// Oracle: the reader gets back what was written, value by value.
#include "written_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    scene s;
    scene_open(&s);
    pw_source from = {.steer = {.data = data, .size = size}, .seed = size};
    dictionary *shared[PW_SAMPLE_COLUMNS_MAX] = {NULL};
    s.options = pw_sample_options(&from);
    const schema columns = pw_sample_schema(&s.memory, &from);
    pw_must(pw_schema_make(&columns, &s.memory, &s.schema, &s.err) == FIRN_OK);
    s.batch_count = pw_pick(&from, BATCHES_MAX + 1);
    for (uint32_t i = 0; i < s.batch_count; i++) {
        const uint32_t rows = pw_pick(&from, 100);
        s.batches[i] = pw_sample_batch(&s.memory, &columns, rows, shared, &from);
    }
    write_file(&s);
    read_file(&s);
    scene_close(&s);
    return 0;
}
