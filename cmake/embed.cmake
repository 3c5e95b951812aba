# cmake -DFOLDER=examples -DOUTPUT=x.cc -P embed.cmake
# Writes every file under FOLDER as a C++ string, for `penstock init` and `penstock demo`.
file(GLOB_RECURSE files RELATIVE ${FOLDER} ${FOLDER}/*)
list(SORT files)
set(entries "")
foreach(name ${files})
  if(name MATCHES "\\.penstock/")
    continue()
  endif()
  file(READ ${FOLDER}/${name} hex HEX)
  string(LENGTH "${hex}" digits)
  math(EXPR size "${digits} / 2")
  # Pieces of 32 bytes: compilers and people dislike endless lines.
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "\\\\x\\1" escaped "${hex}")
  string(REGEX REPLACE "((\\\\x[0-9a-f][0-9a-f])(\\\\x[0-9a-f][0-9a-f])(\\\\x[0-9a-f][0-9a-f])(\\\\x[0-9a-f][0-9a-f])(\\\\x[0-9a-f][0-9a-f])(\\\\x[0-9a-f][0-9a-f])(\\\\x[0-9a-f][0-9a-f])(\\\\x[0-9a-f][0-9a-f]))" "\\1\"\n    \"" escaped "${escaped}")
  string(APPEND entries "  {\"${name}\", std::string_view(\n    \"${escaped}\", ${size})},\n")
endforeach()
file(WRITE ${OUTPUT} "// Written by cmake/embed.cmake.\n#include \"app/embedded_files.h\"\n\nnamespace penstock::app {\nnamespace {\nconstexpr EmbeddedFile kFiles[] = {\n${entries}};\n}  // namespace\nstd::span<const EmbeddedFile> embedded_files() { return kFiles; }\n}  // namespace penstock::app\n")
