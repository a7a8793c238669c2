#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Reads a sealed recording: written from docs/recording.md and the RFCs it names, with nothing but Python's own library.
Slow, and not safe against who can measure time; it shows that the page says enough.

  reader.py FILE KEY [SLIP]   prints the entries, one a line, then how the recording ends; KEY holds a private key, 32 bytes
  reader.py --self-test DIR   checks its primitives against the vectors in DIR
"""
import hashlib
import hmac
import json
import pathlib
import struct
import sys


# --- RFC 7748: X25519 ---------------------------------------------------------------------------------------------------

P = 2**255 - 19


def x25519(scalar, point):
    k = int.from_bytes(scalar, "little") & ~7 & (2**255 - 1) | 2**254
    u = int.from_bytes(point, "little") % 2**255 % P
    x2, z2, x3, z3, swapped = 1, 0, u, 1, 0
    for t in range(254, -1, -1):
        bit = k >> t & 1
        if bit != swapped:
            x2, z2, x3, z3 = x3, z3, x2, z2
        swapped = bit
        a, b, c, d = x2 + z2, x2 - z2, x3 + z3, x3 - z3
        aa, bb = a * a % P, b * b % P
        da, cb = d * a % P, c * b % P
        e = aa - bb
        x3, z3 = (da + cb) ** 2 % P, u * (da - cb) ** 2 % P
        x2, z2 = aa * bb % P, e * (aa + 121665 * e) % P
    if swapped:
        x2, z2 = x3, z3
    return (x2 * pow(z2, P - 2, P) % P).to_bytes(32, "little")


# --- RFC 8439: ChaCha20-Poly1305; draft-irtf-cfrg-xchacha-03: HChaCha20 ---------------------------------------------------

def rounds(key, tail):
    x = list(struct.unpack("<16L", b"expand 32-byte k" + key + tail))
    for _ in range(10):
        for a, b, c, d in ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
                           (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)):
            for p, q, r, n in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
                x[p] = x[p] + x[q] & 0xffffffff
                v = x[r] ^ x[p]
                x[r] = (v << n | v >> 32 - n) & 0xffffffff
    return x


def hchacha20(key, nonce):
    x = rounds(key, nonce)
    return struct.pack("<8L", *x[:4], *x[12:])


def chacha20(key, counter, nonce, data):
    out = bytearray()
    for i in range(0, len(data), 64):
        tail = struct.pack("<L", counter + i // 64) + nonce
        first = struct.unpack("<16L", b"expand 32-byte k" + key + tail)
        block = struct.pack("<16L", *(a + b & 0xffffffff for a, b in zip(first, rounds(key, tail))))
        out += bytes(a ^ b for a, b in zip(data[i:i + 64], block))
    return bytes(out)


def poly1305(key, message):
    r = int.from_bytes(key[:16], "little") & 0x0ffffffc0ffffffc0ffffffc0fffffff
    total = 0
    for i in range(0, len(message), 16):
        total = (total + int.from_bytes(message[i:i + 16] + b"\1", "little")) * r % (2**130 - 5)
    return (total + int.from_bytes(key[16:], "little")).to_bytes(32, "little")[:16]


def chacha20_poly1305_open(key, nonce, aad, sealed):
    """The plaintext, or None."""
    body, tag = sealed[:-16], sealed[-16:]
    covered = aad + bytes(-len(aad) % 16) + body + bytes(-len(body) % 16) + struct.pack("<QQ", len(aad), len(body))
    if poly1305(chacha20(key, 0, nonce, bytes(32)), covered) != tag:
        return None
    return chacha20(key, 1, nonce, body)


def xchacha20_poly1305_open(key, nonce, aad, sealed):
    return chacha20_poly1305_open(hchacha20(key, nonce[:16]), bytes(4) + nonce[16:], aad, sealed)


# --- RFC 5869, RFC 9180 ---------------------------------------------------------------------------------------------------

def mac(key, data):
    return hmac.new(key, data, hashlib.sha256).digest()


def expand(prk, info, size):
    out = block = b""
    while len(out) < size:
        block = mac(prk, block + info + bytes([len(out) // 32 + 1]))
        out += block
    return out[:size]


def hpke_open(private, enc, info, aad, sealed):
    """DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20Poly1305, base mode: the plaintext, or None."""
    def labeled_extract(suite, salt, label, data):
        return mac(salt, b"HPKE-v1" + suite + label + data)

    def labeled_expand(suite, prk, label, data, size):
        return expand(prk, struct.pack(">H", size) + b"HPKE-v1" + suite + label + data, size)

    kem, suite = b"KEM\0\x20", b"HPKE\0\x20\0\1\0\3"
    public = x25519(private, (9).to_bytes(32, "little"))
    eae_prk = labeled_extract(kem, b"", b"eae_prk", x25519(private, enc))
    shared = labeled_expand(kem, eae_prk, b"shared_secret", enc + public, 32)
    context = b"\0" + labeled_extract(suite, b"", b"psk_id_hash", b"") + labeled_extract(suite, b"", b"info_hash", info)
    secret = labeled_extract(suite, shared, b"secret", b"")
    key = labeled_expand(suite, secret, b"key", context, 32)
    nonce = labeled_expand(suite, secret, b"base_nonce", context, 12)
    return chacha20_poly1305_open(key, nonce, aad, sealed)


# --- docs/recording.md ----------------------------------------------------------------------------------------------------

class Refused(Exception):
    pass


def open_file(data, private, key_slip):
    """The chunk key, the header's MAC and where the chunks begin."""
    if data[:18] != b"conclave recording" or data[18:20] != b"\0\1" or len(data) < 54:
        raise Refused("no recording of version 1")
    file_id, slips = data[20:52], int.from_bytes(data[52:54], "big")
    size = 54 + 80 * slips
    if not 1 <= slips <= 64 or len(data) < size + 32:
        raise Refused("the header is cut short")
    tried = [data[54 + 80 * i:134 + 80 * i] for i in range(slips)]
    if key_slip is not None:
        if len(key_slip) != 131 or key_slip[:19] != b"conclave key slip\0\1" or key_slip[19:51] != file_id:
            raise Refused("no key slip of this recording")
        tried = [key_slip[51:]]
    opened = (hpke_open(private, s[:32], b"conclave recording 1 slip" + file_id, b"", s[32:]) for s in tried)
    secret = next((s for s in opened if s is not None), None)
    if secret is None:
        raise Refused("not made out to this key")
    if expand(secret, b"conclave recording 1 id", 32) != file_id:
        raise Refused("another key than the file id says")
    header_mac = mac(expand(secret, b"conclave recording 1 header", 32), data[:size])
    if header_mac != data[size:size + 32]:
        raise Refused("the header was altered")
    return expand(secret, b"conclave recording 1 chunks", 32), header_mac, size + 32


