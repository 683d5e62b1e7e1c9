// Addresses in texts that people and logs get to see: errors, listings. Users, passwords and the
// signatures in queries of addresses stay out of them.
#ifndef FIRN_BASE_SHOWN_ADDRESS_H
#define FIRN_BASE_SHOWN_ADDRESS_H

#include <stddef.h>

/// Takes user and password out of every scheme://user:password@host in a text, and of those of web
/// servers what follows '?' or '#'. An address ends where the quotes around it do, or at a space.
/// Returns the size that is left; nothing is written behind it.
size_t hide_addresses(char *data, size_t size);
/// The same of a text whose end is missing: nothing is shown of a host that it ends in, as that may
/// be a user and a password.
size_t hide_cut_addresses(char *data, size_t size);

#endif
