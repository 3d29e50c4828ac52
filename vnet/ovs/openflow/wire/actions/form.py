"""How one action stands in messages: its numbers, its length, and how it is read.

Every action begins with its type and its length in bytes, a multiple of eight. Extensions have
the type 0xffff; who made them, and which of theirs it is, follows (OpenFlow 1.5.1, section 7.2.6)::

    0      2        4            8         10
    | type | length | body ...
    | 65535| length |  vendor    | subtype | body ...
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import NamedTuple

from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.ofpacts import Ofpact
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.actions.reading import Reading

OF10, OF11, OF12, OF13, OF14, OF15 = OpenFlowVersion

STANDARD = 0
"""In place of a vendor: OpenFlow itself."""
NICIRA = 0x00002320
ONF = 0x4F4E4600
VENDORS = (NICIRA, ONF)

ALIGNMENT_BYTES = 8
EXPERIMENTER_TYPE = 0xFFFF

HEADER = struct.Struct("!HH")
EXTENSION = struct.Struct("!HHIH")
_GREATEST_BYTES = 0xFFF8


class Number(NamedTuple):
    """What an action is called in one version; ``type`` is a subtype in extensions."""

    vendor: int
    type: int


Numbers = Mapping[OpenFlowVersion, Number]


def _numbers(vendor: int, kind: int, first: int, last: int) -> dict[OpenFlowVersion, Number]:
    return {
        version: Number(vendor, kind) for version in OpenFlowVersion if first <= version <= last
    }


def standard(
    kind: int, first: OpenFlowVersion = OF10, last: OpenFlowVersion = OF15
) -> dict[OpenFlowVersion, Number]:
    """An action of OpenFlow's own (OFPAT_*), in these versions."""
    return _numbers(STANDARD, kind, first, last)


def nicira(
    subtype: int, first: OpenFlowVersion = OF10, last: OpenFlowVersion = OF15
) -> dict[OpenFlowVersion, Number]:
    """One of Open vSwitch's extensions (NXAST_*)."""
    return _numbers(NICIRA, subtype, first, last)


def onf(
    subtype: int, first: OpenFlowVersion, last: OpenFlowVersion
) -> dict[OpenFlowVersion, Number]:
    """One of the Open Networking Foundation's (ONFACT_*)."""
    return _numbers(ONF, subtype, first, last)


Decode = Callable[[bytes, Reading], Ofpact]


class Form:
    """One way in which an action is written. ``name`` is Open vSwitch's.

    The body has ``n_bytes``, or more if it is extensible, and begins at a multiple of
    ``alignment`` bytes; ``decode`` makes an action of it.
    """

    __slots__ = ("_starts", "decode", "is_extensible", "n_bytes", "name", "numbers")

    def __init__(
        self,
        name: str,
        numbers: Numbers,
        decode: Decode,
        n_bytes: int = 0,
        *,
        alignment: int = 1,
        is_extensible: bool = False,
    ) -> None:
        self.name = name
        self.numbers = numbers
        self.decode = decode
        self.n_bytes = n_bytes
        self.is_extensible = is_extensible
        # To who does not know the action it is said all the same, and refused there.
        some = next(iter(numbers.values()))
        numbered = [numbers.get(version, some) for version in OpenFlowVersion]
        self._starts = [_Start.of(number, alignment) for number in (some, *numbered)]

    def encode(self, version: OpenFlowVersion, body: bytes = b"") -> bytes:
        """The action with this body. Raises OFPBAC_BAD_LEN if it is longer than can be said."""
        vendor, number, skipped, n_bytes = self._starts[version]
        length = n_bytes + len(body)
        padding = _PADDINGS[-length % ALIGNMENT_BYTES]
        length += len(padding)
        if length > _GREATEST_BYTES:
            raise OpenFlowError("OFPBAC_BAD_LEN")
        if vendor:
            return (
                EXTENSION.pack(EXPERIMENTER_TYPE, length, vendor, number) + skipped + body + padding
            )
        return HEADER.pack(number, length) + skipped + body + padding

    def body_start(self, version: OpenFlowVersion) -> int:
        """Where the body begins."""
        return self._starts[version].n_bytes

    def length_range(self, version: OpenFlowVersion) -> tuple[int, int]:
        """The least and the greatest length of the action."""
        length = self.body_start(version) + self.n_bytes
        length += -length % ALIGNMENT_BYTES
        return length, _GREATEST_BYTES if self.is_extensible else length


_PADDINGS = tuple(bytes(count) for count in range(ALIGNMENT_BYTES))


class _Start(NamedTuple):
    """What stands before the body: a header, and bytes without a meaning."""

    vendor: int
    type: int
    skipped: bytes
    n_bytes: int

    @classmethod
    def of(cls, number: Number, alignment: int) -> _Start:
        """Of an action with that number, whose body is aligned so."""
        header_bytes = EXTENSION.size if number.vendor else HEADER.size
        skipped = bytes(-header_bytes % alignment)
        return cls(number.vendor, number.type, skipped, header_bytes + len(skipped))


def number_form(name: str, numbers: Numbers, n_bytes: int, make: Callable[[int], Ofpact]) -> Form:
    """An action with one number, of ``n_bytes``."""

    def decode(body: bytes, _reading: Reading) -> Ofpact:
        return make(int.from_bytes(body[:n_bytes], "big"))

    return Form(name, numbers, decode, n_bytes, alignment=n_bytes)


def bare_form(name: str, numbers: Numbers, action: Ofpact) -> Form:
    """An action that says nothing but its name."""
    return Form(name, numbers, lambda _body, _reading: action)


Encode = Callable[..., bytes]
"""Of an action and a version, its bytes."""


class Family(NamedTuple):
    """Some actions: all the forms in which they may come, and how each is written."""

    forms: tuple[Form, ...]
    encoders: Mapping[type[Ofpact], Encode]


def must_be_zero(padding: bytes, error: str = "NXBRC_MUST_BE_ZERO") -> None:
    """Raise ``error`` if there are other bytes than zeros."""
    if any(padding):
        raise OpenFlowError(error)
