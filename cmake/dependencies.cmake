# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# The libraries that may serve primitives, and those of adapters to the outside. Read by the project and by its installed
# package, so that both decide alike.
# Each one that is wanted and found becomes the target conclave_<NAME>; being imported, its headers are system headers.
# Those that CONCLAVE_WITH_<NAME> insists on and that are not there are listed in conclave_missing: what follows from that
# the reader knows.
set(conclave_missing "")

# conclave_use(<NAME> <include folder> <library>): makes the target, or notes that it is missing.
function(conclave_use name include library)
  if(include AND library)
    add_library(conclave_${name} UNKNOWN IMPORTED GLOBAL)
    set_target_properties(conclave_${name} PROPERTIES
      IMPORTED_LOCATION "${library}" INTERFACE_INCLUDE_DIRECTORIES "${include}")
  elseif(NOT CONCLAVE_WITH_${name} STREQUAL "AUTO")
    set(conclave_missing ${conclave_missing} ${name} PARENT_SCOPE)
  endif()
endfunction()

if(CONCLAVE_WITH_SODIUM AND NOT TARGET conclave_SODIUM)
  find_path(CONCLAVE_SODIUM_INCLUDE sodium.h)
  find_library(CONCLAVE_SODIUM_LIBRARY sodium)
  mark_as_advanced(CONCLAVE_SODIUM_INCLUDE CONCLAVE_SODIUM_LIBRARY)
  conclave_use(SODIUM "${CONCLAVE_SODIUM_INCLUDE}" "${CONCLAVE_SODIUM_LIBRARY}")
endif()

if(CONCLAVE_WITH_BOTAN AND NOT TARGET conclave_BOTAN)
  find_library(CONCLAVE_BOTAN_LIBRARY NAMES botan-3 botan-2)
  string(REGEX MATCH "botan-[23]" botan "${CONCLAVE_BOTAN_LIBRARY}")
  find_path(CONCLAVE_BOTAN_INCLUDE botan/version.h PATH_SUFFIXES ${botan})
  mark_as_advanced(CONCLAVE_BOTAN_INCLUDE CONCLAVE_BOTAN_LIBRARY)
  conclave_use(BOTAN "${CONCLAVE_BOTAN_INCLUDE}" "${CONCLAVE_BOTAN_LIBRARY}")
endif()

if(CONCLAVE_WITH_OPENSSL AND NOT TARGET conclave_OPENSSL)
  find_package(OpenSSL 3 QUIET)
  if(OPENSSL_VERSION VERSION_GREATER_EQUAL 3)
    conclave_use(OPENSSL "${OPENSSL_INCLUDE_DIR}" "${OPENSSL_CRYPTO_LIBRARY}")
  else()
    conclave_use(OPENSSL "" "")
  endif()
endif()

# Not part of conclave::conclave: who includes conclave/store/sqlite.hpp links conclave::sqlite too
if(CONCLAVE_WITH_SQLITE AND NOT TARGET conclave_SQLITE)
  find_path(CONCLAVE_SQLITE_INCLUDE sqlite3.h)
  find_library(CONCLAVE_SQLITE_LIBRARY sqlite3)
  mark_as_advanced(CONCLAVE_SQLITE_INCLUDE CONCLAVE_SQLITE_LIBRARY)
  conclave_use(SQLITE "${CONCLAVE_SQLITE_INCLUDE}" "${CONCLAVE_SQLITE_LIBRARY}")
  if(TARGET conclave_SQLITE)
    add_library(conclave::sqlite ALIAS conclave_SQLITE)
  endif()
endif()

# Likewise conclave/delivery/redis.hpp and conclave::redis
if(CONCLAVE_WITH_HIREDIS AND NOT TARGET conclave_HIREDIS)
  find_path(CONCLAVE_HIREDIS_INCLUDE hiredis/hiredis.h)
  find_library(CONCLAVE_HIREDIS_LIBRARY hiredis)
  mark_as_advanced(CONCLAVE_HIREDIS_INCLUDE CONCLAVE_HIREDIS_LIBRARY)
  conclave_use(HIREDIS "${CONCLAVE_HIREDIS_INCLUDE}" "${CONCLAVE_HIREDIS_LIBRARY}")
  if(TARGET conclave_HIREDIS)
    add_library(conclave::redis ALIAS conclave_HIREDIS)
  endif()
endif()
