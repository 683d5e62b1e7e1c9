// A plan is a list of steps, run from the top. What lies inside unions stands behind them with
// jumps, the items of an array behind it up to their END; only records that refer to themselves are
// called. `run` recurses for items and calls, at most RUN_DEPTH_MAX deep.
#include "formats/avro/avro_plan.h"

#include <assert.h>

#include "base/checked.h"

#define RUN_DEPTH_MAX 256 // Arrays, maps, slices and called records inside each other.
#define OPS_MAX (UINT32_C(1) << 24)
#define NO_BODY UINT32_MAX

// Apart from `run`, so that it stays small enough for registers.
#define NOINLINE __attribute__((noinline))

typedef enum op_kind {
    OP_END,
    OP_NUMBERS,      // `count` numbers pass.
    OP_FIXED,        // `count` bytes pass.
    OP_BYTES,        // `count` times a size and so many bytes pass.
    OP_ITEMS,        // An array or map; one item is from the next step to END, `target` behind it.
    OP_ITEM_NUMBERS, // The same, when each item is `count` numbers.
    OP_ITEM_FIXED,   // The same, when each item is `count` bytes.
    OP_OPTION,       // A union of two. If it is branch `count`, null: go to `target`.
    OP_CHOICE,       // A union: the next `count` steps are jumps, one for each branch.
    OP_JUMP,
    OP_CALL, // A record that refers to itself; `count` is its number, `target` where it stands.
    OP_GET_BOOLEAN,
    OP_GET_NUMBER,
    OP_GET_ENUM, // Of `count` symbols.
    OP_GET_FLOAT,
    OP_GET_DOUBLE,
    OP_GET_BYTES,
    OP_GET_FIXED, // Of `count` bytes.
    OP_GET_SLICE, // The value is from the next step to END; `target` behind it.
} op_kind;

struct avro_op {
    op_kind kind;
    uint32_t count;
    uint32_t target;
    uint32_t slot;     // Of OP_GET_*.
    uint32_t size_min; // Of OP_ITEMS*: of an item.
};

// ---- Compiling ----------------------------------------------------------------------------------

// The slots that lie in the value being compiled, and how many steps of their paths lead there.
typedef struct path_set {
    const uint32_t *slots;
    uint32_t count;
    uint32_t depth;
} path_set;

static const path_set no_paths = {0};

// A record that is called, once for all who call it.
typedef struct call_body {
    const avro_schema *schema;
    uint32_t start; // NO_BODY: not yet compiled.
} call_body;

typedef struct compiler {
    arena *memory;
    const avro_slot *slots;
    const avro_schema **found;
    uint32_t flags;
    avro_op *ops;
    uint32_t op_count;
    uint32_t op_capacity;
    uint32_t
        barrier; // Steps before it are jumped to or over: the next may not be merged into them.
    call_body *bodies;
    uint32_t body_count;
    uint32_t body_capacity;
    uint32_t depth;
} compiler;

static firn_status compile_value(compiler *self, const avro_schema *schema, path_set paths,
                                 firn_error *err);

// Room for one more of an array that doubles in the arena.
static firn_status make_room(arena *memory, void **items, uint32_t count, uint32_t *capacity,
                             size_t size, firn_error *err) {
    if (count < *capacity) {
        return FIRN_OK;
    }
    if (count >= OPS_MAX) {
        return FAIL(err, FIRN_UNSUPPORTED, "Avro schema of more than %u steps", OPS_MAX);
    }
    const uint32_t wider = *capacity == 0 ? 32 : *capacity * 2;
    void *copy = arena_alloc(memory, wider, size);
    if (copy == NULL) {
        return ARENA_FULL(memory, err);
    }
    if (count > 0) {
        memcpy(copy, *items, count * size);
    }
    *items = copy;
    *capacity = wider;
    return FIRN_OK;
}

