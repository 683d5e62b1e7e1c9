// The kernels behind + - * / % // and unary minus, by what they compute with.
#ifndef FIRN_FUNCTIONS_SCALAR_ARITHMETIC_KERNELS_H
#define FIRN_FUNCTIONS_SCALAR_ARITHMETIC_KERNELS_H

#include "expr/function.h"

// Decimals (arithmetic_decimal.c). The result type is set by the bind functions.
uint32_t decimal_add(function_call *call, const column *const *args, column *out);
uint32_t decimal_subtract(function_call *call, const column *const *args, column *out);
uint32_t decimal_multiply(function_call *call, const column *const *args, column *out);
uint32_t decimal_divide(function_call *call, const column *const *args, column *out);
/// UBIGINT and BIGINT as DECIMAL(20,0), truncated: no integer type holds the quotients of both.
uint32_t unsigned_by_signed(function_call *call, const column *const *args, column *out);
uint32_t signed_by_unsigned(function_call *call, const column *const *args, column *out);
uint32_t decimal_remainder(function_call *call, const column *const *args, column *out);
firn_status decimal_bind_add(function_bind_call *call, firn_error *err);
firn_status decimal_bind_multiply(function_bind_call *call, firn_error *err);
firn_status decimal_bind_divide(function_bind_call *call, firn_error *err);
firn_status decimal_bind_remainder(function_bind_call *call, firn_error *err);
bool decimal_sum_has_room(const struct expr *call);
bool decimal_product_has_room(const struct expr *call);

// Dates, times, intervals (arithmetic_time.c).
uint32_t date_plus_days(function_call *call, const column *const *args, column *out);
uint32_t days_plus_date(function_call *call, const column *const *args, column *out);
uint32_t date_minus_days(function_call *call, const column *const *args, column *out);
uint32_t date_minus_date(function_call *call, const column *const *args, column *out);
uint32_t date_plus_interval(function_call *call, const column *const *args, column *out);
uint32_t interval_plus_date(function_call *call, const column *const *args, column *out);
uint32_t date_minus_interval(function_call *call, const column *const *args, column *out);
uint32_t date_plus_time(function_call *call, const column *const *args, column *out);
uint32_t time_plus_date(function_call *call, const column *const *args, column *out);
uint32_t timestamp_plus_interval(function_call *call, const column *const *args, column *out);
uint32_t interval_plus_timestamp(function_call *call, const column *const *args, column *out);
uint32_t timestamp_minus_interval(function_call *call, const column *const *args, column *out);
uint32_t timestamp_minus_timestamp(function_call *call, const column *const *args, column *out);
uint32_t time_plus_interval(function_call *call, const column *const *args, column *out);
uint32_t interval_plus_time(function_call *call, const column *const *args, column *out);
uint32_t time_minus_interval(function_call *call, const column *const *args, column *out);
uint32_t time_minus_time(function_call *call, const column *const *args, column *out);
uint32_t interval_plus_interval(function_call *call, const column *const *args, column *out);
uint32_t interval_minus_interval(function_call *call, const column *const *args, column *out);
uint32_t interval_negate(function_call *call, const column *const *args, column *out);
uint32_t interval_times_number(function_call *call, const column *const *args, column *out);
uint32_t number_times_interval(function_call *call, const column *const *args, column *out);
uint32_t interval_by_number(function_call *call, const column *const *args, column *out);

#endif
