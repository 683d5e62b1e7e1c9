#!/usr/bin/env python3
"""Writes src/sql/keywords_table.h: a perfect hash over the words of src/sql/keywords.def.

The hash of a word is FNV-1a over its letters; its lowest bits choose a shift, which moves the other
bits to a slot that no other keyword has. The unit tests look every keyword up, so a table that is
out of date fails there.
"""
import pathlib
import re

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "src" / "sql"
SLOTS = 512
BUCKETS = 128


def word_hash(word):
    value = 2166136261
    for letter in word.encode():
        value = (value ^ letter) * 16777619 & 0xFFFFFFFF
    return value


def place(words):
    buckets = {}
    for word in words:
        buckets.setdefault(word_hash(word) % BUCKETS, []).append(word)
    shifts = [0] * BUCKETS
    slots = [None] * SLOTS
    for bucket, members in sorted(buckets.items(), key=lambda item: -len(item[1])):
        for shift in range(SLOTS):
            wanted = [((word_hash(word) >> 16) + shift) % SLOTS for word in members]
            if len(set(wanted)) == len(wanted) and all(slots[slot] is None for slot in wanted):
                break
        else:
            raise SystemExit(f"no shift for {members}: make SLOTS larger")
        shifts[bucket] = shift
        for word, slot in zip(members, wanted):
            slots[slot] = word
    return shifts, slots


def lines(values, width):
    rows = [values[at:at + width] for at in range(0, len(values), width)]
    return "\n".join("    " + " ".join(f"{value}," for value in row) for row in rows)


def main():
    words = re.findall(r"^KEYWORD\((\w+),", (FOLDER / "keywords.def").read_text(), re.MULTILINE)
    assert words == sorted(set(words)), "keywords.def is not in order"
    shifts, slots = place(words)
    used = [f"    [{slot}] = KW_{word}," for slot, word in enumerate(slots) if word]
    (FOLDER / "keywords_table.h").write_text(f"""\
// Made by tools/make_keyword_table.py from keywords.def; do not edit. See keywords.c.
#ifndef FIRN_SQL_KEYWORDS_TABLE_H
#define FIRN_SQL_KEYWORDS_TABLE_H

#include <stdint.h>

#include "sql/keywords.h"

#define KEYWORD_SLOTS {SLOTS}
#define KEYWORD_BUCKETS {BUCKETS}
#define KEYWORD_SIZE_MAX {max(map(len, words))}

// clang-format off
static const uint16_t keyword_shifts[KEYWORD_BUCKETS] = {{
{lines(shifts, 16)}
}};

static const uint16_t keyword_slots[KEYWORD_SLOTS] = {{
{chr(10).join(used)}
}};
// clang-format on

#endif
""")


if __name__ == "__main__":
    main()
