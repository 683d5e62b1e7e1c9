#include "tables/iceberg/iceberg_prune.h"

#include <math.h>

#include "expr/id_set.h"

#define PRUNE_SCRATCH_MAX ((size_t)64 << 20)

// A column that some filter mentions.
typedef struct prune_column {
    uint32_t id; // In the query.
    int32_t field_id;
    const type *type;
    column_facts facts;
    // Buckets that the values are in: what ice_transform_range cannot say.
    ice_transform bucket;
    i128 bucket_low;
    i128 bucket_high;
    bool has_bucket;
    bytes uuid_low; // Bounds of UUIDs, as they were read; see take_uuids.
    bytes uuid_high;
} prune_column;

struct ice_pruner {
    unit_facts face; // First member: the evaluator hands it back.
    const ice_metadata *metadata;
    expr_list filters;
    expr_list dynamic; // Of the filters, those that are dynamic.
    uint32_t count;
    prune_column *columns;
    arena scratch;
};

static ice_pruner *of(const unit_facts *face) {
    return (ice_pruner *)(uintptr_t)face; // The first member.
}

static const column_facts *find(const unit_facts *face, uint32_t column_id) {
    ice_pruner *self = of(face);
    for (uint32_t i = 0; i < self->count; i++) {
        if (self->columns[i].id == column_id) {
            return &self->columns[i].facts;
        }
    }
    return NULL;
}

static bool may_contain(const unit_facts *face, uint32_t column_id, const column *value,
                        uint32_t row) {
    ice_pruner *self = of(face);
    for (uint32_t i = 0; i < self->count; i++) {
        const prune_column *each = &self->columns[i];
        if (each->id != column_id || !each->has_bucket ||
            !(type_are_bytes(each->type, value->type) ||
              type_same_values(each->type, value->type))) {
            continue;
        }
        const ice_scalar scalar = ice_scalar_of_column(value, row);
        int32_t bucket;
        return !ice_bucket_of(each->type, &scalar, each->bucket.width, &bucket) ||
               (bucket >= each->bucket_low && bucket <= each->bucket_high);
    }
    return true;
}

// ---- Making one --------------------------------------------------------------------------------

// The field that a column of the request is.
static const field *field_of(const ice_schema *schema, const scan_column *wanted) {
    const field *at = &schema->columns.fields[wanted->path[0]];
    for (uint32_t i = 1; i < wanted->path_length; i++) {
        if (at->type->id != TYPE_STRUCT) {
            return NULL; // Elements of lists have no bounds.
        }
        at = &at->type->children[wanted->path[i]];
    }
    return at;
}

static firn_status take_columns(ice_pruner *self, const ice_schema *schema,
                                const scan_request *request, arena *memory, firn_error *err) {
    id_set used = id_set_open(memory);
    for (uint32_t i = 0; i < request->filters.count; i++) {
        TRY(expr_columns(request->filters.items[i], &used, err));
    }
    self->columns = ARENA_NEW(memory, prune_column, (size_t)request->column_count + 1);
    self->dynamic.items = ARENA_NEW(memory, expr *, (size_t)request->filters.count + 1);
    self->filters.items = ARENA_NEW(memory, expr *, (size_t)request->filters.count + 1);
    if (self->columns == NULL || self->dynamic.items == NULL || self->filters.items == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < request->filters.count; i++) {
        expr_list *list =
            request->filters.items[i]->kind == EXPR_DYNAMIC ? &self->dynamic : &self->filters;
        list->items[list->count++] = request->filters.items[i];
    }
    for (uint32_t i = 0; i < request->column_count; i++) {
        const scan_column *wanted = &request->columns[i];
        const field *is = field_of(schema, wanted);
        if (is != NULL && id_set_has(&used, wanted->id) &&
            ice_scalar_kind_of(is->type) != ICE_SCALAR_NONE) {
            self->columns[self->count++] =
                (prune_column){.id = wanted->id, .field_id = is->id, .type = is->type};
        }
    }
    return FIRN_OK;
}

