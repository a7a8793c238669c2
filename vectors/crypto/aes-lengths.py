#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Makes aes-lengths.json with the Python package `cryptography`, which is OpenSSL: AES-GCM and AES-CTR of 2049 messages,
the n-th of n bytes, and the bytes of all ciphertexts (with the tags) folded into one number."""
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM


def pattern(n, factor, add):
    return bytes((factor * i + add) % 256 for i in range(n))


def fold(into, data):
    for byte in data:
        into = (into * 0x100000001b3 + byte) % 2**64
    return into


def case(size):
    gcm = ctr = 0
    for n in range(2049):
        key, text = pattern(size, 1, n), pattern(n, 11, n)
        gcm = fold(gcm, AESGCM(key).encrypt(pattern(12, 7, n), text, pattern(n % 61, 3, n)))
        ctr = fold(ctr, Cipher(algorithms.AES(key), modes.CTR(pattern(16, 5, n))).encryptor().update(text))
    return f'  {{"key": {size}, "gcm": "{gcm:016x}", "ctr": "{ctr:016x}"}}'


print('{\n "source": "vectors/crypto/aes-lengths.py, which says how",\n "cases": [\n'
      + ",\n".join(case(size) for size in (16, 32)) + "\n ]\n}")
