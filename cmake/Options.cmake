# Warnings, hardening and sanitizers, for our own code only (dependencies are SYSTEM includes).
option(THERIAC_FUZZ "build libFuzzer targets instead of corpus replays" OFF)
set(THERIAC_SANITIZE "" CACHE STRING "value for -fsanitize=, e.g. address,undefined")

if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang" OR CMAKE_CXX_COMPILER_VERSION VERSION_LESS 22)
  message(FATAL_ERROR "Theriac is built with clang-22: g++ 12 miscompiles coroutines. Use a preset.")
endif()

add_library(theriac_options INTERFACE)
target_compile_options(theriac_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast
  -Wnon-virtual-dtor -Woverloaded-virtual -Wimplicit-fallthrough -Werror
  -Wno-missing-designated-field-initializers
  -fstack-protector-strong -fcf-protection=full -ftrivial-auto-var-init=zero
  -fstrict-flex-arrays=3 "SHELL:-Xclang -fno-pch-timestamp")
target_compile_definitions(theriac_options INTERFACE
  _GLIBCXX_ASSERTIONS
  BOOST_ASIO_HAS_CO_AWAIT BOOST_ASIO_HAS_STD_COROUTINE BOOST_ASIO_NO_DEPRECATED
  BOOST_ASIO_SEPARATE_COMPILATION)
target_link_options(theriac_options INTERFACE -fuse-ld=lld-22 -Wl,-z,relro,-z,now -pie)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

if(THERIAC_SANITIZE)
  target_compile_options(theriac_options INTERFACE
    -fsanitize=${THERIAC_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(theriac_options INTERFACE -fsanitize=${THERIAC_SANITIZE})
else()
  target_compile_options(theriac_options INTERFACE -fstack-clash-protection)
  if(CMAKE_BUILD_TYPE STREQUAL "Release")
    target_compile_definitions(theriac_options INTERFACE _FORTIFY_SOURCE=3)
  endif()
endif()
if(THERIAC_FUZZ)
  target_compile_options(theriac_options INTERFACE -fsanitize=fuzzer-no-link)
endif()

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${CCACHE})
endif()
