# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Conan 2: conan create ."""
import os
import re

from conan import ConanFile
from conan.tools.build import check_min_cppstd
from conan.tools.files import copy, load


class Conclave(ConanFile):
    name = "conclave"
    description = "Header-only core for end-to-end encrypted meetings: MLS (RFC 9420) and SFrame (RFC 9605)"
    license = "Apache-2.0 WITH LLVM-exception"
    package_type = "header-library"
    settings = "os", "arch", "compiler", "build_type"
    options = {"with_botan": [True, False], "with_openssl": [True, False], "with_sqlite": [True, False]}
    default_options = {"with_botan": True, "with_openssl": False, "with_sqlite": False}
    exports_sources = "include/*", "LICENSE"
    no_copy_source = True

    def set_version(self):
        config = load(self, os.path.join(self.recipe_folder, "include/conclave/config.hpp"))
        self.version = ".".join(re.findall(r"#define CONCLAVE_VERSION_\w+ (\d+)", config))

    def requirements(self):
        self.requires("libsodium/[>=1.0.18 <2]")
        if self.options.with_botan:
            self.requires("botan/[>=2.19 <4]")
        if self.options.with_openssl:
            self.requires("openssl/[>=3 <4]")
        if self.options.with_sqlite:
            self.requires("sqlite3/[>=3.40 <4]")

    def validate(self):
        check_min_cppstd(self, 20)

    def package_id(self):
        self.info.settings.clear()

    def package(self):
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))
        copy(self, "*", os.path.join(self.source_folder, "include"), os.path.join(self.package_folder, "include"))

    def package_info(self):
        self.cpp_info.bindirs = self.cpp_info.libdirs = []
        core = self.cpp_info.components["core"]
        core.set_property("cmake_target_name", "conclave::conclave")
        core.bindirs = core.libdirs = []
        core.requires = ["libsodium::libsodium"]
        for library, component in {"botan": "botan::botan", "openssl": "openssl::crypto"}.items():
            wanted = bool(self.options.get_safe(f"with_{library}"))
            core.defines.append(f"CONCLAVE_WITH_{library.upper()}={int(wanted)}")
            if wanted:
                core.requires.append(component)
        if self.options.with_sqlite:
            store = self.cpp_info.components["sqlite"]
            store.set_property("cmake_target_name", "conclave::sqlite")
            store.bindirs = store.libdirs = []
            store.requires = ["core", "sqlite3::sqlite3"]