// Adds a step; *at is its number.
static firn_status emit(compiler *self, avro_op op, uint32_t *at, firn_error *err) {
    void *ops = self->ops;
    TRY(make_room(self->memory, &ops, self->op_count, &self->op_capacity, sizeof op, err));
    self->ops = ops;
    *at = self->op_count++;
    self->ops[*at] = op;
    return FIRN_OK;
}

// Adds a step that passes over `count` of something, or adds to the one before.
static firn_status emit_pass(compiler *self, op_kind kind, uint32_t count, firn_error *err) {
    if (self->op_count > self->barrier) {
        avro_op *last = &self->ops[self->op_count - 1];
        if (last->kind == kind && count <= UINT32_MAX - last->count) {
            last->count += count;
            return FIRN_OK;
        }
    }
    uint32_t at;
    return emit(self, (avro_op){.kind = kind, .count = count}, &at, err);
}

// Makes the next step one that is jumped to, and the target of step `from`.
static void land(compiler *self, uint32_t from) {
    self->barrier = self->op_count;
    self->ops[from].target = self->op_count;
}

static bool fixed_is_bytes(const compiler *self, const avro_schema *schema) {
    return (self->flags & AVRO_PLAN_FIXED_IS_BYTES) != 0 && schema->logical == AVRO_LOGICAL_NONE;
}

// The step that fills a slot from a value of one kind. False if the slot does not take the kind.
static bool get_op(const compiler *self, const avro_schema *schema, avro_want want, avro_op *out) {
    *out = (avro_op){.count = schema->kind == AVRO_FIXED ? schema->size : schema->count};
    switch ((int)schema->kind) {
    case AVRO_BOOLEAN:
        out->kind = OP_GET_BOOLEAN;
        return want == AVRO_WANT_NUMBER;
    case AVRO_INT:
    case AVRO_LONG:
        out->kind = OP_GET_NUMBER;
        return want == AVRO_WANT_NUMBER;
    case AVRO_ENUM:
        out->kind = OP_GET_ENUM;
        return want == AVRO_WANT_NUMBER;
    case AVRO_FLOAT:
        out->kind = OP_GET_FLOAT;
        return want == AVRO_WANT_REAL;
    case AVRO_DOUBLE:
        out->kind = OP_GET_DOUBLE;
        return want == AVRO_WANT_REAL;
    case AVRO_BYTES:
    case AVRO_STRING:
        out->kind = OP_GET_BYTES;
        return want == AVRO_WANT_BYTES;
    case AVRO_FIXED:
        out->kind = fixed_is_bytes(self, schema) ? OP_GET_BYTES : OP_GET_FIXED;
        return want == AVRO_WANT_BYTES;
    default:
        return false;
    }
}

static firn_status compile_get(compiler *self, const avro_schema *schema, uint32_t slot,
                               firn_error *err) {
    static const char *const words[] = {
#define X(name, words) words,
        AVRO_WANT_LIST(X)
#undef X
    };
    const avro_want want = self->slots[slot].want;
    if (self->found[slot] == NULL) {
        self->found[slot] = schema;
    }
    uint32_t at;
    if (want == AVRO_WANT_SLICE) {
        TRY(emit(self, (avro_op){.kind = OP_GET_SLICE, .slot = slot}, &at, err));
        self->barrier = self->op_count;
        TRY(compile_value(self, schema, no_paths, err));
        uint32_t end;
        TRY(emit(self, (avro_op){.kind = OP_END}, &end, err));
        land(self, at);
        return FIRN_OK;
    }
    avro_op op;
    if (!get_op(self, schema, want, &op)) {
        return FAIL(err, FIRN_CORRUPT, "Avro type \"%.*s\" where %s is wanted",
                    TEXT_ARGS(avro_schema_text(schema)), words[want]);
    }
    op.slot = slot;
    return emit(self, op, &at, err);
}

