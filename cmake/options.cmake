set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set_property(GLOBAL PROPERTY USE_FOLDERS ON)

option(PENSTOCK_TESTS "build the tests" ON)
option(PENSTOCK_BENCH "build the benchmarks" OFF)
option(PENSTOCK_FUZZ "build the fuzz targets (clang only)" OFF)
set(PENSTOCK_SANITIZE "" CACHE STRING "sanitizers, as -fsanitize= takes them")

add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion
                    -Wnon-virtual-dtor -Wold-style-cast -fno-omit-frame-pointer)
if(PENSTOCK_SANITIZE)
  add_compile_options(-fsanitize=${PENSTOCK_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${PENSTOCK_SANITIZE})
endif()

find_program(PENSTOCK_CCACHE ccache)
if(PENSTOCK_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1
      ${PENSTOCK_CCACHE})
endif()
find_program(PENSTOCK_MOLD mold)
if(PENSTOCK_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

# The same bytes from every folder, stripped. __FILE__ is "../../src/…" wherever the build is: ccache makes it
# relative to the build folder, the compiler alone leaves it absolute. A build id is a digest of the debug
# information too, which has to name the folder.
file(RELATIVE_PATH penstock_way_up ${CMAKE_BINARY_DIR} ${CMAKE_SOURCE_DIR})
string(REGEX REPLACE "/$" "" penstock_way_up "${penstock_way_up}")
if(NOT PENSTOCK_CCACHE)
  add_compile_options(-fmacro-prefix-map=${CMAKE_SOURCE_DIR}=../..)
elseif(NOT penstock_way_up STREQUAL "../..")
  add_compile_options(-fmacro-prefix-map=${penstock_way_up}=../..)
endif()
add_link_options(-Wl,--build-id=none)
