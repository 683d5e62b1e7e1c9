#include "tables/iceberg/iceberg_uuid.h"

#include "base/host.h"

firn_status ice_uuid_make(char out[ICE_UUID_SIZE + 1], firn_error *err) {
    uint8_t chance[16];
    TRY(host_random(chance, sizeof chance, err));
    chance[6] = (uint8_t)((chance[6] & 0x0f) | 0x40);
    chance[8] = (uint8_t)((chance[8] & 0x3f) | 0x80);
    static const char digits[] = "0123456789abcdef";
    char *to = out;
    for (size_t i = 0; i < sizeof chance; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) {
            *to++ = '-';
        }
        *to++ = digits[chance[i] >> 4];
        *to++ = digits[chance[i] & 0x0f];
    }
    *to = '\0';
    return FIRN_OK;
}
