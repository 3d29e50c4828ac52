"""What makes a message one of a kind: its numbers in each version, and how long it may be.

A message is numbered by its type; a multipart one (section 7.3.5) by its multipart type, too; those
of experimenters by a vendor and a subtype in place of that::

    0         1      2        4     8                10               12      16
    | version | type | length | xid | body ...
    | version | 4    | length | xid | vendor         | subtype        | body ...
    | version | type | length | xid | multipart type | flags          | (1.1+: 0) | body ...
    | version | type | length | xid | 0xffff         | flags          | (1.1+: 0) | vendor |
        subtype | (1.0: 0) | body ...
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from vnet.ovs.openflow.wire.message import HEADER_BYTES

EXPERIMENTER = 4
EXPERIMENTER_NUMBER = b"\xff\xff"
"""The multipart type of those of experimenters."""

NX_VENDOR = 0x00002320
ONF_VENDOR = 0x4F4E4600

ALL = "all"
"""Of every version, be it known or not."""

_PAIR = struct.Struct("!II")
_MULTIPART10 = struct.Struct("!HH")
_MULTIPART11 = struct.Struct("!HH4x")

_VENDORS = {"NX": NX_VENDOR, "ONF": ONF_VENDOR, "OFP": None}


class Form(NamedTuple):
    """How a message looks in some ``versions`` (``1.0``, ``1.1-1.3`` or ``1.4+``): its number, and
    the body, which has ``least_bytes``, and behind those any multiple of ``step_bytes``."""

    versions: str
    number: int
    least_bytes: int = 0
    step_bytes: int = 0


class Numbering(NamedTuple):
    """A message's form in one version. ``prefix`` is what stands between the header and the body,
    which begins at ``offset``."""

    type: int
    prefix: bytes
    offset: int
    least_bytes: int
    step_bytes: int


class Kind:
    """A kind of message. ``name`` is what logs call it, ``numberings`` its forms by version.

    There is one object for each kind, so they are compared with ``is``.
    """

    __slots__ = ("is_multipart", "name", "numberings")

    def __init__(self, name: str, *forms: Form) -> None:
        self.name = name
        family = name.partition("_")[0]
        self.is_multipart = family.endswith("ST")
        vendor = _VENDORS[family.removesuffix("T").removesuffix("S")]
        is_reply = name.endswith(" reply")
        self.numberings: dict[int, Numbering] = {}
        for form in forms:
            for version in version_range(form.versions):
                if self.is_multipart:
                    kind, prefix = _multipart(version, is_reply, vendor, form.number)
                elif vendor is not None:
                    kind, prefix = EXPERIMENTER, _PAIR.pack(vendor, form.number)
                else:
                    kind, prefix = form.number, b""
                offset = HEADER_BYTES + len(prefix)
                self.numberings[version] = Numbering(
                    kind, prefix, offset, form.least_bytes, form.step_bytes
                )

    def __repr__(self) -> str:
        return f"<{self.name}>"


def multipart_types(version: int) -> tuple[int, int]:
    """The types of multipart requests and replies."""
    return (16, 17) if version == 1 else (18, 19)


def _multipart(version: int, is_reply: bool, vendor: int | None, number: int) -> tuple[int, bytes]:
    kind = multipart_types(version)[is_reply]
    header = _MULTIPART10 if version == 1 else _MULTIPART11
    if vendor is None:
        return kind, header.pack(number, 0)
    experimenter = int.from_bytes(EXPERIMENTER_NUMBER, "big")
    prefix = header.pack(experimenter, 0) + _PAIR.pack(vendor, number)
    return kind, prefix + bytes(4) if version == 1 else prefix


def version_range(text: str) -> range:
    """The versions that a text such as ``1.1-1.3`` names."""
    if text == ALL:
        return range(1, 256)
    first, dash, last = text.partition("-")
    if first.endswith("+"):
        first, dash, last = first[:-1], "-", "1.5"
    return range(_version(first), _version(last if dash else first) + 1)


def _version(text: str) -> int:
    return int(text.removeprefix("1.")) + 1
