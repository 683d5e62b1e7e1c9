// What may be shown of a statement: ATTACH holds tokens and passwords in quotes.
#ifndef FIRN_CLI_MASKED_SQL_H
#define FIRN_CLI_MASKED_SQL_H

#include <stddef.h>

/// Puts '*' for every byte in quotes that is a value of TOKEN, CREDENTIAL or HEADERS, and for the
/// user and password of a URI in quotes. The length stays.
void cli_mask_secrets(char *sql, size_t size);

#endif
