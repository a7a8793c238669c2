# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
def check_min_cppstd(_recipe, standard):
    assert standard == 20
