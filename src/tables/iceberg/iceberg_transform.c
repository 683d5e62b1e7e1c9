#include "tables/iceberg/iceberg_transform.h"

#include "base/calendar.h"
#include "base/utf8.h"

static const ice_scalar none = {.kind = ICE_SCALAR_NONE};

static ice_scalar number_of(i128 value) {
    return (ice_scalar){.kind = ICE_SCALAR_NUMBER, .number = value};
}

// "16" of "bucket[16]".
static bool read_width(text written, text word, int32_t *out) {
    int64_t width = 0;
    if (!text_starts_with(written, word) || written.size < word.size + 3 ||
        written.data[word.size] != '[' || written.data[written.size - 1] != ']' ||
        number_parse_i64(text_slice(written, word.size + 1, written.size - 1), &width) !=
            NUMBER_OK ||
        width < 1 || width > INT32_MAX) {
        return false;
    }
    *out = (int32_t)width;
    return true;
}

static const struct {
    ice_transform_kind kind;
    text word;
} words[] = {
#define X(name, word) {ICE_##name, {word, sizeof(word) - 1}},
    ICE_TRANSFORM_LIST(X)
#undef X
};

text ice_transform_name(const ice_transform *self) {
    return words[self->kind].word;
}

void ice_transform_print(const ice_transform *self, text_builder *out) {
    text_append(out, ice_transform_name(self));
    if (self->kind == ICE_BUCKET || self->kind == ICE_TRUNCATE) {
        text_append_format(out, "[%d]", self->width);
    }
}

ice_transform ice_transform_read(text written) {
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        ice_transform out = {.kind = words[i].kind, .width = 1};
        const bool has_width = out.kind == ICE_BUCKET || out.kind == ICE_TRUNCATE;
        if (has_width ? read_width(written, words[i].word, &out.width)
                      : text_equal(written, words[i].word)) {
            return out;
        }
    }
    return (ice_transform){.kind = ICE_UNKNOWN, .width = 1};
}

static bool is_timestamp(const type *of) {
    return of->id == TYPE_TIMESTAMP || of->id == TYPE_TIMESTAMPTZ;
}

static bool can_truncate(const type *of) {
    return type_category_of(of) == CATEGORY_INTEGER || of->id == TYPE_DECIMAL ||
           of->id == TYPE_VARCHAR || (of->id == TYPE_BINARY && of->width == 0);
}

static bool can_hash(const type *of) {
    const ice_scalar_kind kind = ice_scalar_kind_of(of);
    return (kind == ICE_SCALAR_NUMBER && of->id != TYPE_BOOLEAN) || kind == ICE_SCALAR_BYTES;
}

const type *ice_transform_result(const ice_transform *self, const type *source) {
    switch (self->kind) {
    case ICE_IDENTITY:
        return ice_scalar_kind_of(source) == ICE_SCALAR_NONE ? NULL : source;
    case ICE_TRUNCATE:
        return can_truncate(source) ? source : NULL;
    case ICE_BUCKET:
        return can_hash(source) ? TYPE_OF(INTEGER) : NULL;
    case ICE_YEAR:
    case ICE_MONTH:
    case ICE_DAY:
        return source->id == TYPE_DATE || is_timestamp(source) ? TYPE_OF(INTEGER) : NULL;
    case ICE_HOUR:
        return is_timestamp(source) ? TYPE_OF(INTEGER) : NULL;
    case ICE_VOID:
    case ICE_UNKNOWN:
    case ICE_TRANSFORM_COUNT:
        break;
    }
    return NULL;
}

// ---- Bytes -------------------------------------------------------------------------------------

// Where the first `count` code points of a text, or bytes of anything else, end.
static size_t cut_at(const type *of, bytes value, int32_t count) {
    if (of->id != TYPE_VARCHAR) {
        return value.size < (size_t)count ? value.size : (size_t)count;
    }
    size_t at = 0;
    for (int32_t i = 0; i < count && at < value.size; i++) {
        at++;
        while (at < value.size && (value.data[at] & 0xc0) == 0x80) {
            at++;
        }
    }
    return at;
}

static size_t code_point_count(const type *of, bytes value) {
    size_t count = 0;
    for (size_t i = 0; i < value.size; i++) {
        count += of->id != TYPE_VARCHAR || (value.data[i] & 0xc0) != 0x80;
    }
    return count;
}

