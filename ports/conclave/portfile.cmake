# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# An overlay port: it installs the tree it stands in. vcpkg install conclave --overlay-ports=<conclave>/ports
get_filename_component(SOURCE_PATH "${CMAKE_CURRENT_LIST_DIR}/../.." ABSOLUTE)
set(VCPKG_BUILD_TYPE release)  # header-only

vcpkg_check_features(OUT_FEATURE_OPTIONS libraries FEATURES
  botan CONCLAVE_WITH_BOTAN
  openssl CONCLAVE_WITH_OPENSSL
  sqlite CONCLAVE_WITH_SQLITE)
vcpkg_cmake_configure(SOURCE_PATH "${SOURCE_PATH}"
  OPTIONS -DCONCLAVE_INSTALL=ON -DCONCLAVE_WITH_SODIUM=ON ${libraries})
vcpkg_cmake_install()
vcpkg_cmake_config_fixup(CONFIG_PATH share/cmake/conclave)
vcpkg_fixup_pkgconfig()
vcpkg_install_copyright(FILE_LIST "${SOURCE_PATH}/LICENSE")
