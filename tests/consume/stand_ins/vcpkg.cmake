# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# What ports/conclave/portfile.cmake calls, as vcpkg documents it, and afterwards the checks vcpkg makes of a port.
cmake_minimum_required(VERSION 3.22)
set(CURRENT_PACKAGES_DIR ${FOLDER}/packages)

function(run)
  execute_process(COMMAND ${ARGN} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

macro(vcpkg_check_features)
  cmake_parse_arguments(asked "" "OUT_FEATURE_OPTIONS" "FEATURES" ${ARGN})
  set(${asked_OUT_FEATURE_OPTIONS} "")
  while(asked_FEATURES)
    list(POP_FRONT asked_FEATURES feature variable)
    if(feature IN_LIST FEATURES)
      list(APPEND ${asked_OUT_FEATURE_OPTIONS} -D${variable}=ON)
    else()
      list(APPEND ${asked_OUT_FEATURE_OPTIONS} -D${variable}=OFF)
    endif()
  endwhile()
endmacro()

function(vcpkg_cmake_configure)
  cmake_parse_arguments(PARSE_ARGV 0 asked "" "SOURCE_PATH" "OPTIONS")
  run(${CMAKE_COMMAND} -G Ninja -S ${asked_SOURCE_PATH} -B ${FOLDER}/buildtrees ${asked_OPTIONS}
    -D CMAKE_CXX_COMPILER=${COMPILER} -D CMAKE_INSTALL_PREFIX=${CURRENT_PACKAGES_DIR})
endfunction()

function(vcpkg_cmake_install)
  run(${CMAKE_COMMAND} --build ${FOLDER}/buildtrees --target install)
endfunction()

function(vcpkg_cmake_config_fixup)
  cmake_parse_arguments(PARSE_ARGV 0 asked "" "CONFIG_PATH" "")
  file(RENAME ${CURRENT_PACKAGES_DIR}/${asked_CONFIG_PATH} ${CURRENT_PACKAGES_DIR}/share/conclave)
  file(REMOVE_RECURSE ${CURRENT_PACKAGES_DIR}/share/cmake)  # it is empty now
  file(GLOB files ${CURRENT_PACKAGES_DIR}/share/conclave/*.cmake)
  foreach(file IN LISTS files)  # one level less up to the prefix, and nothing of this machine
    file(READ ${file} text)
    string(REPLACE "/../../../" "/../../" text "${text}")
    set(up "get_filename_component(_IMPORT_PREFIX \"\${_IMPORT_PREFIX}\" PATH)\n")
    string(REPLACE "${up}${up}${up}" "${up}${up}" text "${text}")
    file(WRITE ${file} "${text}")
  endforeach()
endfunction()

function(vcpkg_fixup_pkgconfig)
  if(NOT EXISTS ${CURRENT_PACKAGES_DIR}/share/pkgconfig/conclave.pc)
    message(FATAL_ERROR "no conclave.pc")
  endif()
endfunction()

function(vcpkg_install_copyright)
  cmake_parse_arguments(PARSE_ARGV 0 asked "" "" "FILE_LIST")
  file(COPY_FILE ${asked_FILE_LIST} ${CURRENT_PACKAGES_DIR}/share/conclave/copyright)
endfunction()

include(${PORT}/portfile.cmake)

file(GLOB installed RELATIVE ${CURRENT_PACKAGES_DIR} ${CURRENT_PACKAGES_DIR}/* ${CURRENT_PACKAGES_DIR}/share/*)
list(SORT installed)
if(NOT installed STREQUAL "include;share;share/conclave;share/pkgconfig")
  message(FATAL_ERROR "the port installs ${installed}")
endif()
file(GLOB_RECURSE files ${CURRENT_PACKAGES_DIR}/share/*)
foreach(file IN LISTS files)
  file(STRINGS ${file} absolute REGEX "${FOLDER}")
  if(absolute)
    message(FATAL_ERROR "${file} cannot be moved: ${absolute}")
  endif()
endforeach()
