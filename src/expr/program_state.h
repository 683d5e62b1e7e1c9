// Inside of expr/: what a compiled expression and a worker's state are. Everybody else uses
// expr/program.h.
//
// A program is a graph of nodes, children before parents, equal ones once. Running it asks for the
// roots; a node's value is computed when first asked for and kept in its register for the batch.
// What is asked for in a smaller scope (the arm of a CASE) is computed for those rows only, unless
// a loop over all lanes is cheaper and cannot fail; a register knows for which scope it holds.
#ifndef FIRN_EXPR_PROGRAM_STATE_H
#define FIRN_EXPR_PROGRAM_STATE_H

#include "expr/in_set.h"
#include "expr/program.h"
#include "expr/row_scope.h"

#define NO_INDEX UINT32_MAX
#define EXPR_DEPTH_MAX 1000 ///< Nested deeper is refused: evaluation recurses.

typedef enum node_kind {
    NODE_COLUMN,
    NODE_LITERAL,
    NODE_CALL,    ///< A kernel: function or cast.
    NODE_RELABEL, ///< A cast between types of the same values.
    NODE_AND,
    NODE_OR,
    NODE_CASE, ///< Children: condition, value, condition, value, …, and perhaps the ELSE.
    NODE_COALESCE,
    NODE_IN,
    NODE_TRY,
    NODE_DYNAMIC,
    NODE_TREE, ///< A tree over one column; its only child is the same, node by node.
} node_kind;

/// A lambda argument: its body is a program over its parameters and the columns it captures.
typedef struct lambda_info {
    expr_program *body;
    uint32_t parameter_count;
    uint32_t captured_first; ///< Index of the first captured column among the call's children.
    uint32_t captured_count;
    const type *result;
} lambda_info;

typedef struct call_info {
    scalar_kernel kernel;
    scalar_kernel narrow_kernel;     ///< NULL unless it applies to the declared types.
    const scalar_function *function; ///< NULL: a cast.
    uint32_t flags;
    bool fails_to_null; ///< TRY_CAST.
    bool is_cheap;      ///< Arguments and result of fixed width: lanes cost next to nothing.
    bytes bound;
    const type *const *types;    ///< Of the arguments.
    uint32_t arg_count;          ///< What the kernel sees; captured columns are children behind.
    lambda_info *const *lambdas; ///< By argument; NULL: no lambda at all.
    uint32_t slot;               ///< Which call_state.
} call_info;

/// A tree over one column, as a program of its own: see lift_tree.c.
typedef struct tree_info {
    uint32_t column;    ///< Position in the batch.
    expr_program *body; ///< Over that column alone.
    uint32_t slot;      ///< Which tree_table.
} tree_info;

typedef struct program_node {
    node_kind kind;
    bool can_fail;    ///< It or something below it.
    bool is_constant; ///< The same for all batches: literals and what is made of them.
    const type *type;
    const expr *source;
    uint32_t child_count;
    const uint32_t *children; ///< Nodes; NO_INDEX for a lambda argument.
    uint32_t try_index;       ///< The TRY around it whose row a failure makes NULL, or NO_INDEX.
    union {
        uint32_t column; ///< COLUMN: position in the batch.
        column constant; ///< LITERAL; its length is set when it is used.
        call_info *call;
        const in_set *in;
        const tree_info *tree;
        struct {
            uint32_t slot;
            uint32_t memo; ///< Which of the state's.
        } dynamic;
        uint32_t own_try; ///< TRY: which it is.
    };
} program_node;

struct expr_program {
    uint32_t node_count;
    program_node *nodes;
    uint32_t root_count;
    uint32_t *roots;
    bool *narrow_roots;
    uint32_t column_count; ///< Of the input layout.
    uint32_t call_count;
    uint32_t try_count;
    uint32_t dynamic_count;
    uint32_t tree_count;
    uint32_t conjunct_count; ///< Of root 0, for expr_filter.
    uint32_t *conjuncts;     ///< Those that cannot fail first.
    uint32_t infallible_count;
};

/// A value and for which rows it holds.
typedef struct held_value {
    uint64_t batch;     ///< Of which batch; 0: of none.
    uint64_t scope;     ///< Serial of the scope it was computed for …
    bool is_everywhere; ///< … or it holds for all lanes.
    column value;
} held_value;

typedef struct program_register {
    held_value computed; ///< Any form. A narrow decimal says so by its type.
    held_value flat;     ///< The same, FLAT or CONSTANT and of the declared type.
} program_register;

/// Results of a call by entry of a dictionary, kept while the dictionary stays the same.
typedef struct entry_cache {
    uint64_t identity; ///< 0: empty.
    arena memory;      ///< Of results; reset when another dictionary comes.
    uint32_t size;
    uint64_t asked_of;    ///< Of which dictionary …
    uint64_t asked_rows;  ///< … so many rows were asked for so far.
    uint64_t *is_known;   ///< By entry.
    uint64_t *has_failed; ///< By entry; NULL: none has.
    bool is_complete;
    column results;           ///< Flat, by entry.
    dictionary as_dictionary; ///< Once complete: the distinct results …
    const uint32_t *remap;    ///< … and which of them an entry has; NULL: as numbered.
    bool has_dictionary;
} entry_cache;

