#include "engine/explain_json.h"

#include "engine/measured_plan.h"
#include "memory/json_tree.h"

typedef struct printing {
    const plan *plan;
    const explain_measures *measures;
    arena *scratch;
    expr_names names;
    json_writer json;
} printing;

static text built(const text_builder *words) {
    return (text){.data = words->data, .size = words->size};
}

static void write_detail(printing *self, const plan_node *node) {
    text_builder words = text_builder_open(self->scratch);
    plan_print_details(self->plan, node, &self->names, &words);
    text detail = built(&words);
    while (detail.size > 0 && detail.data[0] == ' ') {
        detail = text_slice(detail, 1, detail.size);
    }
    json_write_key(&self->json, TEXT("detail"));
    json_write_text(&self->json, detail);
}

static bool is_number(text value) {
    for (size_t i = 0; i < value.size; i++) {
        if (value.data[i] < '0' || value.data[i] > '9') {
            return false;
        }
    }
    return value.size > 0 && value.size < 19 && (value.size == 1 || value.data[0] != '0');
}

static void write_facts(printing *self, const plan_node *node) {
    text_builder report = text_builder_open(self->scratch);
    execution_report(self->measures->done, node->number, &report);
    json_write_key(&self->json, TEXT("facts"));
    json_begin_object(&self->json);
    const text facts = built(&report);
    for (size_t at = 0; at < facts.size;) {
        const text fact = measured_plan_next_fact(facts, &at);
        const size_t equal = text_find(fact, TEXT("="));
        if (equal >= fact.size) {
            break;
        }
        const text value = text_slice(fact, equal + 1, fact.size);
        json_write_key(&self->json, text_slice(fact, 0, equal));
        if (is_number(value)) {
            json_write_raw(&self->json, value);
        } else {
            json_write_text(&self->json, value);
        }
    }
    json_end_object(&self->json);
}

static void write_count(printing *self, const char *name, uint64_t value) {
    json_write_key(&self->json, text_of(name));
    json_write_u64(&self->json, value);
}

static void write_measures(printing *self, const plan_node *node) {
    node_statistics seen;
    execution_statistics(self->measures->done, node->number, &seen);
    write_count(self, "rows", seen.rows_out);
    json_write_key(&self->json, TEXT("time_ms"));
    json_write_f64(&self->json, (double)seen.cpu_ns / 1e6);
    write_count(self, "memory_bytes", seen.memory_peak);
    write_count(self, "spilled_bytes", seen.spilled_bytes);
    write_count(self, "values_decoded", seen.values_decoded);
    write_facts(self, node);
}

static bool write_node(void *user, plan_node **slot) {
    printing *self = user;
    const plan_node *node = *slot;
    json_begin_object(&self->json);
    json_write_key(&self->json, TEXT("operator"));
    json_write_text(&self->json, text_of(plan_kind_label(node->kind)));
    write_detail(self, node);
    if (node->row_estimate >= 0) {
        json_write_key(&self->json, TEXT("row_estimate"));
        json_write_f64(&self->json, node->row_estimate);
    }
    if (self->measures->done != NULL && node->kind != PLAN_OUTPUT) {
        write_measures(self, node);
    }
    json_write_key(&self->json, TEXT("inputs"));
    json_begin_array(&self->json);
    (void)plan_visit_children(*slot, write_node, user);
    json_end_array(&self->json);
    json_end_object(&self->json);
    return true;
}

void explain_json_print(const plan *of, const explain_measures *measures, arena *scratch,
                        text_builder *out) {
    printing self = {.plan = of,
                     .measures = measures,
                     .scratch = scratch,
                     .names = plan_names(of, scratch),
                     .json = json_writer_into(out, 0)};
    plan_node *root = of->root;
    json_begin_object(&self.json);
    json_write_key(&self.json, TEXT("plan"));
    (void)write_node(&self, &root);
    json_write_key(&self.json, TEXT("planning_ms"));
    json_write_f64(&self.json, measures->planning_ms);
    json_write_key(&self.json, TEXT("planning_cpu_ms"));
    json_write_f64(&self.json, measures->planning_cpu_ms);
    if (measures->done != NULL) {
        json_write_key(&self.json, TEXT("running_ms"));
        json_write_f64(&self.json, measures->running_ms);
        write_count(&self, "memory_peak_bytes", measures->memory_peak_bytes);
    }
    json_end_object(&self.json);
    json_writer_finish(&self.json);
}