firn_status ice_pruner_make(const ice_metadata *metadata, const ice_schema *schema,
                            const scan_request *request, const dynamic_filters *dynamic,
                            arena *memory, ice_pruner **out, firn_error *err) {
    *out = NULL;
    if (request->filters.count == 0) {
        return FIRN_OK;
    }
    ice_pruner *self = ARENA_NEW(memory, ice_pruner, 1);
    if (self == NULL) {
        return ARENA_FULL(memory, err);
    }
    *self = (ice_pruner){
        .face = {.find = find, .may_contain = may_contain, .filters = dynamic},
        .metadata = metadata,
    };
    TRY(take_columns(self, schema, request, memory, err));
    if (self->count > 0) {
        self->scratch = arena_open_in(memory->owner, PRUNE_SCRATCH_MAX);
        *out = self;
    }
    return FIRN_OK;
}

void ice_pruner_close(ice_pruner *self) {
    if (self != NULL) {
        arena_close(&self->scratch);
    }
}

// ---- Facts -------------------------------------------------------------------------------------

static void forget(ice_pruner *self) {
    arena_reset(&self->scratch);
    self->face.row_count = (exact_u64){.is_known = false};
    for (uint32_t i = 0; i < self->count; i++) {
        self->columns[i].facts = (column_facts){.may_have_null = true};
        self->columns[i].has_bucket = false;
        self->columns[i].uuid_low = (bytes){.size = 0};
        self->columns[i].uuid_high = (bytes){.size = 0};
    }
}

// Takes a bound in if it says more than what is known.
static void narrow(prune_column *to, const ice_scalar *minimum, const ice_scalar *maximum,
                   arena *scratch) {
    const bool is_real = ice_scalar_kind_of(to->type) == ICE_SCALAR_REAL;
    const column *low =
        is_real && isnan(minimum->real) ? NULL : ice_scalar_try_column(to->type, minimum, scratch);
    const column *high =
        is_real && isnan(maximum->real) ? NULL : ice_scalar_try_column(to->type, maximum, scratch);
    if (low != NULL && minimum->kind != ICE_SCALAR_NULL &&
        (to->facts.minimum == NULL || column_compare_rows(low, 0, to->facts.minimum, 0) > 0)) {
        to->facts.minimum = low;
    }
    if (high != NULL && maximum->kind != ICE_SCALAR_NULL &&
        (to->facts.maximum == NULL || column_compare_rows(high, 0, to->facts.maximum, 0) < 0)) {
        to->facts.maximum = high;
    }
}

// Java ordered UUIDs as two signed numbers for years: bounds are true in our order, which is that
// of bytes, only where both begin with the same bit, and then of their first halves.
static void take_uuids(ice_pruner *self, prune_column *to) {
    if (to->uuid_low.size != 16 || to->uuid_high.size != 16 ||
        ((to->uuid_low.data[0] ^ to->uuid_high.data[0]) & 0x80) != 0) {
        return;
    }
    uint8_t low[16] = {0};
    uint8_t high[16];
    memset(high, 0xff, sizeof high);
    memcpy(low, to->uuid_low.data, 8);
    memcpy(high, to->uuid_high.data, 8);
    const ice_scalar minimum = {.kind = ICE_SCALAR_BYTES, .data = {.size = 16, .data = low}};
    const ice_scalar maximum = {.kind = ICE_SCALAR_BYTES, .data = {.size = 16, .data = high}};
    narrow(to, &minimum, &maximum, &self->scratch);
}

static void set_no_null(prune_column *to) {
    to->facts.null_count = (exact_u64){.is_known = true};
    to->facts.may_have_null = false;
}

