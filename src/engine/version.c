#include "base/compiler.h"
#include "firn.h"

#define WORDS_OF(number) #number
#define WORDS(number) WORDS_OF(number)

const char *firn_version(void) {
    return WORDS(FIRN_VERSION_MAJOR) "." WORDS(FIRN_VERSION_MINOR) "." WORDS(FIRN_VERSION_PATCH);
}
