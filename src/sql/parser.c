// The entries, and the bottom of all productions: tokens, names, nodes, lists.
#include "sql/parser.h"

#include <assert.h>
#include <string.h>

#include "base/checked.h"
#include "sql/parser_private.h"
#include "sql/token_text.h"

#define PROGRAM_LIMIT "54000"

// ---- Tokens ------------------------------------------------------------------------------------

static void lex(sql_parser *self, sql_token *out) {
    const uint32_t at = self->lexer.at;
    if (sql_lexer_next(&self->lexer, out, &self->ignored) != FIRN_OK) {
        *out = (sql_token){.kind = TOKEN_WRONG, .position = at};
        self->lexer.at = at;
    }
}

void parser_advance(sql_parser *self) {
    self->last = self->token;
    if (self->ahead_count == 0) {
        lex(self, &self->token);
        return;
    }
    self->token = self->ahead[0];
    self->ahead_count -= 1;
    for (uint32_t i = 0; i < self->ahead_count; i++) {
        self->ahead[i] = self->ahead[i + 1];
    }
}

static bool ends_statement(const sql_token *token) {
    return token->kind == TOKEN_SEMICOLON || token->kind == TOKEN_END || token->kind == TOKEN_WRONG;
}

const sql_token *parser_peek(sql_parser *self, uint32_t ahead) {
    assert(ahead >= 1 && ahead <= PARSER_TOKENS_AHEAD);
    while (self->ahead_count < ahead) {
        const sql_token *newest =
            self->ahead_count == 0 ? &self->token : &self->ahead[self->ahead_count - 1];
        if (ends_statement(newest)) {
            return newest;
        }
        lex(self, &self->ahead[self->ahead_count]);
        self->ahead_count += 1;
    }
    return &self->ahead[ahead - 1];
}

bool parser_at_words(sql_parser *self, sql_keyword first, sql_keyword second) {
    return parser_at_word(self, first) && parser_peek(self, 1)->keyword == second;
}

bool parser_accept_words(sql_parser *self, sql_keyword first, sql_keyword second) {
    if (!parser_at_words(self, first, second)) {
        return false;
    }
    parser_advance(self);
    parser_advance(self);
    return true;
}

static const char *kind_text(sql_token_kind kind) {
    static const char *const texts[TOKEN_KIND_COUNT] = {
        [TOKEN_COMMA] = "\",\"",         [TOKEN_DOT] = "\".\"",
        [TOKEN_SEMICOLON] = "\";\"",     [TOKEN_COLON] = "\":\"",
        [TOKEN_CAST] = "\"::\"",         [TOKEN_ASSIGN] = "\":=\"",
        [TOKEN_NAMED] = "\"=>\"",        [TOKEN_LEFT_PAREN] = "\"(\"",
        [TOKEN_RIGHT_PAREN] = "\")\"",   [TOKEN_LEFT_BRACKET] = "\"[\"",
        [TOKEN_RIGHT_BRACKET] = "\"]\"", [TOKEN_LEFT_BRACE] = "\"{\"",
        [TOKEN_RIGHT_BRACE] = "\"}\"",
    };
    assert(texts[kind] != NULL);
    return texts[kind];
}

firn_status parser_expect(sql_parser *self, sql_token_kind kind, firn_error *err) {
    return parser_accept(self, kind) ? FIRN_OK : parser_unexpected(self, kind_text(kind), err);
}

firn_status parser_expect_word(sql_parser *self, sql_keyword keyword, firn_error *err) {
    if (parser_accept_word(self, keyword)) {
        return FIRN_OK;
    }
    return parser_unexpected(self, sql_keyword_text(keyword).data, err);
}

// ---- Names -------------------------------------------------------------------------------------

bool parser_at_name(const sql_parser *self) {
    const sql_token *token = &self->token;
    return token->kind == TOKEN_QUOTED ||
           (token->kind == TOKEN_WORD &&
            sql_keyword_use_of((sql_keyword)token->keyword) <= KEYWORD_LABEL);
}

bool parser_at_alias(const sql_parser *self) {
    const sql_token *token = &self->token;
    return token->kind == TOKEN_QUOTED ||
           (token->kind == TOKEN_WORD &&
            sql_keyword_use_of((sql_keyword)token->keyword) == KEYWORD_FREE);
}