// Partition values between `low` and `high` say something about the source column.
static void take_partition(ice_pruner *self, prune_column *to, const ice_partition_field *by,
                           const ice_scalar *low, const ice_scalar *high) {
    if (by->transform.kind == ICE_BUCKET && low->kind == ICE_SCALAR_NUMBER &&
        high->kind == ICE_SCALAR_NUMBER && !to->has_bucket) {
        to->has_bucket = true;
        to->bucket = by->transform;
        to->bucket_low = low->number;
        to->bucket_high = high->number;
        return;
    }
    ice_scalar minimum;
    ice_scalar maximum;
    ice_transform_range(&by->transform, to->type, low, high, &self->scratch, &minimum, &maximum);
    narrow(to, &minimum, &maximum, &self->scratch);
}

static prune_column *column_of_field(ice_pruner *self, int32_t field_id) {
    for (uint32_t i = 0; i < self->count; i++) {
        if (self->columns[i].field_id == field_id) {
            return &self->columns[i];
        }
    }
    return NULL;
}

static bool is_never(ice_pruner *self, expr_list filters) {
    for (uint32_t i = 0; i < filters.count; i++) {
        if (facts_evaluate(filters.items[i], &self->face, &self->scratch) == VERDICT_NEVER) {
            return true;
        }
    }
    return false;
}

// ---- Manifests ---------------------------------------------------------------------------------

static ice_scalar bound_of(const type *result, bool has_value, bytes value) {
    return has_value ? ice_scalar_of_bytes(result, value) : (ice_scalar){.kind = ICE_SCALAR_NONE};
}

static void take_summary(ice_pruner *self, prune_column *to, const ice_partition_field *by,
                         const ice_summary *summary) {
    const type *result = ice_transform_result(&by->transform, to->type);
    if (result == NULL) {
        return;
    }
    const bool is_empty = !summary->has_low && !summary->has_high;
    if (!summary->has_null) {
        set_no_null(to);
    }
    if (by->transform.kind == ICE_IDENTITY && !summary->has_nan) {
        to->facts.nan_count = (exact_u64){.is_known = true};
    }
    if (by->transform.kind == ICE_IDENTITY && to->type->id == TYPE_UUID) {
        to->uuid_low = summary->has_low ? summary->low : (bytes){.size = 0};
        to->uuid_high = summary->has_high ? summary->high : (bytes){.size = 0};
        take_uuids(self, to);
    } else if (!is_empty) {
        const ice_scalar low = bound_of(result, summary->has_low, summary->low);
        const ice_scalar high = bound_of(result, summary->has_high, summary->high);
        take_partition(self, to, by, &low, &high);
    }
}

bool ice_prune_manifest(ice_pruner *self, const ice_manifest *manifest) {
    const ice_spec *spec = ice_metadata_spec(self->metadata, manifest->spec_id);
    if (spec == NULL || manifest->summary_count != spec->count || spec->count == 0) {
        return false;
    }
    forget(self);
    for (uint32_t i = 0; i < spec->count; i++) {
        prune_column *to = column_of_field(self, spec->fields[i].source_id);
        if (to != NULL) {
            take_summary(self, to, &spec->fields[i], &manifest->summaries[i]);
        }
    }
    return is_never(self, self->filters) || is_never(self, self->dynamic);
}

// ---- Files -------------------------------------------------------------------------------------

static bool take_tuple(ice_pruner *self, const ice_walk *walk, const ice_entry *entry) {
    bool has_any = false;
    for (uint32_t i = 0; i < walk->spec->count; i++) {
        const ice_partition_field *by = &walk->spec->fields[i];
        prune_column *to = column_of_field(self, by->source_id);
        const type *result = to == NULL ? NULL : ice_transform_result(&by->transform, to->type);
        if (result == NULL) {
            continue;
        }
        const ice_scalar value =
            ice_scalar_of_avro(result, &entry->partition[i], ice_walk_partition_schema(walk, i));
        if (value.kind == ICE_SCALAR_NULL) {
            to->facts.null_count = (exact_u64){.is_known = true, .value = entry->row_count};
        } else if (value.kind != ICE_SCALAR_NONE) {
            set_no_null(to);
            if (by->transform.kind == ICE_IDENTITY && value.kind == ICE_SCALAR_REAL &&
                !isnan(value.real)) {
                to->facts.nan_count = (exact_u64){.is_known = true};
            }
            take_partition(self, to, by, &value, &value);
        }
        has_any = true;
    }
    return has_any;
}

