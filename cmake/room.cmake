# penstock_room(NAME [DEPS room…] [LIBS lib_…] [TEST_DEPS room…] [TEST_UNDER command…] [TEST_LABEL label]
#               [TEST_ARGS argument…])
#
# One room of src/: every .cc beside the CMakeLists.txt but *_test.cc becomes the static library `room_NAME`;
# the *_test.cc files become one doctest program `NAME_test`, run by ctest under the label `unit`.
# TEST_UNDER puts a command before it that makes its world (tools/with_kafka); TEST_LABEL is another label, TEST_ARGS
# are arguments for doctest.
# A slash in a folder is an underscore here: log/embedded is room_log_embedded.
function(penstock_room name)
  cmake_parse_arguments(room "" "TEST_LABEL" "DEPS;LIBS;TEST_DEPS;TEST_UNDER;TEST_ARGS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS *.cc)
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "_test\\.cc$")
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  list(TRANSFORM room_DEPS PREPEND room_)
  list(TRANSFORM room_TEST_DEPS PREPEND room_)

  if(sources)
    add_library(room_${name} STATIC ${sources})
    target_include_directories(room_${name} PUBLIC ${CMAKE_SOURCE_DIR}/src)
    target_link_libraries(room_${name} PUBLIC lib_fmt ${room_DEPS} PRIVATE ${room_LIBS})
  else()
    add_library(room_${name} INTERFACE)
    target_include_directories(room_${name} INTERFACE ${CMAKE_SOURCE_DIR}/src)
    target_link_libraries(room_${name} INTERFACE lib_fmt ${room_DEPS})
  endif()

  if(PENSTOCK_TESTS AND tests)
    add_executable(${name}_test ${tests} ${CMAKE_SOURCE_DIR}/tests/doctest_main.cc)
    target_link_libraries(${name}_test PRIVATE room_${name} ${room_TEST_DEPS} lib_doctest)
    add_test(NAME ${name} COMMAND ${room_TEST_UNDER} $<TARGET_FILE:${name}_test> ${room_TEST_ARGS})
    if(NOT room_TEST_LABEL)
      set(room_TEST_LABEL unit)
    endif()
    set_tests_properties(${name} PROPERTIES LABELS ${room_TEST_LABEL})
  endif()
endfunction()
