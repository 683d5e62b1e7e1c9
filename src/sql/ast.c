// What follows from ast_nodes.def alone: equality, children, names. One small function per node and
// question, made by the X-macro, and a table of them per family.
#include "sql/ast.h"

// The left side of a node that may lean to the left without a bound, else NULL.
static const sql_node *left_side(const sql_node *node) {
    if (node->family == SQL_FAMILY_EXPR && node->kind == SQL_BINARY) {
        return sql_binary_of(node)->left;
    }
    if (node->family == SQL_FAMILY_RELATION && node->kind == SQL_JOIN) {
        return sql_join_of(node)->left;
    }
    if (node->family == SQL_FAMILY_BODY && node->kind == SQL_SET_OPERATION) {
        return sql_set_operation_of(node)->left;
    }
    return NULL;
}

static bool name_equal(const sql_name *left, const sql_name *right) {
    return left->is_quoted == right->is_quoted && text_equal(left->value, right->value);
}

static bool names_equal(sql_names left, sql_names right) {
    if (left.count != right.count) {
        return false;
    }
    for (size_t i = 0; i < left.count; i++) {
        if (!name_equal(&left.items[i], &right.items[i])) {
            return false;
        }
    }
    return true;
}

static bool list_equal(sql_list left, sql_list right) {
    if (left.count != right.count) {
        return false;
    }
    for (size_t i = 0; i < left.count; i++) {
        if (!sql_equal(left.items[i], right.items[i])) {
            return false;
        }
    }
    return true;
}

static bool child_equal(const void *left, const void *right, const void *skip) {
    return (left == skip && left != NULL) || sql_equal(left, right);
}

// Compares the members of two nodes of one kind, except the child `skip` of the left one.
typedef bool (*node_equal)(const void *left, const void *right, const void *skip);

#define NODE(type, kind)                                                                           \
    static bool type##_equal(const void *left, const void *right, const void *skip) {              \
        const type *l = left;                                                                      \
        const type *r = right;                                                                     \
        (void)l, (void)r, (void)skip;                                                              \
        return true
#define CHILD(type, name) &&child_equal(l->name, r->name, skip)
#define LIST(type, name) &&list_equal(l->name, r->name)
#define NAME(name) &&name_equal(&l->name, &r->name)
#define NAMES(name) &&names_equal(l->name, r->name)
#define VALUE(name) &&text_equal(l->name, r->name)
#define NUMBER(name) &&l->name == r->name
#define FLAG(name) &&l->name == r->name
#define ENUM(type, name) &&l->name == r->name
#define END(type)                                                                                  \
    ;                                                                                              \
    }
#include "sql/ast_nodes.def"

static const node_equal equal_exprs[] = {
#define EXPR(type, kind) [kind] = type##_equal,
#include "sql/ast_nodes.def"
};
static const node_equal equal_relations[] = {
#define RELATION(type, kind) [kind] = type##_equal,
#include "sql/ast_nodes.def"
};
static const node_equal equal_bodies[] = {
#define BODY(type, kind) [kind] = type##_equal,
#include "sql/ast_nodes.def"
};
static const node_equal equal_statements[] = {
#define STATEMENT(type, kind) [kind] = type##_equal,
#include "sql/ast_nodes.def"
};
static const node_equal equal_parts[] = {
#define PART(type, kind) [kind] = type##_equal,
#include "sql/ast_nodes.def"
};

static const node_equal *const equal_families[] = {
    [SQL_FAMILY_EXPR] = equal_exprs,  [SQL_FAMILY_RELATION] = equal_relations,
    [SQL_FAMILY_BODY] = equal_bodies, [SQL_FAMILY_STATEMENT] = equal_statements,
    [SQL_FAMILY_PART] = equal_parts,
};

bool sql_equal(const sql_node *left, const sql_node *right) {
    while (left != right) {
        if (left == NULL || right == NULL || left->family != right->family ||
            left->kind != right->kind || left->height != right->height) {
            return false;
        }
        const sql_node *next = left_side(left);
        if (!equal_families[left->family][left->kind](left, right, next)) {
            return false;
        }
        if (next == NULL) {
            return true;
        }
        left = next;
        right = left_side(right);
    }
    return true;
}

static bool visit_child(const void *child, sql_visitor visit, void *user) {
    return child == NULL || visit(child, user);
}

static bool visit_list(sql_list list, sql_visitor visit, void *user) {
    for (size_t i = 0; i < list.count; i++) {
        if (!visit(list.items[i], user)) {
            return false;
        }
    }
    return true;
}

typedef bool (*node_visit)(const void *node, sql_visitor visit, void *user);

#define NODE(type, kind)                                                                           \
    static bool type##_visit(const void *node, sql_visitor visit, void *user) {                    \
        const type *self = node;                                                                   \
        (void)self, (void)visit, (void)user;                                                       \
        return true
#define CHILD(type, name) &&visit_child(self->name, visit, user)
#define LIST(type, name) &&visit_list(self->name, visit, user)
#define END(type)                                                                                  \
    ;                                                                                              \
    }
#include "sql/ast_nodes.def"

