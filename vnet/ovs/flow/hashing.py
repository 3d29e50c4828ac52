"""Open vSwitch's hash functions, value for value: who balances by a hash must agree with it.

32-bit arithmetic. ``hash_add`` and ``hash_finish`` are MurmurHash3's steps (Austin Appleby,
public domain), as in builds of Open vSwitch for plain x86-64; where a hash must be the same in
every build, it is :func:`vnet.base.jhash.jhash_bytes`. Bytes are read as little-endian words, as
x86-64 does.
"""

from __future__ import annotations

from collections.abc import Iterable

from vnet.base.jhash import words_of

_M32 = 0xFFFFFFFF


def hash_add(hash_: int, data: int) -> int:
    """Mix a 32-bit word into a hash; to be closed by :func:`hash_finish`."""
    data = data * 0xCC9E2D51 & _M32
    data = (data << 15 & _M32 | data >> 17) * 0x1B873593 & _M32
    hash_ ^= data
    return ((hash_ << 13 & _M32 | hash_ >> 19) * 5 + 0xE6546B64) & _M32


def hash_add64(hash_: int, data: int) -> int:
    """Mix a 64-bit word in, the lower half first."""
    return hash_add(hash_add(hash_, data & _M32), data >> 32)


def hash_add_words(hash_: int, words: Iterable[int]) -> int:
    """Mix 32-bit words in."""
    for word in words:
        hash_ = hash_add(hash_, word)
    return hash_


def hash_finish(hash_: int, final: int) -> int:
    """Close a hash; ``final`` is by custom the number of bytes hashed."""
    hash_ ^= final
    hash_ = (hash_ ^ hash_ >> 16) * 0x85EBCA6B & _M32
    hash_ = (hash_ ^ hash_ >> 13) * 0xC2B2AE35 & _M32
    return hash_ ^ hash_ >> 16


def hash_bytes(data: bytes, basis: int) -> int:
    """The hash of a run of bytes."""
    return hash_finish(hash_add_words(basis, words_of(data)), len(data))


def hash_2words(first: int, second: int) -> int:
    """The hash of two 32-bit words."""
    return hash_finish(hash_add(hash_add(first, 0), second), 8)


def hash_3words(first: int, second: int, third: int) -> int:
    """The hash of three 32-bit words."""
    return hash_finish(hash_add_words(first, (0, second, third)), 12)


def hash_int(number: int, basis: int) -> int:
    """The hash of a 32-bit number."""
    return hash_2words(number, basis)


def hash_uint64(number: int, basis: int = 0) -> int:
    """The hash of a 64-bit number."""
    return hash_finish(hash_add64(basis, number), 8)


def hash_mac(mac: int, vlan: int, basis: int) -> int:
    """The hash of an Ethernet address in a VLAN."""
    return hash_uint64(vlan << 48 | mac, basis)
