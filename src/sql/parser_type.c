// Types by their many names, and the units of intervals. Spellings of several words become the one
// word that INTERFACE has for the type; whether a name is a type at all, others decide.
#include "sql/parser_private.h"

// ---- Units -------------------------------------------------------------------------------------

static const struct {
    uint16_t singular;
    uint16_t plural;
    uint8_t unit;
} units[] = {
    {KW_YEAR, KW_YEARS, SQL_UNIT_YEAR},
    {KW_MONTH, KW_MONTHS, SQL_UNIT_MONTH},
    {KW_DAY, KW_DAYS, SQL_UNIT_DAY},
    {KW_HOUR, KW_HOURS, SQL_UNIT_HOUR},
    {KW_MINUTE, KW_MINUTES, SQL_UNIT_MINUTE},
    {KW_SECOND, KW_SECONDS, SQL_UNIT_SECOND},
    {KW_WEEK, KW_WEEKS, SQL_UNIT_WEEK},
    {KW_QUARTER, KW_QUARTERS, SQL_UNIT_QUARTER},
    {KW_DECADE, KW_DECADES, SQL_UNIT_DECADE},
    {KW_CENTURY, KW_CENTURIES, SQL_UNIT_CENTURY},
    {KW_MILLENNIUM, KW_MILLENNIUMS, SQL_UNIT_MILLENNIUM},
    {KW_MILLENNIA, KW_MILLENNIA, SQL_UNIT_MILLENNIUM},
    {KW_MILLISECOND, KW_MILLISECONDS, SQL_UNIT_MILLISECOND},
    {KW_MICROSECOND, KW_MICROSECONDS, SQL_UNIT_MICROSECOND},
    {KW_NANOSECOND, KW_NANOSECONDS, SQL_UNIT_NANOSECOND},
};

sql_unit sql_unit_of(const sql_token *token) {
    if (token->keyword == KW_NONE) {
        return SQL_UNIT_NONE;
    }
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (units[i].singular == token->keyword || units[i].plural == token->keyword) {
            return (sql_unit)units[i].unit;
        }
    }
    return SQL_UNIT_NONE;
}

firn_status sql_parse_units(sql_parser *self, sql_unit *unit, sql_unit *to_unit, firn_error *err) {
    *unit = sql_unit_of(&self->token);
    *to_unit = SQL_UNIT_NONE;
    if (*unit == SQL_UNIT_NONE) {
        return FIRN_OK;
    }
    parser_advance(self);
    if (!parser_accept_word(self, KW_TO)) {
        return FIRN_OK;
    }
    *to_unit = sql_unit_of(&self->token);
    if (*to_unit == SQL_UNIT_NONE) {
        return parser_unexpected(self, "a unit such as SECOND behind TO", err);
    }
    parser_advance(self);
    return FIRN_OK;
}

// ---- Types -------------------------------------------------------------------------------------

// The bracket that encloses what belongs to a type: (...), or <...> as Spark and BigQuery write it.
typedef enum bracket { BRACKET_NONE, BRACKET_ROUND, BRACKET_ANGLE } bracket;

static bracket open_bracket(sql_parser *self) {
    if (parser_accept(self, TOKEN_LEFT_PAREN)) {
        return BRACKET_ROUND;
    }
    if (parser_at_operator(self, SQL_OP_LESS)) {
        parser_advance(self);
        return BRACKET_ANGLE;
    }
    return BRACKET_NONE;
}

static firn_status close_bracket(sql_parser *self, bracket opened, firn_error *err) {
    if (opened == BRACKET_ROUND) {
        return parser_expect(self, TOKEN_RIGHT_PAREN, err);
    }
    if (parser_at_operator(self, SQL_OP_SHIFT_RIGHT)) {
        // Of >> only the first half is ours.
        self->last = self->token;
        self->last.length = 1;
        self->token.op = SQL_OP_GREATER;
        self->token.position += 1;
        self->token.length = 1;
        return FIRN_OK;
    }
    if (!parser_at_operator(self, SQL_OP_GREATER)) {
        return parser_unexpected(self, "\">\" that closes the type", err);
    }
    parser_advance(self);
    return FIRN_OK;
}