firn_status parser_take_name(sql_parser *self, sql_name *out, firn_error *err) {
    const sql_token *token = &self->token;
    assert(parser_at_label(self));
    out->is_quoted = token->kind == TOKEN_QUOTED;
    out->position = token->position;
    out->length = token->length;
    TRY(sql_token_name(self->sql, token, self->memory, &out->value, err));
    parser_advance(self);
    return FIRN_OK;
}

firn_status parser_expect_name(sql_parser *self, const char *what, sql_name *out, firn_error *err) {
    return parser_at_name(self) ? parser_take_name(self, out, err)
                                : parser_unexpected_name(self, what, err);
}

firn_status parser_expect_label(sql_parser *self, const char *what, sql_name *out,
                                firn_error *err) {
    return parser_at_label(self) ? parser_take_name(self, out, err)
                                 : parser_unexpected(self, what, err);
}

firn_status parser_expect_path(sql_parser *self, const char *what, sql_names *out,
                               firn_error *err) {
    const size_t mark = self->name_count;
    sql_name name;
    TRY(parser_expect_name(self, what, &name, err));
    TRY(parser_push_name(self, name, err));
    while (parser_accept(self, TOKEN_DOT)) {
        TRY(parser_expect_label(self, "a name behind the dot", &name, err));
        TRY(parser_push_name(self, name, err));
    }
    return parser_take_names(self, mark, out, err);
}

firn_status parser_expect_name_list(sql_parser *self, const char *what, sql_names *out,
                                    firn_error *err) {
    const size_t mark = self->name_count;
    TRY(parser_expect(self, TOKEN_LEFT_PAREN, err));
    do {
        sql_name name;
        TRY(parser_expect_name(self, what, &name, err));
        TRY(parser_push_name(self, name, err));
    } while (parser_accept(self, TOKEN_COMMA));
    TRY(parser_expect(self, TOKEN_RIGHT_PAREN, err));
    return parser_take_names(self, mark, out, err);
}

firn_status parser_alias(sql_parser *self, sql_name *out, firn_error *err) {
    *out = (sql_name){0};
    if (parser_accept_word(self, KW_AS)) {
        return parser_expect_label(self, "an alias", out, err);
    }
    return parser_at_alias(self) ? parser_take_name(self, out, err) : FIRN_OK;
}

// ---- Nodes and lists ---------------------------------------------------------------------------

firn_status parser_keep(sql_parser *self, sql_node *node, size_t size, const void **out,
                        firn_error *err) {
    const uint32_t height = sql_height(node);
    if (height > SQL_DEPTH_MAX) {
        return FAIL_SQL(err, FIRN_INVALID, SQL_TOO_COMPLEX, node->position,
                        "nested %u levels deep, at most %d are allowed", height, SQL_DEPTH_MAX);
    }
    node->height = (uint16_t)height;
    node->length = parser_end(self) - node->position;
    void *kept = arena_alloc(self->memory, 1, size);
    if (kept == NULL) {
        return ARENA_FULL(self->memory, err);
    }
    memcpy(kept, node, size);
    *out = kept;
    return FIRN_OK;
}

// Doubles a stack of `count` things of `size` bytes that is full.
static firn_status grow(arena *memory, void **things, size_t count, size_t *capacity, size_t size,
                        firn_error *err) {
    size_t doubled;
    if (!mul_fits(*capacity, 2, &doubled)) {
        return ARENA_FULL(memory, err);
    }
    void *grown = arena_alloc(memory, doubled, size);
    if (grown == NULL) {
        return ARENA_FULL(memory, err);
    }
    memcpy(grown, *things, count * size);
    *things = grown;
    *capacity = doubled;
    return FIRN_OK;
}

firn_status parser_push(sql_parser *self, const void *node, firn_error *err) {
    if (self->node_count == self->node_capacity) {
        void *things = self->nodes;
        TRY(grow(self->memory, &things, self->node_count, &self->node_capacity,
                 sizeof self->nodes[0], err));
        self->nodes = things;
    }
    self->nodes[self->node_count] = node;
    self->node_count += 1;
    return FIRN_OK;
}

firn_status parser_take_list(sql_parser *self, size_t mark, sql_list *out, firn_error *err) {
    const size_t count = self->node_count - mark;
    *out = (sql_list){0};
    if (count == 0) {
        return FIRN_OK;
    }
    const sql_node **items = ARENA_NEW(self->memory, const sql_node *, count);
    if (items == NULL) {
        return ARENA_FULL(self->memory, err);
    }
    memcpy(items, self->nodes + mark, count * sizeof items[0]);
    self->node_count = mark;
    *out = (sql_list){.count = count, .items = items};
    return FIRN_OK;
}

