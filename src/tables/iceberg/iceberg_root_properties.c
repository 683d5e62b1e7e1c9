#include "tables/iceberg/iceberg_root_properties.h"

#include "base/number_text.h"

text ice_root_property(const json_node *root, const char *key) {
    const json_node *properties = root == NULL ? NULL : json_find(root, "properties");
    const json_node *found = properties == NULL ? NULL : json_find(properties, key);
    return found == NULL || found->kind != JSON_STRING ? (text){.size = 0} : found->value;
}

uint64_t ice_root_number(const json_node *root, const char *key, uint64_t least, uint64_t missing) {
    uint64_t out;
    const text value = ice_root_property(root, key);
    return number_parse_u64(value, &out) == NUMBER_OK && out >= least ? out : missing;
}

bool ice_root_flag(const json_node *root, const char *key, bool missing) {
    const text value = ice_root_property(root, key);
    return value.size == 0 ? missing : text_equal_nocase(value, TEXT("true"));
}

static uint32_t number_of(const json_node *root, const char *key, uint32_t missing) {
    const uint64_t out = ice_root_number(root, key, 0, missing);
    return out < UINT32_MAX ? (uint32_t)out : UINT32_MAX;
}

void ice_root_commit_options(const json_node *root, commit_options *in_out) {
    const uint32_t tries = in_out->attempts_max == 0 ? 0 : in_out->attempts_max - 1;
    const uint32_t repeats = number_of(root, "commit.retry.num-retries", tries);
    in_out->attempts_max = repeats < UINT32_MAX ? repeats + 1 : UINT32_MAX;
    in_out->pause_ms_min = number_of(root, "commit.retry.min-wait-ms", in_out->pause_ms_min);
    in_out->pause_ms_max = number_of(root, "commit.retry.max-wait-ms", in_out->pause_ms_max);
    in_out->deadline_ms = number_of(root, "commit.retry.total-timeout-ms", in_out->deadline_ms);
}
