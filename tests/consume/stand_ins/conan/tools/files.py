# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
import fnmatch
import pathlib
import shutil


def load(_recipe, path):
    return pathlib.Path(path).read_text()


def copy(_recipe, pattern, source, target):
    """Files whose path below `source` matches, with their folders."""
    for path in pathlib.Path(source).rglob("*"):
        below = path.relative_to(source)
        if path.is_file() and fnmatch.fnmatchcase(str(below), pattern):
            (pathlib.Path(target) / below).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, pathlib.Path(target) / below)
