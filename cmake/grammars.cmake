# The grammars of the code review as the library `grammars`: C sources from npm, pinned by the lock
# file beside analysis/review/grammars/package.json and brought into the build directory once.
find_program(NPM npm)

set(grammars ${CMAKE_BINARY_DIR}/grammars)
set(pinned ${CMAKE_SOURCE_DIR}/analysis/review/grammars)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${pinned}/package-lock.json)

function(fetch_grammars)
  file(SHA256 ${pinned}/package-lock.json wanted)
  if(EXISTS ${grammars}/installed)
    file(READ ${grammars}/installed installed)
    if(installed STREQUAL wanted)
      return()
    endif()
  endif()
  if(NOT NPM)
    message(FATAL_ERROR "The code review needs the packages tree-sitter-javascript and "
                        "tree-sitter-typescript, and npm, which fetches them, is missing: "
                        "apt-get install npm")
  endif()
  file(COPY ${pinned}/package.json ${pinned}/package-lock.json DESTINATION ${grammars})
  execute_process(
    COMMAND ${NPM} ci --ignore-scripts --no-audit --no-fund --loglevel=error
    WORKING_DIRECTORY ${grammars}
    RESULT_VARIABLE status
    ERROR_VARIABLE complaint)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "npm could not fetch the grammars of the code review into ${grammars}:\n"
                        "${complaint}")
  endif()
  file(WRITE ${grammars}/installed ${wanted})
endfunction()

fetch_grammars()

foreach(grammar javascript typescript/typescript typescript/tsx)
  set(sources ${grammars}/node_modules/tree-sitter-${grammar}/src)
  list(APPEND grammar_sources ${sources}/parser.c ${sources}/scanner.c)
endforeach()
add_library(grammars STATIC ${grammar_sources})
target_compile_options(grammars PRIVATE -O2 -w)
set_target_properties(grammars PROPERTIES UNITY_BUILD OFF)
foreach(source ${grammar_sources})  # each has its own tree_sitter/parser.h beside it
  get_filename_component(directory ${source} DIRECTORY)
  set_source_files_properties(${source} PROPERTIES INCLUDE_DIRECTORIES ${directory})
endforeach()
