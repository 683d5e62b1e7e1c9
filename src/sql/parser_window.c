// ORDER BY, and windows: OVER w, OVER (w PARTITION BY a ORDER BY b ROWS BETWEEN ...).
#include "sql/parser_private.h"

static firn_status parse_order_item(sql_parser *self, const sql_order_item **out, firn_error *err) {
    sql_order_item item = {.node = PART_AT(SQL_ORDER_ITEM, self->token.position)};
    if (!parser_accept_word(self, KW_ALL)) {
        TRY(sql_parse_expr(self, &item.value, err));
    }
    if (parser_accept_word(self, KW_ASC)) {
        item.direction = SQL_DIRECTION_ASC;
    } else if (parser_accept_word(self, KW_DESC)) {
        item.direction = SQL_DIRECTION_DESC;
    }
    if (parser_accept_word(self, KW_NULLS)) {
        if (parser_accept_word(self, KW_FIRST)) {
            item.nulls = SQL_NULL_ORDER_FIRST;
        } else if (parser_accept_word(self, KW_LAST)) {
            item.nulls = SQL_NULL_ORDER_LAST;
        } else {
            return parser_unexpected(self, "FIRST or LAST behind NULLS", err);
        }
    }
    return KEEP(self, item, out, err);
}

firn_status sql_parse_order_items(sql_parser *self, sql_list *out, firn_error *err) {
    const size_t mark = parser_mark(self);
    do {
        const sql_order_item *item;
        TRY(parse_order_item(self, &item, err));
        TRY(parser_push(self, item, err));
    } while (parser_accept(self, TOKEN_COMMA));
    return parser_take_list(self, mark, out, err);
}

firn_status sql_parse_order_by(sql_parser *self, sql_list *out, firn_error *err) {
    if (!parser_accept_word(self, KW_ORDER)) {
        return FIRN_OK;
    }
    TRY(parser_expect_word(self, KW_BY, err));
    return sql_parse_order_items(self, out, err);
}

static firn_status parse_bound(sql_parser *self, sql_frame_bound *bound, const sql_expr **offset,
                               firn_error *err) {
    const sql_token *behind = parser_peek(self, 1);
    if (parser_at_word(self, KW_UNBOUNDED) &&
        (behind->keyword == KW_PRECEDING || behind->keyword == KW_FOLLOWING)) {
        *bound = behind->keyword == KW_PRECEDING ? SQL_BOUND_UNBOUNDED_PRECEDING
                                                 : SQL_BOUND_UNBOUNDED_FOLLOWING;
        parser_advance(self);
        parser_advance(self);
        return FIRN_OK;
    }
    if (parser_accept_words(self, KW_CURRENT, KW_ROW)) {
        *bound = SQL_BOUND_CURRENT_ROW;
        return FIRN_OK;
    }
    TRY(sql_parse_expr(self, offset, err));
    if (parser_accept_word(self, KW_PRECEDING)) {
        *bound = SQL_BOUND_PRECEDING;
        return FIRN_OK;
    }
    if (parser_accept_word(self, KW_FOLLOWING)) {
        *bound = SQL_BOUND_FOLLOWING;
        return FIRN_OK;
    }
    return parser_unexpected(self, "PRECEDING or FOLLOWING", err);
}

static firn_status parse_exclude(sql_parser *self, sql_frame_exclude *out, firn_error *err) {
    if (parser_accept_words(self, KW_CURRENT, KW_ROW)) {
        *out = SQL_EXCLUDE_CURRENT_ROW;
    } else if (parser_accept_word(self, KW_GROUP)) {
        *out = SQL_EXCLUDE_GROUP;
    } else if (parser_accept_word(self, KW_TIES)) {
        *out = SQL_EXCLUDE_TIES;
    } else if (parser_accept_words(self, KW_NO, KW_OTHERS)) {
        *out = SQL_EXCLUDE_NO_OTHERS;
    } else {
        return parser_unexpected(self, "CURRENT ROW, GROUP, TIES or NO OTHERS behind EXCLUDE", err);
    }
    return FIRN_OK;
}

static bool at_frame(const sql_parser *self) {
    return parser_at_word(self, KW_ROWS) || parser_at_word(self, KW_RANGE) ||
           parser_at_word(self, KW_GROUPS);
}

static firn_status parse_frame(sql_parser *self, const sql_frame **out, firn_error *err) {
    sql_frame frame = {.node = PART_AT(SQL_FRAME, self->token.position),
                       .unit = parser_at_word(self, KW_ROWS)    ? SQL_FRAME_ROWS
                               : parser_at_word(self, KW_RANGE) ? SQL_FRAME_RANGE
                                                                : SQL_FRAME_GROUPS,
                       .end = SQL_BOUND_CURRENT_ROW};
    parser_advance(self);
    if (parser_accept_word(self, KW_BETWEEN)) {
        TRY(parse_bound(self, &frame.start, &frame.start_offset, err));
        TRY(parser_expect_word(self, KW_AND, err));
        TRY(parse_bound(self, &frame.end, &frame.end_offset, err));
    } else {
        TRY(parse_bound(self, &frame.start, &frame.start_offset, err));
    }
    if (parser_accept_word(self, KW_EXCLUDE)) {
        TRY(parse_exclude(self, &frame.exclude, err));
    }
    return KEEP(self, frame, out, err);
}

firn_status sql_parse_window(sql_parser *self, const sql_window **out, firn_error *err) {
    sql_window window = {.node = PART_AT(SQL_WINDOW, self->token.position)};
    TRY(parser_expect(self, TOKEN_LEFT_PAREN, err));
    const bool is_clause = parser_at_words(self, KW_PARTITION, KW_BY) || at_frame(self);
    if (!is_clause && parser_at_name(self)) {
        TRY(parser_take_name(self, &window.base, err));
    }
    if (parser_accept_words(self, KW_PARTITION, KW_BY)) {
        TRY(sql_parse_expr_list(self, &window.partition_by, err));
    }
    TRY(sql_parse_order_by(self, &window.order_by, err));
    if (at_frame(self)) {
        TRY(parse_frame(self, &window.frame, err));
    }
    if (!parser_accept(self, TOKEN_RIGHT_PAREN)) {
        return parser_unexpected(self, "PARTITION BY, ORDER BY, a frame or \")\" of the window",
                                 err);
    }
    return KEEP(self, window, out, err);
}

firn_status sql_parse_over(sql_parser *self, const sql_window **out, firn_error *err) {
    parser_advance(self);
    if (parser_at(self, TOKEN_LEFT_PAREN)) {
        return sql_parse_window(self, out, err);
    }
    sql_window window = {.node = PART_AT(SQL_WINDOW, self->token.position), .is_reference = true};
    TRY(parser_expect_name(self, "\"(\" or the name of a window behind OVER", &window.base, err));
    return KEEP(self, window, out, err);
}
