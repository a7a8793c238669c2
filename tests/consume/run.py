#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Builds and runs a consumer of conclave from nothing.

  run.py WAY FOLDER [--compiler CXX]     WAY: one of the functions below; FOLDER is emptied first

vcpkg and Conan themselves are not needed: stand_ins/ holds just enough of either to carry out the port and the recipe
without a network, so that what they install is built against.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
PROJECT = HERE.parent.parent
WAYS = {}


def way(function):
    WAYS[function.__name__] = function
    return function


def run(*command, **options):
    print("+", *command, flush=True)
    return subprocess.run([str(word) for word in command], check=True, **options)


def output(*command, **options):
    return run(*command, stdout=subprocess.PIPE, text=True, **options).stdout


def cmake_host(name, folder, compiler, *options, programs=("host",)):
    run("cmake", "-G", "Ninja", "-S", HERE / name, "-B", folder / "build", f"-DCMAKE_CXX_COMPILER={compiler}", *options)
    run("cmake", "--build", folder / "build")
    for program in programs:
        run(folder / "build" / program)


def install(folder, compiler, *options):
    """conclave in folder/prefix, and nothing of its build left."""
    run("cmake", "-G", "Ninja", "-S", PROJECT, "-B", folder / "conclave", f"-DCMAKE_CXX_COMPILER={compiler}", *options)
    run("cmake", "--install", folder / "conclave", "--prefix", folder / "first")
    shutil.rmtree(folder / "conclave")
    return (folder / "first").rename(folder / "prefix")  # it can be moved


def tree_of(folder):
    """A copy of what a release holds."""
    shutil.copytree(PROJECT, folder, ignore=shutil.ignore_patterns(".git", "build", "tests", "vectors", "__pycache__"))
    return folder


@way
def add_subdirectory(folder, compiler):
    cmake_host("add_subdirectory", folder, compiler, f"-DCONCLAVE={PROJECT}", programs=("host", "host_store"))


@way
def fetch_content(folder, compiler):
    """From a repository, as from a public one."""
    source = tree_of(folder / "repository")
    git = ("git", "-C", source, "-c", "user.name=a release", "-c", "user.email=", "-c", "init.defaultBranch=main")
    run(*git, "init", "-q")
    run(*git, "add", ".")
    run(*git, "commit", "-q", "-m", "A release")
    commit = output(*git, "rev-parse", "HEAD").strip()
    cmake_host("fetch_content", folder, compiler, f"-DREPOSITORY={source.as_uri()}", f"-DCOMMIT={commit}")


@way
def find_package(folder, compiler):
    prefix = install(folder, compiler)
    cmake_host("find_package", folder, compiler, f"-DCMAKE_PREFIX_PATH={prefix}")
    run("cmake", "-G", "Ninja", "-S", HERE / "find_optional", "-B", folder / "without", f"-DCMAKE_PREFIX_PATH={prefix}",
        f"-DCMAKE_CXX_COMPILER={compiler}", "-DCONCLAVE_SODIUM_LIBRARY=")


@way
def pkg_config(folder, compiler):
    prefix = install(folder, compiler)
    make = ("make", "-C", HERE / "pkg_config", f"CXX={compiler}", f"OUT={folder}")
    run(*make, env=os.environ | {"PKG_CONFIG_PATH": str(prefix / "share/pkgconfig")})
    run(folder / "host")


@way
def single_header(folder, compiler):
    """The program of the README, in a folder with that one header; the SQLite store may be in it too."""
    script = PROJECT / "cmake/single_header.py"
    run(sys.executable, script, folder / "conclave/conclave.hpp")
    shutil.copy(PROJECT / "examples/hello.cpp", folder)
    run("make", "-C", HERE / "single_header", f"CXX={compiler}", f"OUT={folder}")
    said = output(folder / "host")
    if not re.search(r"hello\nread aloud: [0-9 ]+\n", said):
        sys.exit(f"the program of the README said: {said}")
    run(sys.executable, script, folder / "store/conclave/store/sqlite.hpp", "store/sqlite.hpp")
    run(compiler, "-std=c++20", "-I", folder / "store", "-DCONCLAVE_WITH_BOTAN=0", HERE / "store.cpp", "-lsodium",
        "-lsqlite3", "-o", folder / "host_store")
    run(folder / "host_store")


