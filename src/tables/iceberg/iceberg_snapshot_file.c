// Files of a scan with row ids.
#include "tables/iceberg/iceberg_row_file.h"
#include "tables/iceberg/iceberg_snapshot_private.h"

#include <assert.h>

firn_status ice_row_file_add(const ice_walk *walk, const ice_entry *entry,
                             const type *const *sources, row_files *files, ice_task *task,
                             arena *memory, firn_error *err) {
    uint32_t ordinal;
    ice_task *whole = ARENA_NEW(memory, ice_task, 1);
    if (whole == NULL) {
        return ARENA_FULL(memory, err);
    }
    ice_row_file made = {.format = task->format,
                         .row_count = task->row_count,
                         .size = entry->size,
                         .sequence_number = entry->sequence_number,
                         .spec = walk->spec,
                         .is_covered = task->is_covered,
                         .whole = &whole->base};
    TRY(ice_entry_partition(walk, entry, sources, memory, &made.partition, err));
    TRY(row_files_add(files, task->path, task->row_count,
                      (bytes){.data = (const uint8_t *)&made, .size = sizeof made}, &ordinal, err));
    task->file_number = ordinal;
    *whole = *task;
    return FIRN_OK;
}

ice_row_file ice_row_file_at(row_files *files, uint32_t ordinal) {
    ice_row_file found;
    const bytes data = row_files_data(files, ordinal);
    assert(data.size == sizeof found);
    memcpy(&found, data.data, sizeof found);
    return found;
}
