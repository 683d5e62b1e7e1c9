// Compiled plans that pick some parts out of values of one schema and pass over the rest.
//
// A plan is made once per schema and runs over any number of values. The parts are named by paths
// of field ids, so a manifest of any version is read by the same lines, and a part that the schema
// lacks is null:
//
//     static const int32_t path[] = {2, 103};                    // data_file.record_count
//     const avro_slot slots[] = {{.path = path, .path_length = 2, .want = AVRO_WANT_NUMBER}};
//     TRY(avro_plan_compile(memory, walk.schema, slots, 1, 0, &plan, err));
//     ...
//     avro_value values[1];
//     TRY(avro_plan_read(plan, &walk.in, values, err));          // once per entry
//
// Everything nested (arrays, maps, records) can be had as a slice: the bytes of the encoded value,
// with its schema in plan->found. Items of a list or map are read by a plan over the item's schema
// and the loop of avro_items.
//
// A plan without slots skips. Runs of fields that nobody wants become one step: "pass over 12
// numbers", done 8 bytes at a time.
#ifndef FIRN_FORMATS_AVRO_AVRO_PLAN_H
#define FIRN_FORMATS_AVRO_AVRO_PLAN_H

#include "formats/avro/avro_reader.h"
#include "formats/avro/avro_schema.h"

// What a slot takes, the kinds it takes it from, and the member of avro_value it fills.
#define AVRO_WANT_LIST(X)                                                                          \
    X(NUMBER, "boolean, int, long or enum")                                                        \
    X(REAL, "float or double")                                                                     \
    X(BYTES, "bytes, string or fixed")                                                             \
    X(SLICE, "any value, as it is encoded")

#define X(name, words) AVRO_WANT_##name,
typedef enum avro_want { AVRO_WANT_LIST(X) } avro_want;
#undef X

/// A part that is wanted of each value.
typedef struct avro_slot {
    // Field ids from the outermost record inwards; 0 of them: the value itself.
    const int32_t *path;
    uint32_t path_length;
    avro_want want;
} avro_slot;

typedef struct avro_value {
    bool is_null; // The value is null, or the schema has no such part. The others are then unset.
    int64_t number;
    double real;
    bytes data; // Of bytes and slices: points into the input.
} avro_value;

typedef struct avro_op avro_op;

typedef struct avro_plan {
    const avro_op *ops;
    uint32_t slot_count;
    /// Per slot: its schema, within a union the first branch that is not null; NULL if there is no
    /// such part.
    const avro_schema *const *found;
} avro_plan;

// Reads fixed types without a logical type as bytes with their size before them. Iceberg's Java
// library writes fixed partition values so, against their schema.
#define AVRO_PLAN_FIXED_IS_BYTES UINT32_C(1)

/// Makes a plan. `flags` is 0 or AVRO_PLAN_FIXED_IS_BYTES.
///
/// Borrows: `schema` and `slots` as long as the plan is used; the plan lies in `memory`.
/// Errors:  FIRN_CORRUPT if a slot wants a value from a kind that it does not take, or from such a
///          branch of a union, FIRN_INVALID if two slots overlap, FIRN_NO_MEMORY.
firn_status avro_plan_compile(arena *memory, const avro_schema *schema, const avro_slot *slots,
                              uint32_t slot_count, uint32_t flags, const avro_plan **out,
                              firn_error *err);

/// Reads one value and passes it. Fills values[0 .. slot_count).
///
/// Errors: FIRN_CORRUPT.
/// Cost:   no allocation. Any number of threads may use one plan.
firn_status avro_plan_read(const avro_plan *self, byte_reader *in, avro_value *values,
                           firn_error *err);

#endif