static firn_status compile_call(compiler *self, const avro_schema *schema, firn_error *err) {
    uint32_t body = 0;
    while (body < self->body_count && self->bodies[body].schema != schema) {
        body += 1;
    }
    if (body == self->body_count) {
        void *bodies = self->bodies;
        TRY(make_room(self->memory, &bodies, self->body_count, &self->body_capacity,
                      sizeof *self->bodies, err));
        self->bodies = bodies;
        self->bodies[self->body_count++] = (call_body){.schema = schema, .start = NO_BODY};
    }
    uint32_t at;
    return emit(self, (avro_op){.kind = OP_CALL, .count = body}, &at, err);
}

// The paths that go on into the field with an id.
static firn_status paths_into(compiler *self, path_set paths, int32_t id, path_set *out,
                              firn_error *err) {
    *out = no_paths;
    if (paths.count == 0 || id == AVRO_ID_NONE) {
        return FIRN_OK;
    }
    uint32_t *slots = ARENA_NEW(self->memory, uint32_t, paths.count);
    if (slots == NULL) {
        return ARENA_FULL(self->memory, err);
    }
    for (uint32_t i = 0; i < paths.count; i++) {
        const avro_slot *slot = &self->slots[paths.slots[i]];
        if (slot->path_length > paths.depth && slot->path[paths.depth] == id) {
            slots[out->count++] = paths.slots[i];
        }
    }
    out->slots = slots;
    out->depth = paths.depth + 1;
    return FIRN_OK;
}

static firn_status compile_fields(compiler *self, const avro_schema *schema, path_set paths,
                                  firn_error *err) {
    for (uint32_t i = 0; i < schema->count; i++) {
        const avro_field *field = &schema->fields[i];
        path_set inner;
        TRY(paths_into(self, paths, field->id, &inner, err));
        const firn_status status = compile_value(self, field->schema, inner, err);
        if (status != FIRN_OK) {
            if (inner.count > 0) {
                err_while(err, "compiling field \"%.*s\"", TEXT_ARGS(field->name));
            }
            return status;
        }
    }
    return FIRN_OK;
}

// One step that passes over all items at once, if an item is one step of a kind that can.
static void simplify_items(compiler *self, uint32_t at) {
    const avro_op *item = &self->ops[at + 1];
    if (self->op_count != at + 3) {
        return;
    }
    if (item->kind == OP_NUMBERS || item->kind == OP_FIXED) {
        avro_op *op = &self->ops[at];
        op->kind = item->kind == OP_NUMBERS ? OP_ITEM_NUMBERS : OP_ITEM_FIXED;
        op->count = item->count;
        self->op_count = at + 1;
    }
}

static firn_status compile_items(compiler *self, const avro_schema *schema, firn_error *err) {
    const bool is_map = schema->kind == AVRO_MAP;
    const uint32_t item_min = schema->element->size_min;
    uint32_t at;
    const avro_op op = {.kind = OP_ITEMS, .size_min = item_min + (is_map && item_min < UINT32_MAX)};
    TRY(emit(self, op, &at, err));
    self->barrier = self->op_count;
    if (is_map) {
        TRY(emit_pass(self, OP_BYTES, 1, err));
    }
    TRY(compile_value(self, schema->element, no_paths, err));
    uint32_t end;
    TRY(emit(self, (avro_op){.kind = OP_END}, &end, err));
    simplify_items(self, at);
    land(self, at);
    return FIRN_OK;
}