static const node_visit visit_exprs[] = {
#define EXPR(type, kind) [kind] = type##_visit,
#include "sql/ast_nodes.def"
};
static const node_visit visit_relations[] = {
#define RELATION(type, kind) [kind] = type##_visit,
#include "sql/ast_nodes.def"
};
static const node_visit visit_bodies[] = {
#define BODY(type, kind) [kind] = type##_visit,
#include "sql/ast_nodes.def"
};
static const node_visit visit_statements[] = {
#define STATEMENT(type, kind) [kind] = type##_visit,
#include "sql/ast_nodes.def"
};
static const node_visit visit_parts[] = {
#define PART(type, kind) [kind] = type##_visit,
#include "sql/ast_nodes.def"
};

static const node_visit *const visit_families[] = {
    [SQL_FAMILY_EXPR] = visit_exprs,  [SQL_FAMILY_RELATION] = visit_relations,
    [SQL_FAMILY_BODY] = visit_bodies, [SQL_FAMILY_STATEMENT] = visit_statements,
    [SQL_FAMILY_PART] = visit_parts,
};

bool sql_visit_children(const sql_node *node, sql_visitor visit, void *user) {
    return visit_families[node->family][node->kind](node, visit, user);
}

static uint32_t list_height(sql_list list) {
    uint32_t height = 0;
    for (size_t i = 0; i < list.count; i++) {
        height = height < list.items[i]->height ? list.items[i]->height : height;
    }
    return height;
}

static uint32_t higher(uint32_t height, const void *child, const void *skip) {
    const sql_node *node = child;
    return node == NULL || child == skip || node->height < height ? height : node->height;
}

// The greatest height of the children other than `skip`, 0 if there are none.
typedef uint32_t (*node_height)(const void *node, const void *skip);

#define NODE(type, kind)                                                                           \
    static uint32_t type##_height(const void *node, const void *skip) {                            \
        const type *self = node;                                                                   \
        uint32_t height = 0;                                                                       \
        (void)self, (void)skip;
#define CHILD(type, name) height = higher(height, self->name, skip);
#define LIST(type, name)                                                                           \
    if (self->name.count > 0) {                                                                    \
        const uint32_t name##_height = list_height(self->name);                                    \
        height = height < name##_height ? name##_height : height;                                  \
    }
#define END(type)                                                                                  \
    return height;                                                                                 \
    }
#include "sql/ast_nodes.def"

static const node_height height_exprs[] = {
#define EXPR(type, kind) [kind] = type##_height,
#include "sql/ast_nodes.def"
};
static const node_height height_relations[] = {
#define RELATION(type, kind) [kind] = type##_height,
#include "sql/ast_nodes.def"
};
static const node_height height_bodies[] = {
#define BODY(type, kind) [kind] = type##_height,
#include "sql/ast_nodes.def"
};
static const node_height height_statements[] = {
#define STATEMENT(type, kind) [kind] = type##_height,
#include "sql/ast_nodes.def"
};
static const node_height height_parts[] = {
#define PART(type, kind) [kind] = type##_height,
#include "sql/ast_nodes.def"
};

static const node_height *const height_families[] = {
    [SQL_FAMILY_EXPR] = height_exprs,  [SQL_FAMILY_RELATION] = height_relations,
    [SQL_FAMILY_BODY] = height_bodies, [SQL_FAMILY_STATEMENT] = height_statements,
    [SQL_FAMILY_PART] = height_parts,
};

uint32_t sql_height(const sql_node *node) {
    const sql_node *left = left_side(node);
    const uint32_t height = 1 + height_families[node->family][node->kind](node, left);
    if (left == NULL) {
        return height;
    }
    const bool is_chain = left->family == node->family && left->kind == node->kind;
    const uint32_t left_height = is_chain ? left->height : left->height + UINT32_C(1);
    return height < left_height ? left_height : height;
}

static const char *const name_exprs[] = {
#define EXPR(type, kind) [kind] = #type,
#include "sql/ast_nodes.def"
};
static const char *const name_relations[] = {
#define RELATION(type, kind) [kind] = #type,
#include "sql/ast_nodes.def"
};
static const char *const name_bodies[] = {
#define BODY(type, kind) [kind] = #type,
#include "sql/ast_nodes.def"
};
static const char *const name_statements[] = {
#define STATEMENT(type, kind) [kind] = #type,
#include "sql/ast_nodes.def"
};
static const char *const name_parts[] = {
#define PART(type, kind) [kind] = #type,
#include "sql/ast_nodes.def"
};

static const char *const *const name_families[] = {
    [SQL_FAMILY_EXPR] = name_exprs,  [SQL_FAMILY_RELATION] = name_relations,
    [SQL_FAMILY_BODY] = name_bodies, [SQL_FAMILY_STATEMENT] = name_statements,
    [SQL_FAMILY_PART] = name_parts,
};

const char *sql_node_name(const sql_node *node) {
    return name_families[node->family][node->kind] + sizeof "sql_" - 1;
}

const char *sql_operator_text(sql_operator op) {
    static const char *const texts[] = {
#define X(constant, spelling, binding) [constant] = (spelling),
        SQL_OPERATORS(X)
#undef X
    };
    return texts[op];
}

const char *sql_unit_text(sql_unit unit) {
    static const char *const texts[] = {
#define X(constant, spelling) [constant] = (spelling),
        SQL_UNITS(X)
#undef X
    };
    return texts[unit];
}
