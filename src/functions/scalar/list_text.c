// Lists to texts and back: array_to_string, string_to_array.
#include "base/utf8.h"
#include "functions/scalar/list_build.h"
#include "functions/scalar/row_values.h"
#include "functions/scalar/text_seek.h"

// ---- array_to_string ---------------------------------------------------------------------------

// The elements as text.
static firn_status bind_elements(function_bind_call *call, firn_error *err) {
    TRY(bind_as_text(call, err));
    call->wanted[0] = type_list(call->memory, TYPE_OF(VARCHAR));
    return call->wanted[0] == NULL ? ARENA_FULL(call->memory, err) : FIRN_OK;
}

typedef struct join_call {
    const function_call *call;
    const column *elements;
    text separator;
    const text *for_null; // NULL: those are left out.
} join_call;

// The size of the joined text, written to `out` unless that is NULL.
static uint64_t join(const join_call *how, list_value list, char *out) {
    const column *elements = how->elements;
    cancel_watch watch = {.cancel = function_cancel(how->call)};
    uint64_t size = 0;
    bool is_first = true;
    for (uint32_t place = list.offset; place < list.offset + list.size; place++) {
        const bool is_there = column_row_is_valid(elements, place);
        if (!is_there && how->for_null == NULL) {
            continue;
        }
        const text parts[2] = {is_first ? TEXT("") : how->separator,
                               is_there ? string_text(&COLUMN_VALUES(elements, string_value)[place])
                                        : *how->for_null};
        for (size_t i = 0; i < 2; i++) {
            if (out != NULL && !text_put(how->call, out + size, parts[i])) {
                return size;
            }
            size += parts[i].size;
        }
        if (cancel_watch_is_raised(&watch, parts[0].size + parts[1].size + 1)) {
            return size;
        }
        is_first = false;
    }
    return size;
}

static uint32_t array_to_string(function_call *call, const column *const *args, column *out) {
    const list_rows lists = list_rows_of(args[0]);
    const text_rows separators = text_rows_of(args[1]);
    text_sink sink = text_sink_of(call);
    FOR_ROWS(call, row) {
        // Not strict: a text for NULL may be NULL itself.
        if (!column_row_is_valid(args[0], row) || !column_row_is_valid(args[1], row)) {
            if (!column_set_null(call->scratch, out, row)) {
                return KERNEL_NO_MEMORY;
            }
            continue;
        }
        text for_null = TEXT("");
        const bool has_null_text = call->arg_count > 2 && column_row_is_valid(args[2], row);
        if (has_null_text) {
            for_null = text_at(text_rows_of(args[2]), row);
        }
        const list_value list = list_at(lists, row);
        const join_call how = {.call = call,
                               .elements = &args[0]->children[0],
                               .separator = text_at(separators, row),
                               .for_null = has_null_text ? &for_null : NULL};
        const uint64_t size = join(&how, list, NULL);
        char *room = size > UINT32_MAX ? NULL : text_sink_room(&sink, (size_t)size);
        if (room == NULL || function_is_stopped(call)) {
            return KERNEL_NO_MEMORY; // A stopped join is shorter than the next one may be.
        }
        (void)join(&how, list, room);
        COLUMN_OUT(out, string_value)[row] = text_sink_take(&sink, (size_t)size);
    }
    return call->count;
}

const scalar_function function_array_to_string = {
    .name = "array_to_string",
    .aliases = "array_join list_to_string",
    .category = "list",
    .summary = "the texts of the elements joined with a separator; NULL ones are left out, or have "
               "a text of their own",
    .examples =
        (const char *const[]){
            "array_to_string([1, 2, NULL, 3], ',')", "1,2,3",
            "array_to_string(['a', NULL], '-', '*')", "a-*", "array_to_string([], ',')", "",
            "array_to_string(['a'], NULL)", "NULL", "array_to_string(NULL, ',')", "NULL",
            "array_to_string([true, false], ' ')", "true false", "array_to_string(1, ',')",
            "error: no \"array_to_string\" takes", NULL},
    .flags = 0,
    .overloads =
        (const overload[]){
            {.signature = "VARCHAR <- LIST<T>, VARCHAR",
             .kernel = array_to_string,
             .bind = bind_elements},
            {.signature = "VARCHAR <- LIST<T>, VARCHAR, VARCHAR",
             .kernel = array_to_string,
             .bind = bind_elements},
            {0},
        },
};

