"""What a filter's text says: the tree that the parser builds and the compiler reads."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Number:
    """32 bits, unsigned."""

    value: int
    column: int


@dataclass(frozen=True, slots=True)
class Length:
    """``len``: how many bytes the frame has."""


@dataclass(frozen=True, slots=True)
class Load:
    """``protocol[index:size_bytes]``."""

    protocol: str
    index: Arithmetic
    size_bytes: int
    column: int


@dataclass(frozen=True, slots=True)
class Negate:
    operand: Arithmetic


@dataclass(frozen=True, slots=True)
class Binary:
    operator: str
    left: Arithmetic
    right: Arithmetic
    column: int


Arithmetic = Number | Length | Load | Negate | Binary


@dataclass(frozen=True, slots=True)
class Name:
    """A word that is no keyword."""

    text: str
    column: int


@dataclass(frozen=True, slots=True)
class EtherAddress:
    mac: bytes
    column: int


@dataclass(frozen=True, slots=True)
class Ipv4:
    """A whole address, or the first bytes of one: ``10.1`` has 16 bits."""

    value: int
    bits: int
    column: int


@dataclass(frozen=True, slots=True)
class Ipv4Net:
    """``10.1/16`` or ``10.1 mask 255.255``; both numbers have 32 bits."""

    value: int
    mask: int
    column: int


@dataclass(frozen=True, slots=True)
class Ipv6:
    """``prefix_length`` is 128 where none was given."""

    value: int
    prefix_length: int
    column: int


Operand = Number | Name | EtherAddress | Ipv4 | Ipv4Net | Ipv6


@dataclass(frozen=True, slots=True)
class Qualifier:
    """What stands before a value, and holds for the values after it that have none of their own.

    ``direction`` is src, dst, or, and (of both), or empty; ``kind`` is host, net, port,
    portrange, proto or empty, which means host; ``protocol`` may be empty too.
    """

    protocol: str
    direction: str
    kind: str


@dataclass(frozen=True, slots=True)
class Match:
    """``src host 10.0.0.1``: a qualifier with a value."""

    qualifier: Qualifier
    operand: Operand


@dataclass(frozen=True, slots=True)
class Protocol:
    """A protocol's word alone."""

    name: str
    column: int


@dataclass(frozen=True, slots=True)
class Relation:
    operator: str
    left: Arithmetic
    right: Arithmetic


@dataclass(frozen=True, slots=True)
class Cast:
    """``broadcast`` or ``multicast``, after a protocol's word or none."""

    kind: str
    protocol: str
    column: int


@dataclass(frozen=True, slots=True)
class Vlan:
    vid: int | None
    column: int


@dataclass(frozen=True, slots=True)
class Not:
    test: Test


@dataclass(frozen=True, slots=True)
class Chain:
    """Tests joined by ``and`` (True) and ``or`` (False), taken from left to right."""

    first: Test
    rest: tuple[tuple[bool, Test], ...]


Test = Match | Protocol | Relation | Cast | Vlan | Not | Chain
