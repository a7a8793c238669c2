# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Writes to `list` one add_test() per test case of the Catch2 `program`, each named "<area>: <test case>".
set(script "")
foreach(spec IN ITEMS "~[slow]" "[slow]")
  execute_process(COMMAND ${program} ${spec} --list-test-names-only OUTPUT_VARIABLE names RESULT_VARIABLE count)
  if(NOT count MATCHES "^[0-9]+$")
    message(FATAL_ERROR "${program} cannot list its test cases: ${count}\n${names}")
  endif()
  string(REGEX MATCHALL "[^\n]+" names "${names}")
  foreach(name IN LISTS names)
    string(REGEX REPLACE "([][,\\])" "\\\\\\1" escaped "${name}")
    # a test case that is not found, or checks nothing, has failed
    string(APPEND script "add_test([==[${area}: ${name}]==] [==[${program}]==] [==[${escaped}]==]"
      " --warn NoTests --warn NoAssertions)\n")
    if(spec STREQUAL "[slow]")
      string(APPEND script "set_tests_properties([==[${area}: ${name}]==] PROPERTIES LABELS slow)\n")
    endif()
  endforeach()
endforeach()
if(script STREQUAL "")
  message(FATAL_ERROR "${program} holds no test case")
endif()
file(WRITE ${list} "${script}")
