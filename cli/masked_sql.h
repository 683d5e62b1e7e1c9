// What may be shown of a statement: ATTACH holds tokens and passwords, addresses hold signatures.
#ifndef FIRN_CLI_MASKED_SQL_H
#define FIRN_CLI_MASKED_SQL_H

#include <stddef.h>

/// Puts '*' for every letter and digit of what may be secret. The length stays.
///
///   - in ATTACH, also a misspelled one: the value of every option, quoted in any way or not, but
///     those that are known to be harmless; and comments
///   - elsewhere: what follows a name with TOKEN, SECRET, PASSWORD, CREDENTIAL or HEADERS in it, in
///     quotes of any kind
///   - in quotes of any kind: user and password of an address, and what follows its '?' or '#'
void cli_mask_secrets(char *sql, size_t size);

#endif
