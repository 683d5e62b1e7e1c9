// to_char of numbers; its overloads are in date_format.c.
#ifndef FIRN_FUNCTIONS_SCALAR_NUMBER_FORMAT_H
#define FIRN_FUNCTIONS_SCALAR_NUMBER_FORMAT_H

#include "expr/function.h"

/// The kernel for INTEGER, DECIMAL, REAL and DOUBLE.
uint32_t number_format_rows(function_call *call, const column *const *args, column *out);
void number_format_explain(const function_call *call, const column *const *args, uint32_t row,
                           firn_error *err);

#endif