static firn_status compile_union(compiler *self, const avro_schema *schema, path_set paths,
                                 firn_error *err) {
    uint32_t null_branch;
    const avro_schema *option = avro_option_of(schema, &null_branch);
    uint32_t at;
    if (option != NULL) {
        TRY(emit(self, (avro_op){.kind = OP_OPTION, .count = null_branch}, &at, err));
        self->barrier = self->op_count;
        TRY(compile_value(self, option, paths, err));
        land(self, at);
        return FIRN_OK;
    }
    TRY(emit(self, (avro_op){.kind = OP_CHOICE, .count = schema->count}, &at, err));
    for (uint32_t i = 0; i < schema->count; i++) {
        uint32_t jump;
        TRY(emit(self, (avro_op){.kind = OP_JUMP}, &jump, err));
    }
    for (uint32_t i = 0; i < schema->count; i++) {
        land(self, at + 1 + i);
        TRY(compile_value(self, schema->choices[i],
                          schema->choices[i]->kind == AVRO_NULL ? no_paths : paths, err));
        uint32_t jump; // To behind the union: one of those that are landed below.
        TRY(emit(self, (avro_op){.kind = OP_JUMP, .target = at}, &jump, err));
    }
    for (uint32_t i = at + 1 + schema->count; i < self->op_count; i++) {
        if (self->ops[i].kind == OP_JUMP && self->ops[i].target == at) {
            land(self, i);
        }
    }
    return FIRN_OK;
}

static firn_status compile_kind(compiler *self, const avro_schema *schema, path_set paths,
                                firn_error *err) {
    switch (schema->kind) {
    case AVRO_NULL:
        return FIRN_OK;
    case AVRO_INT:
    case AVRO_LONG:
    case AVRO_ENUM:
        return emit_pass(self, OP_NUMBERS, 1, err);
    case AVRO_BOOLEAN:
        return emit_pass(self, OP_FIXED, 1, err);
    case AVRO_FLOAT:
        return emit_pass(self, OP_FIXED, 4, err);
    case AVRO_DOUBLE:
        return emit_pass(self, OP_FIXED, 8, err);
    case AVRO_BYTES:
    case AVRO_STRING:
        return emit_pass(self, OP_BYTES, 1, err);
    case AVRO_FIXED:
        return fixed_is_bytes(self, schema) ? emit_pass(self, OP_BYTES, 1, err)
                                            : emit_pass(self, OP_FIXED, schema->size, err);
    case AVRO_ARRAY:
    case AVRO_MAP:
        return compile_items(self, schema, err);
    case AVRO_UNION:
        return compile_union(self, schema, paths, err);
    case AVRO_RECORD:
        // A path ends, so a record on one is written out even if it is shared.
        return schema->is_shared && paths.count == 0 ? compile_call(self, schema, err)
                                                     : compile_fields(self, schema, paths, err);
    case AVRO_KIND_COUNT:
        break;
    }
    return FAIL(err, FIRN_INTERNAL, "Avro kind %d", (int)schema->kind);
}

// Whether the slot takes a value of this schema as a whole: not what is inside of a union, unless
// that is a union of many and nobody can say inside of which.
static bool ends_here(const compiler *self, const avro_schema *schema, uint32_t slot,
                      uint32_t depth) {
    uint32_t null_branch;
    return self->slots[slot].path_length == depth &&
           (schema->kind != AVRO_UNION || (self->slots[slot].want == AVRO_WANT_SLICE &&
                                           avro_option_of(schema, &null_branch) == NULL));
}

static firn_status compile_value(compiler *self, const avro_schema *schema, path_set paths,
                                 firn_error *err) {
    for (uint32_t i = 0; i < paths.count; i++) {
        if (ends_here(self, schema, paths.slots[i], paths.depth)) {
            if (paths.count > 1) {
                return FAIL(err, FIRN_INVALID, "two slots for an Avro value, or for a part of it");
            }
            return compile_get(self, schema, paths.slots[i], err);
        }
    }
    if (self->depth == AVRO_DEPTH_MAX) {
        return FAIL(err, FIRN_UNSUPPORTED, "types nested more than %d deep", AVRO_DEPTH_MAX);
    }
    self->depth += 1;
    const firn_status status = compile_kind(self, schema, paths, err);
    self->depth -= 1;
    return status;
}

