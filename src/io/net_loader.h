// Finds the network module. It is looked for beside libfirn (or the program firn is linked into),
// then in lib/firn/ of that prefix, and nowhere else: no search path of anybody's decides whose
// code runs here. In a program that links the module in, that one is taken.
#ifndef FIRN_IO_NET_LOADER_H
#define FIRN_IO_NET_LOADER_H

#include "base/error.h"
#include "io/net_module.h"

/// What the module gets from firn.
extern const net_host net_host_functions;

/// Loads the module, or answers with the one that was loaded before. It stays for the life of the
/// process.
///
/// Errors: FIRN_UNSUPPORTED (not found: names both places; wrong version; cannot be loaded).
firn_status net_module_load(const net_module **out, firn_error *err);

#endif