static firn_status parse_field(sql_parser *self, const sql_field_definition **out,
                               firn_error *err) {
    sql_field_definition field = {.node = PART_AT(SQL_FIELD_DEFINITION, self->token.position)};
    TRY(parser_expect_label(self, "the name of a field", &field.name, err));
    (void)parser_accept(self, TOKEN_COLON);
    TRY(sql_parse_type_name(self, &field.type, err));
    field.is_not_null = parser_accept_words(self, KW_NOT, KW_NULL);
    if (parser_accept_word(self, KW_COMMENT)) {
        TRY(sql_parse_string(self, "a comment in single quotes", &field.comment, err));
    }
    return KEEP(self, field, out, err);
}

// STRUCT(a INTEGER, b VARCHAR), ROW(...), STRUCT<a: INTEGER>
static firn_status parse_struct(sql_parser *self, sql_type *type, firn_error *err) {
    const size_t mark = parser_mark(self);
    parser_advance(self);
    const bracket opened = open_bracket(self);
    type->kind = SQL_TYPE_STRUCT;
    do {
        const sql_field_definition *field;
        TRY(parse_field(self, &field, err));
        TRY(parser_push(self, field, err));
    } while (parser_accept(self, TOKEN_COMMA));
    TRY(parser_take_list(self, mark, &type->fields, err));
    return close_bracket(self, opened, err);
}

// MAP(K, V), MAP<K, V>
static firn_status parse_map(sql_parser *self, sql_type *type, firn_error *err) {
    parser_advance(self);
    const bracket opened = open_bracket(self);
    type->kind = SQL_TYPE_MAP;
    TRY(sql_parse_type_name(self, &type->key, err));
    TRY(parser_expect(self, TOKEN_COMMA, err));
    TRY(sql_parse_type_name(self, &type->element, err));
    return close_bracket(self, opened, err);
}

// LIST(T), ARRAY(T), ARRAY<T>
static firn_status parse_list(sql_parser *self, sql_type *type, firn_error *err) {
    parser_advance(self);
    const bracket opened = open_bracket(self);
    type->kind = SQL_TYPE_LIST;
    TRY(sql_parse_type_name(self, &type->element, err));
    return close_bracket(self, opened, err);
}

// (10, 2), ('OGC:CRS84'), or nothing.
static firn_status parse_modifiers(sql_parser *self, sql_list *out, firn_error *err) {
    const size_t mark = parser_mark(self);
    if (!parser_accept(self, TOKEN_LEFT_PAREN)) {
        return FIRN_OK;
    }
    do {
        const sql_literal *modifier;
        if (parser_at_string(self)) {
            TRY(sql_parse_string(self, "a text", &modifier, err));
        } else {
            TRY(sql_parse_number(self, "a number, as in DECIMAL(10, 2)", &modifier, err));
        }
        TRY(parser_push(self, modifier, err));
    } while (parser_accept(self, TOKEN_COMMA));
    TRY(parser_expect(self, TOKEN_RIGHT_PAREN, err));
    return parser_take_list(self, mark, out, err);
}

static firn_status lower_type_name(sql_parser *self, sql_name *name, firn_error *err) {
    const text value = name->value;
    if (name->is_quoted) {
        return FIRN_OK;
    }
    char *lower = ARENA_NEW(self->memory, char, value.size);
    if (lower == NULL) {
        return ARENA_FULL(self->memory, err);
    }
    for (size_t i = 0; i < value.size; i++) {
        const char byte = value.data[i];
        lower[i] = byte >= 'A' && byte <= 'Z' ? (char)(byte | 0x20) : byte;
    }
    name->value.data = lower;
    return FIRN_OK;
}

// Takes WITH TIME ZONE or WITHOUT TIME ZONE; whether it was the first.
static firn_status accept_time_zone(sql_parser *self, bool *has_zone, firn_error *err) {
    *has_zone = parser_at_words(self, KW_WITH, KW_TIME);
    if (*has_zone || parser_at_words(self, KW_WITHOUT, KW_TIME)) {
        parser_advance(self);
        parser_advance(self);
        TRY(parser_expect_word(self, KW_ZONE, err));
    }
    return FIRN_OK;
}