// Compiles the records that are called, which may call others.
static firn_status compile_bodies(compiler *self, firn_error *err) {
    for (uint32_t i = 0; i < self->body_count; i++) {
        self->barrier = self->op_count;
        self->bodies[i].start = self->op_count;
        TRY(compile_fields(self, self->bodies[i].schema, no_paths, err));
        uint32_t end;
        TRY(emit(self, (avro_op){.kind = OP_END}, &end, err));
    }
    for (uint32_t i = 0; i < self->op_count; i++) {
        if (self->ops[i].kind == OP_CALL) {
            self->ops[i].target = self->bodies[self->ops[i].count].start;
        }
    }
    return FIRN_OK;
}

firn_status avro_plan_compile(arena *memory, const avro_schema *schema, const avro_slot *slots,
                              uint32_t slot_count, uint32_t flags, const avro_plan **out,
                              firn_error *err) {
    avro_plan *plan = ARENA_NEW(memory, avro_plan, 1);
    const avro_schema **found = ARENA_NEW(memory, const avro_schema *, slot_count);
    uint32_t *all = ARENA_NEW(memory, uint32_t, slot_count);
    if (plan == NULL || found == NULL || all == NULL) {
        return ARENA_FULL(memory, err);
    }
    for (uint32_t i = 0; i < slot_count; i++) {
        found[i] = NULL;
        all[i] = i;
    }
    compiler self = {.memory = memory, .slots = slots, .found = found, .flags = flags};
    const path_set paths = {.slots = all, .count = slot_count};
    TRY(compile_value(&self, schema, paths, err));
    uint32_t end;
    TRY(emit(&self, (avro_op){.kind = OP_END}, &end, err));
    TRY(compile_bodies(&self, err));
    *plan = (avro_plan){.ops = self.ops, .slot_count = slot_count, .found = found};
    *out = plan;
    return FIRN_OK;
}

// ---- Running ------------------------------------------------------------------------------------

static firn_status run(const avro_op *ops, uint32_t at, byte_reader *in, avro_value *values,
                       uint32_t depth_left, firn_error *err);

static firn_status pass_fixed(byte_reader *in, uint64_t size, firn_error *err) {
    if (size > reader_left(in)) {
        return FAIL(err, FIRN_CORRUPT, "%llu bytes wanted, %zu left", (unsigned long long)size,
                    reader_left(in));
    }
    in->at += size;
    return FIRN_OK;
}

static firn_status check_depth(uint32_t depth_left, firn_error *err) {
    if (depth_left == 0) {
        return FAIL(err, FIRN_UNSUPPORTED, "values nested more than %d deep", RUN_DEPTH_MAX);
    }
    return FIRN_OK;
}

NOINLINE static firn_status pass_items(const avro_op *ops, uint32_t at, byte_reader *in,
                                       uint32_t depth_left, firn_error *err) {
    const avro_op *op = &ops[at];
    avro_items items = {.item_size_min = op->size_min};
    TRY(check_depth(depth_left, err));
    for (;;) {
        size_t block_size;
        TRY(avro_items_enter(&items, in, &block_size, err));
        if (items.left == 0) {
            return FIRN_OK;
        }
        if (block_size != SIZE_MAX) {
            TRY(pass_fixed(in, block_size, err));
        } else if (op->kind == OP_ITEM_NUMBERS) {
            // No overflow: the count is at most the bytes left, the factor below OPS_MAX.
            TRY(avro_skip_numbers(in, items.left * op->count, err));
        } else if (op->kind == OP_ITEM_FIXED) {
            TRY(pass_fixed(in, items.left * op->count, err));
        } else {
            for (; items.left > 0; items.left--) {
                TRY(run(ops, at + 1, in, NULL, depth_left - 1, err));
            }
        }
    }
}