@way
def vcpkg(folder, compiler):
    """Carries out ports/conclave/portfile.cmake with the features that vcpkg/vcpkg.json asks for."""
    manifest = json.loads((PROJECT / "ports/conclave/vcpkg.json").read_text())
    wanted, = json.loads((HERE / "vcpkg/vcpkg.json").read_text())["dependencies"]
    features = [*manifest["default-features"], *wanted["features"]]
    if unknown := set(features) - set(manifest["features"]):
        sys.exit(f"the port has no feature {unknown}")
    run("cmake", f"-DPORT={PROJECT / 'ports/conclave'}", f"-DFEATURES={';'.join(features)}", f"-DFOLDER={folder}",
        f"-DCOMPILER={compiler}", "-P", HERE / "stand_ins/vcpkg.cmake")
    cmake_host("vcpkg", folder, compiler, f"-DCMAKE_PREFIX_PATH={folder / 'packages'}")


@way
def conan(folder, compiler):
    """Carries out conanfile.py with the options that conan/conanfile.txt asks for."""
    sys.path.insert(0, str(HERE / "stand_ins"))
    import conan_recipe
    options = dict(re.findall(r"conclave/\*:(\w+)=(\w+)", (HERE / "conan/conanfile.txt").read_text()))
    flags, libraries = conan_recipe.carry_out(PROJECT, folder, options)
    run(compiler, "-std=c++20", *flags, HERE / "main.cpp", HERE / "call.cpp", *libraries, "-o", folder / "host")
    run(folder / "host")


@way
def meson(folder, compiler):
    for name in ("main.cpp", "call.cpp", "call.hpp", "meson/meson.build"):
        shutil.copy(HERE / name, folder)
    tree_of(folder / "subprojects/conclave")
    run("meson", "setup", folder / "build", folder, env=os.environ | {"CXX": compiler})
    run("ninja", "-C", folder / "build", "host")
    run(folder / "build/host")


@way
def bazel(folder, compiler):
    for name in ("main.cpp", "call.cpp", "call.hpp", "bazel/BUILD.bazel", "bazel/WORKSPACE", "bazel/MODULE.bazel"):
        shutil.copy(HERE / name, folder)
    tree_of(folder / "conclave")
    local = [f"--override_repository={name}" for name in  # what it would download
             (f"rules_cc={HERE / 'stand_ins/rules_cc'}", "rules_java=/usr/share/bazel/rules/java")]
    run("bazel", f"--output_user_root={folder / 'output'}", "--batch", "build", "--symlink_prefix=bazel-", *local,
        "--spawn_strategy=local", "//:host", cwd=folder, env=os.environ | {"CC": compiler})
    run(folder / "bazel-bin/host")
    run("chmod", "-R", "u+w", folder / "output")  # so that the folder can be emptied again


@way
def versions(folder, compiler):
    """What states the version states the same one."""
    config = (PROJECT / "include/conclave/config.hpp").read_text()
    version = ".".join(re.findall(r"#define CONCLAVE_VERSION_\w+ (\d+)", config))
    for name, words in {"meson.build": f"version: '{version}'", "MODULE.bazel": f'version = "{version}"',
                        "ports/conclave/vcpkg.json": f'"version": "{version}"',
                        "tests/consume/bazel/MODULE.bazel": f'version = "{version}"'}.items():
        if words not in (PROJECT / name).read_text():
            sys.exit(f"{name} does not say {words}")
    print(version)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("way", choices=WAYS)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--compiler", default="c++")
    arguments = parser.parse_args()
    folder = arguments.folder.resolve()
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    try:
        WAYS[arguments.way](folder, arguments.compiler)
    except subprocess.CalledProcessError as problem:
        sys.exit(f"{arguments.way}: {problem}")


if __name__ == "__main__":
    main()