def take_opaque(data):
    """RFC 9420 2.1.2"""
    size = 1 << (data[0] >> 6)
    length = int.from_bytes(data[:size], "big") & (1 << 8 * size - 2) - 1
    if size == 8 or len(data) < size + length:
        raise ValueError("a length that does not fit")
    return data[size:size + length], data[size + length:]


def entries(plaintext):
    while plaintext:
        kind, time, epoch, sender, stream = struct.unpack(">BQQLL", plaintext[:25])
        name, plaintext = take_opaque(plaintext[25:])
        data, plaintext = take_opaque(plaintext)
        yield kind, time, epoch, sender, stream, name, data


def play(data, private, key_slip=None):
    """The entries, and complete, truncated or altered."""
    key, header_mac, at = open_file(data, private, key_slip)

    def chunk(offset):
        """Header and plaintext of what stands there, which is None where it is not authentic; None where it is cut."""
        if len(data) - offset < 52:
            return None
        head = data[offset:offset + 36]
        size = int.from_bytes(head[32:], "big")
        if len(data) - offset < 52 + size:
            return None
        return head, xchacha20_poly1305_open(key, head[:24], header_mac + head, data[offset + 36:offset + 52 + size])

    last = chunk(len(data) - 68) if len(data) - 68 >= at else None
    whole = last is not None and last[1] is not None and last[0][23] == 2
    said, number, kind, until, starts = [], 0, 0, 0, []
    while kind != 2:
        found = chunk(at)
        if found is None:
            return said, "altered" if whole else "truncated"
        head, plaintext = found
        if plaintext is None or int.from_bytes(head[15:23], "big") != number or (kind == 1) != (head[23] == 2):
            return said, "altered"
        kind = head[23]
        if kind == 0:
            said += entries(plaintext)
            starts.append((at, int.from_bytes(head[24:32], "big")))
            until = max([until] + [e[1] for e in said])
        elif kind == 1:
            index_offset, stride = at, int.from_bytes(plaintext[:8], "big")
            points = [struct.unpack(">QQ", plaintext[i:i + 16]) for i in range(8, len(plaintext), 16)]
            if points != starts[::stride]:
                raise Refused("another index than the chunks make")
        elif plaintext != struct.pack(">QQ", index_offset, len(said)):
            raise Refused("another end than the chunks make")
        if int.from_bytes(head[24:32], "big") != until:
            raise Refused("another time than the entries make")
        at += 52 + len(plaintext)
        number += 1
    return said, "complete" if at == len(data) else "altered"


# --- the two commands -----------------------------------------------------------------------------------------------------

def self_test(folder):
    def cases(name):
        for case in json.loads((pathlib.Path(folder) / "crypto" / name).read_text())["cases"]:
            yield {k: bytes.fromhex(v) if isinstance(v, str) and k != "section" else v for k, v in case.items()}

    checked = 0
    for c in cases("rfc8439-chacha20-poly1305.json"):
        assert chacha20_poly1305_open(c["key"], c["nonce"], c["aad"], c["ciphertext"]) == c["plaintext"]
        assert chacha20_poly1305_open(c["key"], c["nonce"], c["aad"] + b"x", c["ciphertext"]) is None
        checked += 1
    for c in cases("draft-irtf-cfrg-xchacha-03.json"):
        assert xchacha20_poly1305_open(c["key"], c["nonce"], c["aad"], c["ciphertext"]) == c["plaintext"]
        checked += 1
    for case in json.loads((pathlib.Path(folder) / "crypto" / "rfc9180-hpke.json").read_text())["cases"]:
        if (case["kem_id"], case["kdf_id"], case["aead_id"]) != (0x20, 1, 3):
            continue
        first = case["encryptions"][0]
        fields = [case["skRm"], case["enc"], case["info"], first["aad"], first["ct"]]
        assert hpke_open(*map(bytes.fromhex, fields)) == bytes.fromhex(first["pt"])
        checked += 1
    assert checked >= 4, "vectors are missing"
    print(f"{checked} vectors")


def main():
    if len(sys.argv) == 3 and sys.argv[1] == "--self-test":
        return self_test(sys.argv[2])
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    data, private, *slip = (pathlib.Path(name).read_bytes() for name in sys.argv[1:])
    try:
        said, end = play(data, private, *slip)
    except Refused as why:
        print(f"refused: {why}")
        return
    for kind, time, epoch, sender, stream, name, content in said:
        print(kind, time, epoch, sender, stream, name.hex() or "-", content.hex() or "-")
    print(end)


if __name__ == "__main__":
    main()
