// The binder: syntax tree → plan. Names become tables, columns and functions, everything gets a
// type, implicit casts become visible, and SQL's scoping rules are decided here and nowhere else.
//
// It asks the session for tables through bind_env, so it knows no catalog. Subqueries stay
// EXPR_SUBQUERY with a plan of their own that may mention columns of the outer query by id; the
// optimizer unnests them.
#ifndef FIRN_PLAN_BIND_H
#define FIRN_PLAN_BIND_H

#include "plan/plan.h"
#include "sql/ast.h"
#include "tables/catalog.h"
#include "tables/files/file_tables.h"

/// What a name in FROM turned out to be. Exactly one of the members is there.
typedef struct bound_object {
    table_snapshot *snapshot;    ///< Taken over by the list of tables of the bind.
    const view_definition *view; ///< In the bind's memory.
    text_list place;             ///< catalog.schema.name where a name of one part was found.
} bound_object;

/// What the binder asks of its session.
typedef struct bind_env {
    void *session;
    const statement_context *context;
    /// Finds what `path` (one to many names; `is_quoted` by name) means. `space` is where
    /// unqualified names are looked for first inside a view, NULL outside. FIRN_NOT_FOUND with a
    /// hint.
    firn_status (*find)(void *session, const sql_names *path, const table_version *version,
                        const view_definition *inside, arena *memory, bound_object *out,
                        firn_error *err);
    /// Opens files by a table function or `FROM 'x.parquet'` (function is then ""). *found is false
    /// if there is no such function here.
    firn_status (*open_files)(void *session, text function, table_arguments args, arena *memory,
                              bool *found, table_snapshot **out, firn_error *err);
} bind_env;

/// The parameters of a statement: types as far as they are known.
typedef struct bind_parameters {
    uint32_t count;
    const type **types; ///< NULL: nothing says it.
} bind_parameters;

/// What an error adds that an expression makes whose position is EXPR_ORIGIN_FIRST and a number.
typedef struct bind_origin {
    text doing;        ///< Behind "while".
    uint32_t position; ///< In the statement, UINT32_MAX if nowhere.
} bind_origin;

typedef struct bind_origin_list {
    uint32_t count, capacity;
    bind_origin *items;
} bind_origin_list;

typedef struct bind_result {
    plan plan; ///< The root is an OUTPUT.
    uint32_t snapshot_count;
    table_snapshot **snapshots; ///< By table number; the caller releases each.
    bind_parameters parameters;
    bind_origin_list origins;
} bind_result;

/// Puts words and the place in the statement where an error of a row has the number of an origin.
void bind_say_origin(const bind_result *self, firn_error *err);

/// Errors of rows say no place: what was bound is not what was written. Origins stay.
void bind_forget_places(const bind_result *self);

/// Binds a query. On failure nothing is left to release. `known` may be NULL: types of parameters
/// that are given already.
firn_status bind_query(const sql_query *query, const bind_env *env, const bind_parameters *known,
                       arena *memory, bind_result *out, firn_error *err);

/// The same of a view's query, as if it were read: names in it are looked for with `inside` = view.
firn_status bind_view(const view_definition *view, const bind_env *env, arena *memory,
                      bind_result *out, firn_error *err);

/// Where rows go.
typedef struct insert_target {
    table_snapshot *table;
    const sql_names *columns; ///< Pick and order the table's columns, others get their default;
                              ///< none: all.
    bool is_by_name;          ///< INSERT … BY NAME.
    bool is_overwrite;        ///< INSERT OVERWRITE: in the place of what is there.
    bool is_empty;            ///< Without a query, and with is_overwrite: no rows come (TRUNCATE).
    const sql_with *with;     ///< In front of INSERT.
    const sql_table *written; ///< Of REPLACE WHERE: the table's name,
    const sql_expr *replaced; ///< and which rows go; NULL: none.
    text_list place;          ///< As of change_target.
} insert_target;

/// Binds INSERT INTO target query: a plan whose root is an OUTPUT over an INSERT. Without a query
/// (NULL) it is one row of defaults.
firn_status bind_insert(const sql_query *query, const insert_target *target, const bind_env *env,
                        const bind_parameters *known, arena *memory, bind_result *out,
                        firn_error *err);

/// What DELETE, UPDATE and MERGE change.
typedef struct change_target {
    table_snapshot *table;
    text_list place; ///< catalog.schema.name, or what was written: columns may be named by it.
} change_target;

/// Binds DELETE, UPDATE or MERGE of a table that has a sink: a plan whose root is an OUTPUT over an
/// INSERT.
firn_status bind_change(const sql_statement *written, const change_target *target,
                        const bind_env *env, const bind_parameters *known, arena *memory,
                        bind_result *out, firn_error *err);

/// A SQL type as written, such as DECIMAL(12, 2) or STRUCT(a INT)[].
firn_status bind_type(const sql_type *written, arena *memory, const type **out, firn_error *err);

/// Checks the DEFAULT of a column of type `to`, and hands out its SQL as column_note keeps it.
firn_status bind_default(const sql_expr *written, const type *to, const bind_env *env,
                         arena *memory, text *out, firn_error *err);

/// The version that a table is asked for: FOR VERSION AS OF, FOR TIMESTAMP AS OF.
firn_status bind_version(const sql_table *written, const bind_env *env, arena *memory,
                         table_version *out, firn_error *err);

/// Binds and evaluates an expression without columns: option values, LIMIT, SET.
firn_status bind_constant(const sql_expr *written, const bind_env *env, arena *memory, expr **out,
                          firn_error *err);

/// The type in which a text is read where `to` is wanted: `to`, or a wider decimal or a finer time
/// or timestamp if that would round it or is too narrow.
firn_status bind_type_of_text(text written, const type *to, arena *memory, const type **out,
                              firn_error *err);

void bind_result_release(bind_result *self); ///< Releases the snapshots.

#endif
