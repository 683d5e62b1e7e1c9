# The flags of every file: warnings, and the hardening that costs nothing measurable.
add_library(firn_flags INTERFACE)
target_include_directories(firn_flags INTERFACE
    ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/include)
target_compile_definitions(firn_flags INTERFACE _GNU_SOURCE)
target_compile_options(firn_flags INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes
    -Wmissing-prototypes -Wcast-align -Wcast-qual -Wformat=2 -Wnull-dereference -Wvla
    -Wswitch-enum -Wundef -Wdouble-promotion -Wimplicit-fallthrough -Wwrite-strings
    -fno-strict-aliasing -fno-omit-frame-pointer -fstack-protector-strong
    -ffunction-sections -fdata-sections
    # What debuggers read lies beside the objects, once, instead of in each of some 70 programs.
    "$<$<CONFIG:Debug,RelWithDebInfo>:-gsplit-dwarf;-gno-pubnames>")
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
    target_compile_options(firn_flags INTERFACE
        # GCC takes a parameter named like a type for a shadow; clang watches the rest. Arenas know
        # what zero bytes are, so -Walloc-zero is not asked.
        -Wno-shadow -Wshadow=local
        # Follows inlined paths that asserts exclude, which the release build has not.
        -Wno-null-dereference
        -Wlogical-op -Wduplicated-cond -Wduplicated-branches -Wtrampolines)
else()
    target_compile_options(firn_flags INTERFACE
        -Wcomma -Wcast-function-type-strict -Wthread-safety -Wassign-enum -fstrict-flex-arrays=3)
endif()
if(FIRN_SANITIZE)
    target_compile_options(firn_flags INTERFACE
        -fsanitize=${FIRN_SANITIZE} -fno-sanitize-recover=all)
    target_link_options(firn_flags INTERFACE -fsanitize=${FIRN_SANITIZE})
else()
    # Not together with sanitizers: fortify hides finds from ASan, zeroing hides them from MSan.
    target_compile_options(firn_flags INTERFACE
        $<$<CONFIG:Release,RelWithDebInfo>:-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3>
        -ftrivial-auto-var-init=zero -fstack-clash-protection)
    target_link_options(firn_flags INTERFACE -Wl,-z,relro,-z,now,-z,noexecstack)
endif()
if(FIRN_FUZZ)
    target_compile_options(firn_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
