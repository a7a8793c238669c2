# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
file(REMOVE_RECURSE ${folder})
set(options -D CMAKE_CXX_COMPILER=${compiler})
if(how STREQUAL "installed")
  execute_process(COMMAND ${CMAKE_COMMAND} --install ${built} --prefix ${folder}/prefix OUTPUT_QUIET
    COMMAND_ERROR_IS_FATAL ANY)
  list(APPEND options -D CMAKE_PREFIX_PATH=${folder}/prefix)
else()
  list(APPEND options -D VENDORED=${conclave})
endif()
execute_process(COMMAND ${CMAKE_COMMAND} -G ${generator} -S ${CMAKE_CURRENT_LIST_DIR}/host -B ${folder}/build ${options}
  COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${CMAKE_COMMAND} --build ${folder}/build COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${folder}/build/host COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${folder}/build/host_store COMMAND_ERROR_IS_FATAL ANY)