// Fills a slot from the value that `in` stands before.
static ALWAYS_INLINE firn_status get(op_kind kind, const avro_op *op, byte_reader *in,
                                     avro_value *values, firn_error *err) {
    assert(values != NULL); // No slot lies inside of items, slices and calls.
    avro_value *out = &values[op->slot];
    float real;
    bool flag;
    uint32_t symbol;
    out->is_null = false;
    switch ((int)kind) {
    case OP_GET_BOOLEAN:
        TRY(avro_read_boolean(in, &flag, err));
        out->number = flag ? 1 : 0;
        return FIRN_OK;
    case OP_GET_NUMBER:
        return avro_read_long(in, &out->number, err);
    case OP_GET_ENUM:
        TRY(avro_read_choice(in, op->count, &symbol, err));
        out->number = symbol;
        return FIRN_OK;
    case OP_GET_FLOAT:
        TRY(avro_read_float(in, &real, err));
        out->real = (double)real;
        return FIRN_OK;
    case OP_GET_DOUBLE:
        return avro_read_double(in, &out->real, err);
    case OP_GET_BYTES:
        return avro_read_bytes(in, &out->data, err);
    default:
        assert(kind == OP_GET_FIXED);
        return reader_take(in, op->count, &out->data, err);
    }
}

NOINLINE static firn_status get_slice(const avro_op *ops, uint32_t at, byte_reader *in,
                                      avro_value *values, uint32_t depth_left, firn_error *err) {
    assert(values != NULL);
    avro_value *out = &values[ops[at].slot];
    const uint8_t *start = in->at;
    TRY(check_depth(depth_left, err));
    TRY(run(ops, at + 1, in, NULL, depth_left - 1, err));
    out->is_null = false;
    out->data = (bytes){.data = start, .size = (size_t)(in->at - start)};
    return FIRN_OK;
}

static inline firn_status pass_bytes(byte_reader *in, uint32_t count, firn_error *err) {
    for (; count > 0; count--) {
        bytes passed;
        TRY(avro_read_bytes(in, &passed, err));
    }
    return FIRN_OK;
}

// Runs the steps from `at` to END. `values` is NULL where no slot can be.
static firn_status run(const avro_op *ops, uint32_t at, byte_reader *in, avro_value *values,
                       uint32_t depth_left, firn_error *err) {
    for (;;) {
        const avro_op *op = &ops[at++];
        uint32_t branch;
        switch (op->kind) {
        case OP_END:
            return FIRN_OK;
        case OP_NUMBERS:
            TRY(avro_skip_numbers(in, op->count, err));
            break;
        case OP_FIXED:
            TRY(pass_fixed(in, op->count, err));
            break;
        case OP_BYTES:
            TRY(pass_bytes(in, op->count, err));
            break;
        case OP_ITEMS:
        case OP_ITEM_NUMBERS:
        case OP_ITEM_FIXED:
            TRY(pass_items(ops, at - 1, in, depth_left, err));
            at = op->target;
            break;
        case OP_OPTION:
            TRY(avro_read_choice(in, 2, &branch, err));
            at = branch == op->count ? op->target : at;
            break;
        case OP_CHOICE:
            TRY(avro_read_choice(in, op->count, &branch, err));
            at = ops[at + branch].target;
            break;
        case OP_JUMP:
            at = op->target;
            break;
        case OP_CALL:
            TRY(check_depth(depth_left, err));
            TRY(run(ops, op->target, in, NULL, depth_left - 1, err));
            break;
        case OP_GET_SLICE:
            TRY(get_slice(ops, at - 1, in, values, depth_left, err));
            at = op->target;
            break;
        case OP_GET_NUMBER:
            TRY(get(OP_GET_NUMBER, op, in, values, err));
            break;
        case OP_GET_BYTES:
            TRY(get(OP_GET_BYTES, op, in, values, err));
            break;
        case OP_GET_BOOLEAN:
        case OP_GET_ENUM:
        case OP_GET_FLOAT:
        case OP_GET_DOUBLE:
        case OP_GET_FIXED:
            TRY(get(op->kind, op, in, values, err));
            break;
        }
    }
}

firn_status avro_plan_read(const avro_plan *self, byte_reader *in, avro_value *values,
                           firn_error *err) {
    for (uint32_t i = 0; i < self->slot_count; i++) {
        values[i].is_null = true;
    }
    return run(self->ops, 0, in, values, RUN_DEPTH_MAX, err);
}