static void take_count(exact_u64 *to, int64_t number) {
    if (number >= 0) {
        *to = (exact_u64){.is_known = true, .value = (uint64_t)number};
    }
}

static void take_pair(void *user, ice_map map, int32_t key, ice_pair value) {
    ice_pruner *self = user;
    prune_column *to = column_of_field(self, key);
    if (to == NULL) {
        return;
    }
    if (to->type->id == TYPE_UUID && map >= ICE_MAP_LOW) {
        *(map == ICE_MAP_LOW ? &to->uuid_low : &to->uuid_high) = value.data;
        return;
    }
    const ice_scalar nothing = {.kind = ICE_SCALAR_NONE};
    const ice_scalar bound =
        map >= ICE_MAP_LOW ? ice_scalar_of_bytes(to->type, value.data) : nothing;
    switch (map) {
    case ICE_MAP_VALUE_COUNTS:
        break;
    case ICE_MAP_NULL_COUNTS:
        take_count(&to->facts.null_count, value.number);
        if (value.number == 0) {
            to->facts.may_have_null = false;
        }
        break;
    case ICE_MAP_NAN_COUNTS:
        take_count(&to->facts.nan_count, value.number);
        break;
    case ICE_MAP_LOW:
        narrow(to, &bound, &nothing, &self->scratch);
        break;
    case ICE_MAP_HIGH:
        narrow(to, &nothing, &bound, &self->scratch);
        break;
    case ICE_MAP_COLUMN_SIZES: // Not asked for.
        break;
    }
}

static firn_status take_metrics(ice_pruner *self, const ice_walk *walk, const ice_entry *entry,
                                firn_error *err) {
    static const ice_map maps[] = {ICE_MAP_NULL_COUNTS, ICE_MAP_NAN_COUNTS, ICE_MAP_LOW,
                                   ICE_MAP_HIGH};
    for (size_t i = 0; i < sizeof maps / sizeof *maps; i++) {
        TRY(ice_walk_pairs(walk, entry, maps[i], take_pair, self, err));
    }
    for (uint32_t i = 0; i < self->count; i++) {
        take_uuids(self, &self->columns[i]);
    }
    return FIRN_OK;
}

firn_status ice_prune_file(ice_pruner *self, const ice_walk *walk, const ice_entry *entry,
                           ice_pruned *out, firn_error *err) {
    *out = ICE_KEPT;
    forget(self);
    self->face.row_count = (exact_u64){.is_known = true, .value = entry->row_count};
    if (take_tuple(self, walk, entry) && is_never(self, self->filters)) {
        *out = ICE_BY_PARTITION;
    }
    if (*out != ICE_KEPT || entry->content != ICE_DATA) {
        return FIRN_OK;
    }
    TRY(take_metrics(self, walk, entry, err));
    if (is_never(self, self->filters)) {
        *out = ICE_BY_BOUNDS;
    } else if (is_never(self, self->dynamic)) {
        *out = ICE_BY_DYNAMIC;
    }
    return FIRN_OK;
}

firn_status ice_prune_covers(ice_pruner *self, const ice_walk *walk, const ice_entry *entry,
                             bool *out, firn_error *err) {
    forget(self);
    self->face.row_count = (exact_u64){.is_known = true, .value = entry->row_count};
    (void)take_tuple(self, walk, entry);
    TRY(take_metrics(self, walk, entry, err));
    *out = self->dynamic.count == 0;
    for (uint32_t i = 0; i < self->filters.count && *out; i++) {
        *out =
            facts_evaluate(self->filters.items[i], &self->face, &self->scratch) == VERDICT_ALWAYS;
    }
    return FIRN_OK;
}
