// The part of pw_chunk.c that chooses: codes or another encoding, and the codec.
#include <math.h>

#include "formats/parquet/write/pw_chunk_private.h"
#include "formats/parquet/write/pw_hybrid.h"
#include "formats/parquet/write/pw_strings.h"

#define SAMPLE_BYTES_MAX (UINT64_C(2) << 20)
#define FEW_BYTES_MAX (UINT64_C(256) << 10) // Enough to compare encodings and the codec alone.
#define SAMPLE_BODIES 4    // That the codec of a chunk with dictionary is chosen by.
#define PAGES_TO_COME 8    // Share a dictionary that will not grow too large.
#define DICTIONARY_COST 95 // Percent: codes are worth something to readers.
#define CODES_SMALLER 16   // Times: no other encoding is worth trying then.

// So many of the first values that trying encodings on them takes little.
static uint32_t sample_count(const pw_values *values, uint64_t bytes_max) {
    const uint64_t size = pw_plain_size(values);
    return size <= bytes_max
               ? values->count
               : (uint32_t)((double)values->count * (double)bytes_max / (double)size) + 1;
}

// Of values that are so long that no encoding is worth trying: some bytes of the longest.
static bytes start_of_longest(const pw_values *sample) {
    bytes longest = {.data = sample->data, .size = sample->width};
    for (uint32_t i = 0; sample->type == PQ_BYTE_ARRAY && i < sample->count; i++) {
        const string_value *value = &sample->strings[i];
        if (i == 0 || value->size > longest.size) {
            longest = (bytes){.data = (const uint8_t *)string_data(value), .size = value->size};
        }
    }
    longest.size = longest.size < SAMPLE_BYTES_MAX ? longest.size : SAMPLE_BYTES_MAX;
    return longest;
}

firn_status pw_chunk_choose_otherwise(pw_chunk *self, const pw_values *values, pw_worker *with,
                                      pw_choice *out, firn_error *err) {
    pw_options options = *self->options;
    if (self->is_codec_known) {
        options.codec_choice = PW_CODEC_GIVEN;
        options.codec = self->is_compressed ? options.codec : CODEC_NONE;
    }
    pw_values sample = *values;
    sample.count = sample_count(values, self->page.is_coded ? SAMPLE_BYTES_MAX : FEW_BYTES_MAX);
    if (pw_plain_size(&sample) <= 2 * SAMPLE_BYTES_MAX) {
        TRY(pw_choose(&options, self->leaf_options, &sample, with, out, err));
    } else {
        *out = (pw_choice){.encoding = PQ_ENCODING_PLAIN};
        TRY(pw_choose_codec(&options, start_of_longest(&sample), with, &out->is_compressed,
                            &out->size, err));
        out->size = pw_plain_size(&sample);
    }
    self->otherwise = out->encoding;
    self->is_otherwise_quick = out->is_quick;
    self->has_otherwise = true;
    return FIRN_OK;
}

// How large the dictionary becomes, as a multiple of what it is now, if values are drawn at random
// from D different ones: of these, D(1 - q) were met when the page was half full and D(1 - q^2) are
// met now. At least 1; INFINITY where it does not look like that.
static double growth_to_come(const pw_chunk *self) {
    if (self->half_values == 0) {
        return (double)INFINITY;
    }
    const double half =
        self->half_entries * ((double)self->page.value_count / 2 / self->half_values);
    const double now = pw_dictionary_entries(self->dictionary).count;
    return now >= 2 * half ? (double)INFINITY : half * half / (2 * half - now) / now;
}

firn_status pw_chunk_is_coding_best(pw_chunk *self, const pw_values *values, bool goes_on,
                                    pw_worker *with, bool *out, firn_error *err) {
    const arena_mark mark = arena_mark_take(&with->scratch);
    const uint32_t count = sample_count(values, SAMPLE_BYTES_MAX);
    const uint32_t entry_count = pw_dictionary_entries(self->dictionary).count;
    byte_output codes = {.memory = &with->scratch};
    pw_choice other;
    bytes entries;
    bool is_compressed;
    uint64_t codes_size;
    uint64_t entries_size;
    TRY(pw_encode_codes(pw_page_codes(&self->page), count, &codes, err));
    TRY(pw_chunk_dictionary_body(self, with, &entries, err));
    if ((codes.size + entries.size) * CODES_SMALLER <=
        pw_plain_size(values) * count / values->count) {
        arena_rewind(&with->scratch, mark);
        *out = true;
        return FIRN_OK;
    }
    TRY(pw_chunk_choose_otherwise(self, values, with, &other, err));
    TRY(pw_choose_codec(self->options, byte_output_bytes(&codes), with, &is_compressed, &codes_size,
                        err));
    TRY(pw_choose_codec(self->options, entries, with, &is_compressed, &entries_size, err));
    arena_rewind(&with->scratch, mark);
    // What the dictionary has grown to on so many values it has to be paid for by them alone,
    // unless it will not grow much more and others come.
    const double growth = fmax(growth_to_come(self), 1);
    const bool is_shared = goes_on && growth * (double)pw_dictionary_bytes(self->dictionary) <=
                                          (double)self->options->dictionary_bytes;
    double each = (double)codes_size;
    double whole = (double)entries_size;
    if (is_shared) {
        const double last = fmin(growth * entry_count, UINT32_MAX);
        each *= (double)pw_width_of((uint32_t)last) / fmax(pw_width_of(entry_count), 1);
        whole *= growth / PAGES_TO_COME;
    }
    const double coded = each + whole * (double)count / (double)values->count;
    *out = coded * DICTIONARY_COST <= (double)other.size * 100;
    if (!*out && self->coded_count == 0 && !self->is_codec_known) {
        self->is_compressed = other.is_compressed;
        self->is_codec_known = true;
    }
    return FIRN_OK;
}

// Adds what bytes take without and with the codec.
static firn_status measure(const pw_chunk *self, bytes body, pw_worker *with, double *before,
                           double *after, firn_error *err) {
    uint64_t size;
    TRY(pw_compressed_size(self->options, false, body, with, &size, err));
    *before += (double)body.size;
    *after += (double)size;
    return FIRN_OK;
}

firn_status pw_chunk_choose_codec(pw_chunk *self, pw_worker *with, firn_error *err) {
    if (self->is_codec_known) {
        return FIRN_OK;
    }
    if (self->options->codec != CODEC_NONE && self->options->codec_choice == PW_CODEC_CHOSEN) {
        const arena_mark mark = arena_mark_take(&with->scratch);
        bytes entries;
        double before = 0;
        double after = 0;
        const uint32_t sampled =
            self->page_count < SAMPLE_BODIES ? self->page_count : SAMPLE_BODIES;
        for (uint32_t i = 0; i < sampled; i++) {
            const uint32_t at = (uint32_t)((uint64_t)i * self->page_count / sampled);
            TRY(measure(self, self->pages[at].body, with, &before, &after, err));
        }
        const double pages_each = sampled == 0 ? 1 : (double)self->page_count / sampled;
        before *= pages_each;
        after *= pages_each;
        TRY(pw_chunk_dictionary_body(self, with, &entries, err));
        TRY(measure(self, entries, with, &before, &after, err));
        arena_rewind(&with->scratch, mark);
        self->is_compressed = after * 10 <= before * 9;
    }
    self->is_codec_known = true;
    return FIRN_OK;
}
