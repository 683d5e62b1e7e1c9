#include "functions/scalar/regular_case.h"

#include <string.h>

#define DEPTH_MAX 250 // Of groups, as in PCRE2.

typedef struct case_writer {
    text pattern;
    char *out;
    size_t at;
    bool is_caseless;
    uint32_t depth;
    bool outside[DEPTH_MAX]; // What holds behind each open group.
} case_writer;

bool regular_names_case(text pattern) {
    return text_find(pattern, TEXT("er:]")) < pattern.size ||
           text_find(pattern, TEXT("\\p{")) < pattern.size ||
           text_find(pattern, TEXT("\\P{")) < pattern.size;
}

static bool is_next(const case_writer *self, text words) {
    const text left = text_slice(self->pattern, self->at, self->pattern.size);
    return text_starts_with(left, words);
}

static void pass(case_writer *self, size_t count) {
    const size_t left = self->pattern.size - self->at;
    self->at += count < left ? count : left;
}

static void pass_behind(case_writer *self, text end) {
    const text left = text_slice(self->pattern, self->at, self->pattern.size);
    pass(self, text_find(left, end) + end.size);
}

// Replaces a class if it is one of those; white space and '_' in a name mean nothing.
static bool pass_class(case_writer *self) {
    static const struct {
        text words;
        const char *is;
    } classes[] = {
        {{.data = "[:upper:]", .size = 9}, "\\p{L&___}"},
        {{.data = "[:lower:]", .size = 9}, "\\p{L&___}"},
        {{.data = "[:^upper:]", .size = 10}, "\\P{L&____}"},
        {{.data = "[:^lower:]", .size = 10}, "\\P{L&____}"},
        {{.data = "\\p{Lu}", .size = 6}, "\\p{L&}"},
        {{.data = "\\p{Ll}", .size = 6}, "\\p{L&}"},
        {{.data = "\\p{Lt}", .size = 6}, "\\p{L&}"},
        {{.data = "\\P{Lu}", .size = 6}, "\\P{L&}"},
        {{.data = "\\P{Ll}", .size = 6}, "\\P{L&}"},
        {{.data = "\\P{Lt}", .size = 6}, "\\P{L&}"},
        {{.data = "\\p{^Lu}", .size = 7}, "\\P{L&_}"},
        {{.data = "\\p{^Ll}", .size = 7}, "\\P{L&_}"},
        {{.data = "\\p{^Lt}", .size = 7}, "\\P{L&_}"},
    };
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        if (is_next(self, classes[i].words)) {
            if (self->is_caseless) {
                memcpy(self->out + self->at, classes[i].is, classes[i].words.size);
            }
            pass(self, classes[i].words.size);
            return true;
        }
    }
    return false;
}

static void pass_escape(case_writer *self) {
    if (is_next(self, TEXT("\\Q"))) {
        pass_behind(self, TEXT("\\E"));
    } else if (!pass_class(self)) {
        pass(self, 2);
    }
}

// A '[', or a whole class like [:alpha:], whose ']' is not that of the brackets.
static void pass_other_class(case_writer *self) {
    const bool may_be = is_next(self, TEXT("[:"));
    pass(self, may_be ? 2 : 1);
    while (
        may_be && self->at < self->pattern.size &&
        (self->pattern.data[self->at] == '^' || ((self->pattern.data[self->at] | 0x20) >= 'a' &&
                                                 (self->pattern.data[self->at] | 0x20) <= 'z'))) {
        pass(self, 1);
    }
    pass(self, may_be && is_next(self, TEXT(":]")) ? 2 : 0);
}

// From the '[' to its ']', which is a member where it stands first.
static void pass_brackets(case_writer *self) {
    pass(self, is_next(self, TEXT("[^")) ? 2 : 1);
    if (is_next(self, TEXT("]"))) {
        pass(self, 1);
    }
    while (self->at < self->pattern.size && !is_next(self, TEXT("]"))) {
        if (is_next(self, TEXT("\\"))) {
            pass_escape(self);
        } else if (!is_next(self, TEXT("[:")) || !pass_class(self)) {
            pass_other_class(self);
        }
    }
    pass(self, 1);
}

// "(?i)", "(?i-s:", "(?^": the letters, and whether they are for a group of their own.
static void pass_flags(case_writer *self) {
    bool is_on = true;
    bool is_caseless = self->is_caseless;
    size_t at = self->at + 2;
    for (; at < self->pattern.size; at++) {
        const char byte = self->pattern.data[at];
        if (byte == '-') {
            is_on = false;
        } else if (byte == '^') {
            is_caseless = false;
        } else if (byte == 'i') {
            is_caseless = is_on;
        } else if ((byte | 0x20) < 'a' || (byte | 0x20) > 'z') {
            break;
        }
    }
    const char end = at < self->pattern.size ? self->pattern.data[at] : '\0';
    if (end == ')') {
        self->is_caseless = is_caseless;
        self->at = at + 1;
        return;
    }
    if (self->depth < DEPTH_MAX) {
        self->outside[self->depth] = self->is_caseless;
    }
    self->depth++;
    self->is_caseless = end == ':' ? is_caseless : self->is_caseless; // Else a name: (?P<n>, (?<n>.
    self->at = end == ':' ? at + 1 : self->at + 2;
}

static void pass_group(case_writer *self) {
    if (is_next(self, TEXT("(?#"))) {
        pass_behind(self, TEXT(")"));
    } else if (is_next(self, TEXT("(?"))) {
        pass_flags(self);
    } else {
        if (self->depth < DEPTH_MAX) {
            self->outside[self->depth] = self->is_caseless;
        }
        self->depth++;
        pass(self, 1);
    }
}

void regular_write_case(text pattern, bool is_caseless, char *out) {
    case_writer self = {.pattern = pattern, .out = out, .is_caseless = is_caseless};
    memcpy(out, pattern.data, pattern.size);
    while (self.at < pattern.size) {
        switch (pattern.data[self.at]) {
        case '\\':
            pass_escape(&self);
            break;
        case '[':
            pass_brackets(&self);
            break;
        case '(':
            pass_group(&self);
            break;
        case ')':
            if (self.depth > 0) {
                self.depth--;
                self.is_caseless =
                    self.depth < DEPTH_MAX ? self.outside[self.depth] : self.is_caseless;
            }
            pass(&self, 1);
            break;
        default:
            pass(&self, 1);
            break;
        }
    }
}
