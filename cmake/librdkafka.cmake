# lib_rdkafka: librdkafka, pinned and static; tools/librdkafka builds it once per machine and names its folder.
set(PENSTOCK_LIBRDKAFKA_SCRIPT ${CMAKE_SOURCE_DIR}/tools/librdkafka)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PENSTOCK_LIBRDKAFKA_SCRIPT})
# What it says on the way goes to stderr, so that a first build does not look stuck.
execute_process(COMMAND ${PENSTOCK_LIBRDKAFKA_SCRIPT}
                OUTPUT_VARIABLE PENSTOCK_LIBRDKAFKA OUTPUT_STRIP_TRAILING_WHITESPACE
                RESULT_VARIABLE PENSTOCK_LIBRDKAFKA_FAILED)
if(PENSTOCK_LIBRDKAFKA_FAILED)
  message(FATAL_ERROR "librdkafka could not be made ready; the lines above say why and name the cure "
                      "(tools/librdkafka repeats it alone)")
endif()

penstock_library(lib_rdkafka_needs openssl/ssl.h ssl crypto zstd lz4 z)
add_library(lib_rdkafka INTERFACE)
# SYSTEM: our warnings are for our code.
target_include_directories(lib_rdkafka SYSTEM INTERFACE ${PENSTOCK_LIBRDKAFKA})
target_link_libraries(lib_rdkafka INTERFACE ${PENSTOCK_LIBRDKAFKA}/librdkafka.a lib_rdkafka_needs
                                            Threads::Threads dl m)
