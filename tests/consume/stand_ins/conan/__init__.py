# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
class ConanFile:
    """What conan_recipe.py fills in before it carries a recipe out."""
