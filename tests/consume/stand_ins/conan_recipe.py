# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Carries out conanfile.py in the order that Conan 2 documents: export, configure, package, package_info."""
import collections
import importlib.util
import re

# How a host's compiler is told about the components that the recipe requires.
SYSTEM = {"libsodium::libsodium": ["-lsodium"], "openssl::crypto": ["-lcrypto"], "sqlite3::sqlite3": ["-lsqlite3"],
          "botan::botan": ["-lbotan-2", "-isystem/usr/include/botan-2"]}


class Component:
    def __init__(self):
        self.requires, self.defines = [], []
        self.includedirs, self.libdirs, self.bindirs = ["include"], ["lib"], ["bin"]
        self.properties = {}

    def set_property(self, name, value):
        self.properties[name] = value


class Options:
    def __init__(self, recipe, chosen):
        for name, allowed in recipe.options.items():
            value = {"True": True, "False": False}.get(chosen.pop(name, None), recipe.default_options[name])
            assert value in allowed, name
            setattr(self, name, value)
        assert not chosen, f"no such options: {chosen}"

    def get_safe(self, name):
        return getattr(self, name, None)


def carry_out(project, folder, chosen):
    """The flags and the libraries of a host that uses the package, which lies in folder/package."""
    spec = importlib.util.spec_from_file_location("conanfile", project / "conanfile.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    recipe = module.Conclave()
    required = []
    recipe.requires = required.append
    recipe.recipe_folder = recipe.export_folder = str(project)
    recipe.set_version()
    assert re.fullmatch(r"\d+\.\d+\.\d+", recipe.version), recipe.version

    sources = folder / "sources"  # no more than what is exported
    for pattern in recipe.exports_sources:
        module.copy(recipe, pattern, project, sources)
    recipe.options = Options(recipe, dict(chosen))
    recipe.requirements()
    recipe.validate()
    recipe.source_folder, recipe.package_folder = str(sources), str(folder / "package")
    recipe.package()
    assert (folder / "package/licenses/LICENSE").exists()

    recipe.cpp_info = Component()
    recipe.cpp_info.components = collections.defaultdict(Component)
    recipe.package_info()
    core = recipe.cpp_info.components["core"]
    assert core.properties["cmake_target_name"] == "conclave::conclave"
    packages = {name.split("/")[0] for name in required}
    used = {name.split("::")[0] for component in recipe.cpp_info.components.values() for name in component.requires}
    assert used - {"core"} == packages, f"{used} are used, {packages} are required"
    flags = [f"-I{folder / 'package' / name}" for name in core.includedirs] + [f"-D{name}" for name in core.defines]
    words = [word for name in core.requires for word in SYSTEM[name]]
    return flags + [word for word in words if not word.startswith("-l")], [word for word in words if word.startswith("-l")]
