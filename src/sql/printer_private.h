// What the files of the printer share.
//
//     printer.c            the entries, names, texts, which node is printed how
//     printer_expr.c       expressions: operators and their parentheses, brackets
//     printer_call.c       calls, windows
//     printer_query.c      queries, FROM
//     printer_change.c     INSERT, UPDATE, DELETE, MERGE, COPY
//     printer_define.c     CREATE, DROP, ALTER, types
//     printer_statement.c  the other statements
#ifndef FIRN_SQL_PRINTER_PRIVATE_H
#define FIRN_SQL_PRINTER_PRIVATE_H

#include "sql/ast.h"
#include "sql/binding.h"
#include "sql/printer.h"

static inline void put(text_builder *out, const char *words) {
    text_append(out, text_of(words));
}

/// `words` if they are wanted.
static inline void put_if(text_builder *out, bool are_wanted, const char *words) {
    if (are_wanted) {
        put(out, words);
    }
}

/// Whether a text can be written as a name without quotes, keywords aside.
bool sql_name_is_word(text value);
/// a, b, c
void print_list(text_builder *out, sql_list list);
/// (a, b, c)
void print_list_in_parentheses(text_builder *out, sql_list list);
/// a.b.c
void print_path(text_builder *out, sql_names path);
/// " (a, b)", nothing for no names.
void print_columns(text_builder *out, sql_names names);
/// `words` and the literal, nothing for NULL.
void print_literal_clause(text_builder *out, const char *words, const sql_literal *literal);
/// `words` and the expression, nothing for NULL.
void print_expr_clause(text_builder *out, const char *words, const sql_expr *expr);
/// " WITH (a = b)" with `words` for " WITH ", nothing for an empty list.
void print_options(text_builder *out, const char *words, sql_list options);

/// In parentheses if it does not bind as tightly as `least`.
void print_operand(text_builder *out, const sql_expr *expr, sql_binding least);
/// In parentheses if it is but a name, which a word of the grammar behind it would change.
void print_guarded(text_builder *out, const sql_expr *expr);
/// An operand before [ or a dot.
void print_before_postfix(text_builder *out, const sql_expr *operand, bool is_dot);
/// The part of `expr` that stands first in its text, `expr` itself if that begins with no operand;
/// NULL if the text begins with a parenthesis. `*parent` is the node that holds it, NULL for none.
const sql_expr *first_operand(const sql_expr *expr, const sql_expr **parent);
/// What stands before all [] and dots of an operand. NULL for NULL.
const sql_expr *behind_postfix(const sql_expr *operand);
void print_order_by(text_builder *out, sql_list order_by);

void print_expr(text_builder *out, const sql_expr *expr);
void print_argument(text_builder *out, const sql_expr *argument);
void print_arguments(text_builder *out, sql_list arguments);
void print_call(text_builder *out, const sql_expr *expr);
void print_lambda(text_builder *out, const sql_expr *expr);
void print_named_argument(text_builder *out, const sql_expr *expr);
/// The items of GROUP BY, ROLLUP ...
void print_grouping_items(text_builder *out, sql_list items);
void print_window(text_builder *out, const sql_window *window);
void print_frame(text_builder *out, const sql_frame *frame);
void print_relation(text_builder *out, const sql_relation *relation);
void print_body(text_builder *out, const sql_body *body);
void print_with(text_builder *out, const sql_with *with);
void print_sample(text_builder *out, const sql_sample *sample);
void print_type(text_builder *out, const sql_type *type);
void print_units(text_builder *out, sql_unit unit, sql_unit to_unit);
void print_returning(text_builder *out, sql_list returning);

void print_column_definition(text_builder *out, const sql_column_definition *column);
void print_constraint(text_builder *out, const sql_constraint *constraint);
void print_alter_action(text_builder *out, const sql_alter_action *action);
void print_retention(text_builder *out, const sql_retention *retention);
void print_assignment(text_builder *out, const sql_assignment *assignment);
void print_merge_when(text_builder *out, const sql_merge_when *when);
void print_option(text_builder *out, const sql_option *option);

void print_create_table(text_builder *out, const sql_create_table *create);
void print_create_view(text_builder *out, const sql_create_view *create);
void print_create_schema(text_builder *out, const sql_create_schema *create);
void print_drop(text_builder *out, const sql_drop *drop);
void print_alter(text_builder *out, const sql_alter *alter);
void print_comment_on(text_builder *out, const sql_comment_on *comment);
void print_insert(text_builder *out, const sql_insert *insert);
void print_update(text_builder *out, const sql_update *update);
void print_delete(text_builder *out, const sql_delete *delete);
void print_merge(text_builder *out, const sql_merge *merge);
void print_copy(text_builder *out, const sql_copy *copy);
void print_statement(text_builder *out, const sql_statement *statement);

#endif