// Something above everything that begins with `value`: its last code point (or byte) raised, those
// that cannot be raised dropped. As an upper bound for pruning it need not be a valid text.
static ice_scalar above_all(bytes value, arena *memory) {
    uint8_t *copy = ARENA_NEW(memory, uint8_t, value.size + 1);
    if (copy == NULL) {
        return none;
    }
    for (size_t size = value.size; size > 0; size--) {
        if (value.data[size - 1] != 0xff) {
            memcpy(copy, value.data, size);
            copy[size - 1] = (uint8_t)(copy[size - 1] + 1);
            return (ice_scalar){.kind = ICE_SCALAR_BYTES, .data = {.size = size, .data = copy}};
        }
    }
    return none;
}

// ---- Dates and times ---------------------------------------------------------------------------

static i128 floor_div(i128 value, i128 divisor) {
    return value / divisor - (value % divisor < 0);
}

// Units of the source type in a day.
static i128 units_per_day(const type *source) {
    return source->id == TYPE_DATE
               ? 1
               : (i128)calendar_units_per_second(source->unit) * CALENDAR_DAY_SECONDS;
}

// The first source value of a year, month, day or hour.
static i128 start_of(const ice_transform *self, const type *source, i128 value) {
    if (self->kind == ICE_DAY) {
        return value * units_per_day(source);
    }
    if (self->kind == ICE_HOUR) {
        return value * (units_per_day(source) / 24);
    }
    const i128 month = self->kind == ICE_YEAR ? value * 12 : value;
    const calendar_date date = {.year = 1970 + (int64_t)floor_div(month, 12),
                                .month = 1 + (int32_t)(month - floor_div(month, 12) * 12),
                                .day = 1};
    return (i128)calendar_days_of(date) * units_per_day(source);
}

static ice_scalar unit_of(const ice_transform *self, const type *source, i128 value) {
    if (self->kind == ICE_HOUR) {
        return number_of(floor_div(value, units_per_day(source) / 24));
    }
    const i128 days = floor_div(value, units_per_day(source));
    if (self->kind == ICE_DAY) {
        return number_of(days);
    }
    const calendar_date date = calendar_date_of((int64_t)days);
    return number_of(self->kind == ICE_YEAR ? date.year - 1970
                                            : (date.year - 1970) * 12 + date.month - 1);
}

// Numbers beyond the type are no bound.
static ice_scalar within(const type *source, i128 value) {
    const bool is_small = type_physical(source) == PHYSICAL_I32;
    const i128 least = is_small ? INT32_MIN : INT64_MIN;
    const i128 most = is_small ? INT32_MAX : INT64_MAX;
    return type_physical(source) != PHYSICAL_I128 && (value < least || value > most)
               ? none
               : number_of(value);
}

static void range_of_time(const ice_transform *self, const type *source, const ice_scalar *low,
                          const ice_scalar *high, ice_scalar *minimum, ice_scalar *maximum) {
    if (low->kind == ICE_SCALAR_NUMBER && low->number >= INT32_MIN && low->number <= INT32_MAX) {
        // Old writers rounded times before 1970 toward zero, one unit too high.
        const i128 first = low->number - (low->number <= 0);
        *minimum = within(source, start_of(self, source, first));
    }
    if (high->kind == ICE_SCALAR_NUMBER && high->number >= INT32_MIN && high->number <= INT32_MAX) {
        *maximum = within(source, start_of(self, source, high->number + 1) - 1);
    }
}

static void range_of_cut(const ice_transform *self, const type *source, const ice_scalar *low,
                         const ice_scalar *high, arena *memory, ice_scalar *minimum,
                         ice_scalar *maximum) {
    *minimum = *low;
    if (high->kind == ICE_SCALAR_NUMBER) {
        i128 top;
        *maximum = i128_add_fits(high->number, self->width - 1, &top) ? within(source, top) : none;
    } else if (high->kind == ICE_SCALAR_BYTES) {
        *maximum = code_point_count(source, high->data) < (size_t)self->width
                       ? *high
                       : above_all(high->data, memory);
    }
}

