# The libraries firn links (DEPENDENCIES: static where Debian has an archive, so that a process
# starts in a millisecond), those of the network module, and those that only tests use as oracles.
function(firn_find out archive shared)
    find_library(FIRN_LIB_${out} NAMES ${archive} ${shared} REQUIRED)
endfunction()
firn_find(ZSTD libzstd.a zstd)
firn_find(LZ4 liblz4.a lz4)
firn_find(DEFLATE libdeflate.a deflate)
firn_find(BROTLIDEC libbrotlidec.a brotlidec)
firn_find(BROTLICOMMON libbrotlicommon.a brotlicommon)
firn_find(SQLITE libsqlite3.a sqlite3)
firn_find(PCRE2 libpcre2-8.a pcre2-8)
firn_find(UTF8PROC libutf8proc.a utf8proc)

add_library(firn_libraries INTERFACE)
target_link_libraries(firn_libraries INTERFACE ${FIRN_LIB_ZSTD} ${FIRN_LIB_LZ4} ${FIRN_LIB_DEFLATE}
    ${FIRN_LIB_BROTLIDEC} ${FIRN_LIB_BROTLICOMMON} ${FIRN_LIB_SQLITE} ${FIRN_LIB_PCRE2}
    ${FIRN_LIB_UTF8PROC} m pthread dl)

add_library(firn_net_libraries INTERFACE)
find_library(FIRN_LIB_CURL NAMES curl)
if(FIRN_LIB_CURL)
    target_link_libraries(firn_net_libraries INTERFACE ${FIRN_LIB_CURL})
endif()

# Independent implementations that unit tests and fuzz targets compare ours with.
add_library(firn_oracles INTERFACE)
find_library(FIRN_LIB_SNAPPY NAMES snappy)
find_library(FIRN_LIB_JANSSON NAMES jansson)
find_library(FIRN_LIB_BROTLIENC NAMES brotlienc)
find_library(FIRN_LIB_ZLIB NAMES z)
foreach(oracle SNAPPY JANSSON BROTLIENC ZLIB)
    if(FIRN_LIB_${oracle})
        target_link_libraries(firn_oracles INTERFACE ${FIRN_LIB_${oracle}})
        target_compile_definitions(firn_oracles INTERFACE FIRN_ORACLE_${oracle}=1)
    elseif(FIRN_FUZZ)
        message(FATAL_ERROR "fuzzing compares with ${oracle}, which is missing: ./dev setup test")
    endif()
endforeach()