// A type that is a name, with the words that SQL lets follow it.
static firn_status parse_named(sql_parser *self, sql_type *type, firn_error *err) {
    const sql_keyword word = (sql_keyword)self->token.keyword;
    const sql_token behind = *parser_peek(self, 1);
    TRY(parser_expect_name(self, "a type", &type->name, err));
    TRY(lower_type_name(self, &type->name, err));
    if (word == KW_DOUBLE) {
        (void)parser_accept_word(self, KW_PRECISION);
    } else if (word == KW_NATIONAL &&
               (behind.keyword == KW_CHARACTER || behind.keyword == KW_CHAR)) {
        parser_advance(self);
        type->name.value = parser_accept_word(self, KW_VARYING) ? TEXT("varchar") : TEXT("char");
    } else if ((word == KW_CHARACTER || word == KW_CHAR || word == KW_NCHAR || word == KW_BIT) &&
               parser_accept_word(self, KW_VARYING)) {
        type->name.value = word == KW_BIT ? TEXT("varbit") : TEXT("varchar");
    }
    TRY(parse_modifiers(self, &type->modifiers, err));
    if (word == KW_TIMESTAMP || word == KW_TIME) {
        bool has_zone;
        TRY(accept_time_zone(self, &has_zone, err));
        if (has_zone) {
            type->name.value = word == KW_TIMESTAMP ? TEXT("timestamptz") : TEXT("timetz");
        }
    }
    type->name.length = parser_end(self) - type->name.position;
    return FIRN_OK;
}

firn_status sql_parse_simple_type(sql_parser *self, const sql_type **out, firn_error *err) {
    sql_type type = {.node = PART_AT(SQL_TYPE, self->token.position)};
    const sql_keyword word = (sql_keyword)self->token.keyword;
    const sql_token *behind = parser_peek(self, 1);
    const bool has_bracket = behind->kind == TOKEN_LEFT_PAREN || behind->op == SQL_OP_LESS;
    if (has_bracket && (word == KW_STRUCT || word == KW_ROW)) {
        TRY(parse_struct(self, &type, err));
    } else if (has_bracket && word == KW_MAP) {
        TRY(parse_map(self, &type, err));
    } else if (has_bracket && (word == KW_LIST || word == KW_ARRAY)) {
        TRY(parse_list(self, &type, err));
    } else if (word == KW_INTERVAL) {
        type.kind = SQL_TYPE_INTERVAL;
        parser_advance(self);
        TRY(sql_parse_units(self, &type.unit, &type.to_unit, err));
    } else {
        TRY(parse_named(self, &type, err));
    }
    return KEEP(self, type, out, err);
}

// [], [3], ARRAY, ARRAY[3]: one of them is next.
static firn_status parse_suffix(sql_parser *self, uint32_t start, const sql_type **element,
                                firn_error *err) {
    sql_type type = {.node = PART_AT(SQL_TYPE, start), .kind = SQL_TYPE_LIST, .element = *element};
    const bool has_word = parser_accept_word(self, KW_ARRAY);
    if (!has_word || parser_at(self, TOKEN_LEFT_BRACKET)) {
        const size_t mark = parser_mark(self);
        parser_advance(self);
        if (!parser_at(self, TOKEN_RIGHT_BRACKET)) {
            const sql_literal *size;
            TRY(sql_parse_number(self, "\"]\" or how many elements the list has", &size, err));
            TRY(parser_push(self, size, err));
        }
        TRY(parser_take_list(self, mark, &type.modifiers, err));
        TRY(parser_expect(self, TOKEN_RIGHT_BRACKET, err));
    }
    return KEEP(self, type, element, err);
}

firn_status sql_parse_type_name(sql_parser *self, const sql_type **out, firn_error *err) {
    const uint32_t start = self->token.position;
    const sql_type *type;
    TRY(parser_enter(self, err));
    TRY(sql_parse_simple_type(self, &type, err));
    while (parser_at(self, TOKEN_LEFT_BRACKET) || parser_at_word(self, KW_ARRAY)) {
        TRY(parse_suffix(self, start, &type, err));
    }
    parser_leave(self);
    *out = type;
    return FIRN_OK;
}
