"""Randomness that can be repeated: one seed, one stream per name.

Each user of chance asks for a stream by its own name ("link h1:eth0 loss",
"vm1 ping id"). A stream depends on the seed and its name alone, so a new user
of chance, or one more draw from another stream, changes nothing elsewhere.
"""

from __future__ import annotations

from hashlib import sha256
from random import Random

Stream = Random
"""A named stream; rooms that must not import ``random`` name the type by this."""


class Chance:
    """The lab's only source of randomness."""

    __slots__ = ("seed",)

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def stream(self, name: str) -> Stream:
        """A fresh generator for ``name``; asking twice starts the same sequence twice.

        The digest is taken because ``Random(str)`` and ``hash()`` are not promised
        to give the same numbers in another process or another Python.
        """
        digest = sha256(f"{self.seed}/{name}".encode()).digest()
        return Random(int.from_bytes(digest[:16], "big"))
