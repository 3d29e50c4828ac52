"""LACP (IEEE 802.1AX-2014 clause 6.4.2): how two systems agree on the links of an aggregation.

subtype 1 | version 1 | type 1 | length 20 | actor 15 | zeros 3
                      | type 2 | length 20 | partner 15 | zeros 3
                      | type 3 | length 16 | collector's delay 2 | zeros 12
                      | type 0 | length 0 | zeros 50

Actor and partner are the same record:

system priority 2 | system 6 | key 2 | port priority 2 | port 2 | state 1

LACP is one of the slow protocols (clause 57A of IEEE 802.3): EtherType 0x8809, to an address that
no bridge forwards.
"""

from __future__ import annotations

import struct
from enum import IntFlag
from typing import NamedTuple

from vnet.base.ids import MAC_ZERO, Mac

ETHER_TYPE = 0x8809
TARGET = Mac(b"\x01\x80\xc2\x00\x00\x02")
"""The multicast address of the slow protocols."""

SUBTYPE_LACP = 1
SUBTYPE_MARKER = 2
PDU_BYTES = 110

_VERSION = 1
_ACTOR, _PARTNER, _COLLECTOR = 1, 2, 3
_INFO_LENGTH, _COLLECTOR_LENGTH = 20, 16

_INFO = struct.Struct("!H6sHHHB")
_ACTOR_AT, _PARTNER_AT = 4, 24


class State(IntFlag):
    """What one end of a link says of itself."""

    ACTIVITY = 0x01  # speaks without being spoken to
    TIMEOUT = 0x02  # wants to hear something every second, and not every thirty
    AGGREGATION = 0x04  # may be one link of several
    SYNCHRONIZATION = 0x08  # has put the link into the right aggregation
    COLLECTING = 0x10  # takes frames in
    DISTRIBUTING = 0x20  # sends frames out
    DEFAULTED = 0x40  # has never heard the other end, and assumes defaults
    EXPIRED = 0x80  # has not heard the other end for too long


class Info(NamedTuple):
    """One end of a link: its system, its aggregation (``key``), its port, and its state."""

    system_priority: int = 0
    system: Mac = MAC_ZERO
    key: int = 0
    port_priority: int = 0
    port: int = 0
    state: State = State(0)


NOBODY = Info()
"""What is known of a partner that has not been heard."""


class Pdu(NamedTuple):
    """What a system says: who it is, and who it takes the other for."""

    actor: Info
    partner: Info


def parse(payload: bytes) -> Pdu | None:
    """What follows the EtherType; None where that is no LACPDU that a system can read."""
    if len(payload) < PDU_BYTES or payload[0] != SUBTYPE_LACP:
        return None
    if payload[2:4] != bytes((_ACTOR, _INFO_LENGTH)):
        return None
    if payload[22:24] != bytes((_PARTNER, _INFO_LENGTH)):
        return None
    return Pdu(_info(payload, _ACTOR_AT), _info(payload, _PARTNER_AT))


def is_marker(payload: bytes) -> bool:
    """Whether this is a PDU of the marker protocol (clause 6.5), the other on this EtherType."""
    return len(payload) >= PDU_BYTES and payload[0] == SUBTYPE_MARKER


def emit(pdu: Pdu) -> bytes:
    """The payload of a frame; the collector promises no delay."""
    head = bytes((SUBTYPE_LACP, _VERSION, _ACTOR, _INFO_LENGTH))
    actor = _INFO.pack(*pdu.actor) + bytes(3)
    partner = bytes((_PARTNER, _INFO_LENGTH)) + _INFO.pack(*pdu.partner) + bytes(3)
    collector = bytes((_COLLECTOR, _COLLECTOR_LENGTH))
    return (head + actor + partner + collector).ljust(PDU_BYTES, b"\0")


def _info(payload: bytes, at: int) -> Info:
    system_priority, system, key, port_priority, port, state = _INFO.unpack_from(payload, at)
    return Info(system_priority, Mac(system), key, port_priority, port, State(state))
