# One folder under src/ = one static library = one target theriac::<folder>.
#
#   theriac_library(seal LAYER 2 DEPENDS base crypto codec LINK PkgConfig::GCRYPT)
#
# A library may depend only on strictly lower layers; anything else stops the configuration.
# By file name: *_test.cpp become tests, *_bench.cpp benchmarks, *_fuzz.cpp fuzz targets (or, without
# THERIAC_FUZZ, a replay of tests/corpus/<name>/); everything else is the library.
function(theriac_library name)
  cmake_parse_arguments(ARG "" "LAYER" "DEPENDS;LINK;TEST_LINK" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS *.cpp)
  file(GLOB tests CONFIGURE_DEPENDS *_test.cpp)
  file(GLOB benches CONFIGURE_DEPENDS *_bench.cpp)
  file(GLOB fuzzers CONFIGURE_DEPENDS *_fuzz.cpp)
  if(tests OR benches OR fuzzers)
    list(REMOVE_ITEM sources ${tests} ${benches} ${fuzzers})
  endif()
  set_property(GLOBAL PROPERTY theriac_layer_${name} ${ARG_LAYER})
  foreach(dependency ${ARG_DEPENDS})
    get_property(known GLOBAL PROPERTY theriac_layer_${dependency} SET)
    if(NOT known)
      message(FATAL_ERROR "src/${name}: unknown or later library '${dependency}'")
    endif()
    get_property(below GLOBAL PROPERTY theriac_layer_${dependency})
    if(NOT below LESS ${ARG_LAYER})
      message(FATAL_ERROR
        "src/${name} (layer ${ARG_LAYER}) may not depend on src/${dependency} (layer ${below})")
    endif()
  endforeach()

  if(sources)
    add_library(theriac_${name} STATIC ${sources})
    set(scope PUBLIC)
    target_link_libraries(theriac_${name} PRIVATE theriac_options)
    if(NOT name STREQUAL "base")
      target_precompile_headers(theriac_${name} REUSE_FROM theriac_base)
    else()
      target_precompile_headers(theriac_${name} PRIVATE <algorithm> <array> <chrono> <functional>
        <map> <memory> <optional> <span> <string> <string_view> <unordered_map> <variant> <vector>
        <fmt/format.h> <tl/expected.hpp>)
    endif()
  else()
    add_library(theriac_${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  add_library(theriac::${name} ALIAS theriac_${name})
  target_include_directories(theriac_${name} ${scope} ${CMAKE_SOURCE_DIR}/src)
  foreach(dependency ${ARG_DEPENDS})
    target_link_libraries(theriac_${name} ${scope} theriac::${dependency})
  endforeach()
  theriac_system_link(theriac_${name} ${scope} ${ARG_LINK})

  if(tests)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE theriac_options theriac::${name} GTest::gtest_main
                          GTest::gmock ${RAPIDCHECK_LIBRARY} ${ARG_TEST_LINK})
    target_compile_definitions(${name}_test PRIVATE
      THERIAC_SOURCE_DIR="${CMAKE_SOURCE_DIR}" THERIAC_BINARY_DIR="${CMAKE_BINARY_DIR}")
    add_test(NAME ${name} COMMAND ${name}_test)
    set_tests_properties(${name} PROPERTIES LABELS fast TIMEOUT 300)
  endif()
  if(benches AND NOT THERIAC_FUZZ)
    add_executable(${name}_bench ${benches})
    target_compile_options(${name}_bench PRIVATE -Wno-c2y-extensions)  # BENCHMARK() uses __COUNTER__
    target_link_libraries(${name}_bench PRIVATE theriac_options theriac::${name}
                          benchmark::benchmark_main)
  endif()
  foreach(source ${fuzzers})
    get_filename_component(fuzzer ${source} NAME_WE)
    if(THERIAC_FUZZ)
      add_executable(${fuzzer} ${source})
      target_link_options(${fuzzer} PRIVATE -fsanitize=fuzzer)
    else()
      add_executable(${fuzzer} ${source} ${CMAKE_SOURCE_DIR}/tests/corpus_replay.cpp)
      add_test(NAME ${fuzzer} COMMAND ${fuzzer} ${CMAKE_SOURCE_DIR}/tests/corpus/${fuzzer})
      set_tests_properties(${fuzzer} PROPERTIES LABELS fuzz TIMEOUT 300)
    endif()
    target_link_libraries(${fuzzer} PRIVATE theriac_options theriac::${name})
  endforeach()
endfunction()

# Links external libraries with their headers as SYSTEM, so that our warnings are for our code.
function(theriac_system_link target scope)
  foreach(library ${ARGN})
    target_link_libraries(${target} ${scope} ${library})
    if(TARGET ${library})
      target_include_directories(${target} SYSTEM ${scope}
        $<TARGET_PROPERTY:${library},INTERFACE_INCLUDE_DIRECTORIES>)
    endif()
  endforeach()
endfunction()
