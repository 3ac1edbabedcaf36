# bpf_skeleton(TARGET SOURCE): compiles SOURCE (x.bpf.c) with clang for the BPF machine and makes the
# interface library TARGET, whose users can include "x.skel.h". Rebuilt when any header it includes
# changes.
find_program(CLANG NAMES clang clang-14 REQUIRED)
find_program(BPFTOOL bpftool PATHS /usr/sbin REQUIRED)

if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|amd64")
  set(BPF_ARCH x86)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
  set(BPF_ARCH arm64)
else()
  message(FATAL_ERROR "bpf/arch.bpf.h knows x86_64 and aarch64, not ${CMAKE_SYSTEM_PROCESSOR}")
endif()

function(bpf_skeleton target source)
  get_filename_component(stem ${source} NAME_WLE)  # x.bpf
  string(REPLACE ".bpf" "" name ${stem})
  set(directory ${CMAKE_CURRENT_BINARY_DIR})
  set(compiled ${directory}/${name}.compiled.o)
  set(object ${directory}/${name}.bpf.o)
  set(skeleton ${directory}/${name}.skel.h)
  add_custom_command(
    OUTPUT ${compiled}
    COMMAND ${CLANG} -target bpf -D__TARGET_ARCH_${BPF_ARCH} -mcpu=v3 -O2 -g -Wall -Wextra
            -Wno-unused-parameter -Werror -I${CMAKE_SOURCE_DIR}/bpf
            -I/usr/include/${CMAKE_LIBRARY_ARCHITECTURE} -MD -MF ${compiled}.d -MT ${compiled}
            -c ${CMAKE_CURRENT_SOURCE_DIR}/${source} -o ${compiled}
    DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${source}
    DEPFILE ${compiled}.d
    VERBATIM)
  add_custom_command(
    OUTPUT ${skeleton}
    COMMAND ${BPFTOOL} gen object ${object} ${compiled}  # strips DWARF, keeps BTF
    COMMAND ${BPFTOOL} gen skeleton ${object} name ${name}_bpf > ${skeleton}
    DEPENDS ${compiled}
    VERBATIM)
  add_custom_target(${target}_generate DEPENDS ${skeleton})
  add_library(${target} INTERFACE)
  add_dependencies(${target} ${target}_generate)
  target_include_directories(${target} SYSTEM INTERFACE ${directory})
endfunction()
