// What the files of zone share.
#ifndef FIRN_BASE_ZONE_PRIVATE_H
#define FIRN_BASE_ZONE_PRIVATE_H

#include "base/zone.h"

/// The latest change of clocks at or before a second, and the first one after it, by the rule. With
/// no summer `until` is INT64_MAX and `from` INT64_MIN.
void zone_rule_period(const zone_rule *rule, int64_t utc_seconds, zone_period *out);

#endif