void ice_transform_range(const ice_transform *self, const type *source, const ice_scalar *low,
                         const ice_scalar *high, arena *memory, ice_scalar *minimum,
                         ice_scalar *maximum) {
    *minimum = none;
    *maximum = none;
    if (ice_transform_result(self, source) == NULL) {
        return;
    }
    switch (self->kind) {
    case ICE_IDENTITY:
        *minimum = *low;
        *maximum = *high;
        break;
    case ICE_TRUNCATE:
        range_of_cut(self, source, low, high, memory, minimum, maximum);
        break;
    case ICE_YEAR:
    case ICE_MONTH:
    case ICE_DAY:
    case ICE_HOUR:
        range_of_time(self, source, low, high, minimum, maximum);
        break;
    case ICE_BUCKET:
    case ICE_VOID:
    case ICE_UNKNOWN:
    case ICE_TRANSFORM_COUNT:
        break;
    }
}

bytes ice_transform_cut(const ice_transform *self, const type *source, bytes value) {
    return (bytes){.size = cut_at(source, value, self->width), .data = value.data};
}

static ice_scalar apply_cut(const ice_transform *self, const type *source,
                            const ice_scalar *value) {
    if (value->kind == ICE_SCALAR_BYTES) {
        return (ice_scalar){.kind = ICE_SCALAR_BYTES,
                            .data = ice_transform_cut(self, source, value->data)};
    }
    return number_of(floor_div(value->number, self->width) * self->width);
}

ice_scalar ice_transform_apply(const ice_transform *self, const type *source,
                               const ice_scalar *value, arena *memory) {
    (void)memory;
    int32_t bucket = 0;
    if (ice_transform_result(self, source) == NULL || value->kind == ICE_SCALAR_NONE) {
        return none;
    }
    if (value->kind == ICE_SCALAR_NULL || self->kind == ICE_IDENTITY) {
        return *value;
    }
    if (self->kind == ICE_BUCKET) {
        return ice_bucket_of(source, value, self->width, &bucket) ? number_of(bucket) : none;
    }
    return self->kind == ICE_TRUNCATE ? apply_cut(self, source, value)
                                      : unit_of(self, source, value->number);
}

// ---- Buckets -----------------------------------------------------------------------------------

WRAPS static uint32_t rotate(uint32_t value, uint32_t by) {
    return value << by | value >> (32 - by);
}

WRAPS static uint32_t scramble(uint32_t value) {
    return rotate(value * UINT32_C(0xcc9e2d51), 15) * UINT32_C(0x1b873593);
}

// MurmurHash3, x86 variant of 32 bits, seed 0.
WRAPS static uint32_t murmur3(bytes value) {
    uint32_t hash = 0;
    size_t at = 0;
    for (; value.size - at >= 4; at += 4) {
        const uint8_t *word = value.data + at;
        const uint32_t block = (uint32_t)word[0] | (uint32_t)word[1] << 8 |
                               (uint32_t)word[2] << 16 | (uint32_t)word[3] << 24;
        hash = rotate(hash ^ scramble(block), 13) * 5 + UINT32_C(0xe6546b64);
    }
    uint32_t tail = 0;
    for (size_t i = value.size; i > at; i--) {
        tail = tail << 8 | value.data[i - 1];
    }
    hash ^= scramble(tail);
    hash ^= (uint32_t)value.size;
    hash = (hash ^ hash >> 16) * UINT32_C(0x85ebca6b);
    hash = (hash ^ hash >> 13) * UINT32_C(0xc2b2ae35);
    return hash ^ hash >> 16;
}

bool ice_hash(const type *of, const ice_scalar *value, int32_t *out) {
    uint8_t room[16];
    bytes data = {.size = 8, .data = room};
    if (!can_hash(of) || value->kind != ice_scalar_kind_of(of)) {
        return false;
    }
    if (value->kind == ICE_SCALAR_BYTES) {
        data = value->data;
    } else if (of->id == TYPE_DECIMAL) {
        data = (bytes){.size = ice_decimal_bytes(value->number, room), .data = room};
    } else {
        const bool is_nano = is_timestamp(of) && of->unit == UNIT_NANO;
        i128 number = is_nano ? floor_div(value->number, 1000) : value->number;
        for (size_t i = 0; i < 8; i++) {
            room[i] = (uint8_t)(number & 0xff);
            number = floor_div(number, 256);
        }
    }
    const uint32_t hash = murmur3(data);
    memcpy(out, &hash, sizeof hash);
    return true;
}

bool ice_bucket_of(const type *of, const ice_scalar *value, int32_t count, int32_t *out) {
    int32_t hash;
    if (!ice_hash(of, value, &hash)) {
        return false;
    }
    *out = (hash & INT32_MAX) % count;
    return true;
}