/// Results of a tree by entry of a dictionary, kept while the dictionary stays the same.
typedef struct tree_table {
    expr_state *body; ///< NULL: not yet.
    arena memory;     ///< Of results; reset when another dictionary comes.
    uint64_t identity;
    uint64_t asked_rows;
    bool is_known;
    column results; ///< Flat, by entry.
    bool knows_null;
    bool null_is_valid;
    uint8_t null_value[32];
} tree_table;

typedef struct lambda_state {
    function_lambda face; ///< What the kernel sees; first member.
    const lambda_info *info;
    expr_state *body;
    const struct expr_run_call *run; ///< The call that is under way …
    const column *captured;          ///< … and its captured columns, FLAT or CONSTANT.
    bool has_failed;                 ///< The error of run->err is the body's.
} lambda_state;

typedef struct call_state {
    function_call call; ///< Prepared; rows, count, length, scratch are set for each use.
    entry_cache cache;
    uint32_t wrong_guesses; ///< How often a run over all lanes failed.
    lambda_state **lambdas; ///< By argument; NULL: none.
} call_state;

/// How a conjunct has done, for ordering.
typedef struct conjunct_record {
    double cost_ns; ///< Per row that came in.
    double pass_rate;
    bool is_measured;
    const dynamic_content *content; ///< Of a dynamic filter: which one was measured.
} conjunct_record;

struct expr_state {
    const expr_program *program;
    const statement_context *context;
    const dynamic_filters *filters;
    arena *memory;
    program_register *registers;
    call_state *calls;
    dynamic_memo *memos;     ///< By DYNAMIC node.
    tree_table *trees;       ///< By TREE node.
    uint64_t **try_failures; ///< By TRY: rows that failed in this batch; NULL: none did.
    uint64_t serial;         ///< Last scope's number.
    uint64_t batch;          ///< The number of the batch's own scope.
    uint64_t values_decoded;
    uint32_t failed_row; ///< Of the error that expr_run answered, if it came from a row.
    uint32_t *conjunct_order;
    conjunct_record *records;
    uint32_t filter_count; ///< Batches filtered.
};

/// One expr_run or expr_filter under way.
typedef struct expr_run_call {
    expr_state *state;
    const batch *in;
    arena *scratch;
    firn_error *err;
} expr_run_call;

// ---- program_run.c ---------------------------------------------------------------------------

/// The value of a node for the rows of a scope that is not empty, any form. Valid for the batch.
firn_status program_value(const expr_run_call *run, uint32_t node, row_scope *scope,
                          const column **out);
/// The same, FLAT or CONSTANT, of the declared width.
firn_status program_flat(const expr_run_call *run, uint32_t node, row_scope *scope,
                         const column **out);
/// A scope for the rows of `outer` whose bits are set (or clear).
firn_status program_narrow(const expr_run_call *run, row_scope *outer, const uint64_t *bits,
                           bool is_set, row_scope *out);
uint64_t program_serial(const expr_run_call *run); ///< A new scope's number.

// ---- logic.c ---------------------------------------------------------------------------------

firn_status logic_junction(const expr_run_call *run, const program_node *node, row_scope *scope,
                           column *out);
firn_status logic_case(const expr_run_call *run, const program_node *node, row_scope *scope,
                       column *out);
firn_status logic_coalesce(const expr_run_call *run, const program_node *node, row_scope *scope,
                           column *out);
firn_status logic_try(const expr_run_call *run, const program_node *node, row_scope *scope,
                      column *out);

// ---- lift.c, lift_flatten.c: calls over the forms of their arguments ---------------------------

/// `*is_everywhere`: the value holds for all lanes, not only for the scope.
firn_status lift_call(const expr_run_call *run, const program_node *node, row_scope *scope,
                      column *out, bool *is_everywhere);
/// The same values as another type, dictionary and children included.
firn_status lift_relabel(const expr_run_call *run, const column *value, const type *to,
                         column *out);
/// FLAT or CONSTANT, declared width; decodes the rows of the scope at least.
firn_status lift_flatten(const expr_run_call *run, const program_node *node, const column *value,
                         row_scope *scope, column *out, bool *is_everywhere);

// ---- lift_tree.c: trees over one column --------------------------------------------------------

/// Whether `source` is a tree over one column whose value may be looked up by dictionary entry;
/// which column, and how many operations it takes.
bool lift_tree_column(const expr *source, uint32_t *column, uint32_t *operation_count);
firn_status lift_tree(const expr_run_call *run, const program_node *node, row_scope *scope,
                      column *out, bool *is_everywhere);
void tree_table_close(tree_table *self);

// ---- kernel_call.c: one call of a kernel -------------------------------------------------------

/// A call over flat and constant arguments of `scope->length` lanes.
typedef struct kernel_task {
    const program_node *node;
    const column *const *args;
    row_scope *scope;
    arena *memory;    ///< For the result.
    bool is_narrow;   ///< By the narrow kernel; it may fail, and that is no error.
    uint64_t *failed; ///< Rows that fail are set here and NULL; NULL pointer: an error.
    bool *has_failed; ///< Set with them.
} kernel_task;

/// `*is_everywhere` as lift_call. `*fits` (only with is_narrow) is false when a row failed.
firn_status kernel_run(const expr_run_call *run, const kernel_task *task, column *out,
                       bool *is_everywhere, bool *fits);

// ---- lambda.c ----------------------------------------------------------------------------------

firn_status lambda_open(expr_state *state, call_state *call, const call_info *info,
                        firn_error *err);
void lambda_close(call_state *call, const call_info *info);

#endif
