# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Writes to `list` one add_test() per test case of the Catch2 `program`, each named "<area>: <test case>".
set(script "")
string(ASCII 1 semicolon)  # stands in for the one in names, which would part a list
foreach(spec IN ITEMS "~[slow]" "[slow]")
  execute_process(COMMAND ${program} ${spec} --list-test-names-only OUTPUT_VARIABLE names RESULT_VARIABLE count)
  if(NOT count MATCHES "^[0-9]+$")
    message(FATAL_ERROR "${program} cannot list its test cases: ${count}\n${names}")
  endif()
  string(REPLACE ";" "${semicolon}" names "${names}")
  string(REGEX MATCHALL "[^\n]+" names "${names}")
  foreach(name IN LISTS names)
    string(REGEX REPLACE "([][,\\])" "\\\\\\1" escaped "${name}")
    # a test case that is not found again by its name, or checks nothing, has failed
    string(APPEND script "add_test([==[${area}: ${name}]==] [==[${program}]==] [==[${escaped}]==] --warn NoAssertions)\n"
      "set_tests_properties([==[${area}: ${name}]==] PROPERTIES FAIL_REGULAR_EXPRESSION [==[No tests ran]==]")
    if(spec STREQUAL "[slow]")
      string(APPEND script " LABELS slow")
    endif()
    string(APPEND script ")\n")
  endforeach()
endforeach()
if(script STREQUAL "")
  message(FATAL_ERROR "${program} holds no test case")
endif()
string(REPLACE "${semicolon}" ";" script "${script}")
file(WRITE ${list} "${script}")