firn_status parser_push_name(sql_parser *self, sql_name name, firn_error *err) {
    if (self->name_count == self->name_capacity) {
        void *things = self->names;
        TRY(grow(self->memory, &things, self->name_count, &self->name_capacity,
                 sizeof self->names[0], err));
        self->names = things;
    }
    self->names[self->name_count] = name;
    self->name_count += 1;
    return FIRN_OK;
}

firn_status parser_take_names(sql_parser *self, size_t mark, sql_names *out, firn_error *err) {
    const size_t count = self->name_count - mark;
    *out = (sql_names){0};
    if (count == 0) {
        return FIRN_OK;
    }
    sql_name *items = ARENA_NEW(self->memory, sql_name, count);
    if (items == NULL) {
        return ARENA_FULL(self->memory, err);
    }
    memcpy(items, self->names + mark, count * sizeof items[0]);
    self->name_count = mark;
    *out = (sql_names){.count = count, .items = items};
    return FIRN_OK;
}

// ---- Entries -----------------------------------------------------------------------------------

// Points into itself: `self` must stay where it is.
static firn_status open(sql_parser *self, text sql, size_t offset, arena *memory, firn_error *err) {
    assert(offset <= sql.size);
    if (sql.size > UINT32_MAX) {
        return FAIL_SQL(err, FIRN_INVALID, PROGRAM_LIMIT, NO_POSITION,
                        "an SQL text of %zu bytes, at most %u are allowed", sql.size, UINT32_MAX);
    }
    self->sql = sql;
    self->memory = memory;
    self->lexer = (sql_lexer){.sql = sql, .at = (uint32_t)offset};
    self->last = (sql_token){.position = (uint32_t)offset};
    self->ahead_count = 0;
    self->depth = 0;
    self->parameter_count = 0;
    self->has_numbers = false;
    self->hides_values = false;
    self->nodes = self->node_room;
    self->node_count = 0;
    self->node_capacity = PARSER_NODES_ROOM;
    self->names = self->name_room;
    self->name_count = 0;
    self->name_capacity = PARSER_NAMES_ROOM;
    self->ignored = ERR_INIT;
    lex(self, &self->token);
    return FIRN_OK;
}

// Behind the semicolon, which is next, or at the end if nothing but blanks, comments and semicolons
// is left. What is wrong there is the next statement's.
static size_t behind_statement(sql_parser *self) {
    const size_t behind = (size_t)self->token.position + self->token.length;
    sql_lexer rest = {.sql = self->sql, .at = (uint32_t)behind};
    sql_token token;
    do {
        if (sql_lexer_next(&rest, &token, &self->ignored) != FIRN_OK) {
            return behind;
        }
    } while (token.kind == TOKEN_SEMICOLON);
    return token.kind == TOKEN_END ? self->sql.size : behind;
}

firn_status sql_parse_statement(text sql, size_t offset, arena *memory, const sql_statement **out,
                                size_t *used, firn_error *err) {
    sql_parser parser;
    *out = NULL;
    TRY(open(&parser, sql, offset, memory, err));
    while (parser_accept(&parser, TOKEN_SEMICOLON)) {
    }
    if (parser_at(&parser, TOKEN_END)) {
        *used = sql.size;
        return FIRN_OK;
    }
    const sql_statement *statement;
    TRY(sql_parse_any_statement(&parser, &statement, err));
    if (!parser_at(&parser, TOKEN_SEMICOLON) && !parser_at(&parser, TOKEN_END)) {
        return parser_unexpected_rest(&parser, err);
    }
    *used = behind_statement(&parser);
    *out = statement;
    return FIRN_OK;
}

firn_status sql_parse_expression(text sql, arena *memory, const sql_expr **out, firn_error *err) {
    sql_parser parser;
    TRY(open(&parser, sql, 0, memory, err));
    TRY(sql_parse_expr(&parser, out, err));
    return parser_at(&parser, TOKEN_END)
               ? FIRN_OK
               : parser_unexpected(&parser, "an operator or the end of the expression", err);
}

firn_status sql_parse_type(text sql, arena *memory, const sql_type **out, firn_error *err) {
    sql_parser parser;
    TRY(open(&parser, sql, 0, memory, err));
    TRY(sql_parse_type_name(&parser, out, err));
    return parser_at(&parser, TOKEN_END) ? FIRN_OK
                                         : parser_unexpected(&parser, "the end of the type", err);
}