// ---- string_to_array ---------------------------------------------------------------------------

static bool add_part(text_list *list, text part, const text *null_text) {
    const bool is_null = null_text != NULL && text_equal(part, *null_text);
    return text_list_add(list, is_null ? NULL : &part);
}

// Without a separator each character is a part; an empty one splits nothing.
static bool split(text_list *list, text value, const text *separator, const text *null_text) {
    cancel_watch watch = {.cancel = function_cancel(list->call)};
    size_t from = 0;
    if (separator == NULL) {
        while (from < value.size && !cancel_watch_is_raised(&watch, 1)) {
            const size_t start = from;
            (void)utf8_next(value, &from);
            if (!add_part(list, text_slice(value, start, from), null_text)) {
                return false;
            }
        }
        return true;
    }
    if (value.size == 0) {
        return true;
    }
    while (separator->size > 0 && !cancel_watch_is_raised(&watch, 1)) {
        const size_t found = text_find_place(list->call, value, *separator, from);
        if (found == TEXT_NOWHERE) {
            break;
        }
        if (!add_part(list, text_slice(value, from, found), null_text)) {
            return false;
        }
        from = found + separator->size;
    }
    return add_part(list, text_slice(value, from, value.size), null_text);
}

static uint32_t string_to_array(function_call *call, const column *const *args, column *out) {
    text_list list = text_list_of(call);
    FOR_ROWS(call, row) {
        if (!column_row_is_valid(args[0], row)) {
            if (!column_set_null(call->scratch, out, row)) {
                return KERNEL_NO_MEMORY;
            }
            continue;
        }
        text separator = TEXT("");
        text null_text = TEXT("");
        const bool has_separator = column_row_is_valid(args[1], row);
        const bool has_null_text = call->arg_count > 2 && column_row_is_valid(args[2], row);
        if (has_separator) {
            separator = text_at(text_rows_of(args[1]), row);
        }
        if (has_null_text) {
            null_text = text_at(text_rows_of(args[2]), row);
        }
        const uint32_t from = list.count;
        if (!split(&list, text_at(text_rows_of(args[0]), row), has_separator ? &separator : NULL,
                   has_null_text ? &null_text : NULL)) {
            return KERNEL_NO_MEMORY;
        }
        COLUMN_OUT(out, list_value)
        [row] = (list_value){.offset = from, .size = list.count - from};
    }
    out->children = text_list_finish(&list);
    return out->children == NULL ? KERNEL_NO_MEMORY : call->count;
}

const scalar_function function_string_to_array = {
    .name = "string_to_array",
    .aliases = "string_split str_split split string_to_list",
    .category = "list",
    .summary = "the parts of a text between separators; each character if the separator is NULL; "
               "parts like the third text become NULL",
    .examples =
        (const char *const[]){"string_to_array('a,b,,c', ',')", "[a, b, '', c]",
                              "string_to_array('xx~yy~zz', '~', 'yy')", "[xx, NULL, zz]",
                              "string_to_array('aé', NULL)", "[a, é]", "string_to_array('abc', '')",
                              "[abc]", "string_to_array('', ',')", "[]",
                              "string_to_array(NULL, ',')", "NULL", "string_to_array(1, ',')",
                              "error: no \"string_to_array\" takes", NULL},
    .flags = 0,
    .overloads =
        (const overload[]){
            {.signature = "LIST<VARCHAR> <- VARCHAR, VARCHAR", .kernel = string_to_array},
            {.signature = "LIST<VARCHAR> <- VARCHAR, VARCHAR, VARCHAR", .kernel = string_to_array},
            {0},
        },
};
