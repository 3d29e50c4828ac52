"""Actions that send a packet somewhere: to ports, groups, controllers and queues."""

from __future__ import annotations

from enum import Enum, IntEnum

from vnet.base.record import record
from vnet.ovs.flow.fields import Subfield
from vnet.ovs.flow.flow_hash import HashFields
from vnet.ovs.flow.ports import OfpPort
from vnet.ovs.openflow.ofpacts.ofpact import Ofpact


@record(frozen=True, slots=True)
class Output(Ofpact):
    """``output:PORT``, and the bare names ``normal``, ``flood``, ``all``, ``local``, ``in_port``,
    ``table``. ``max_len_bytes`` counts only for ``controller``.
    """

    port: OfpPort
    max_len_bytes: int = 0


@record(frozen=True, slots=True)
class Group(Ofpact):
    """``group:ID``"""

    group_id: int


class PacketInReason(IntEnum):
    """Why a packet went to the controller (OFPR_*). Who sends it may make up a number."""

    NO_MATCH = 0
    ACTION = 1
    INVALID_TTL = 2
    ACTION_SET = 3
    GROUP = 4
    PACKET_OUT = 5
    EXPLICIT_MISS = 6
    IMPLICIT_MISS = 7

    @classmethod
    def _missing_(cls, value: object) -> PacketInReason | None:
        if not isinstance(value, int):
            return None
        nameless = int.__new__(cls, value)
        nameless._name_, nameless._value_ = str(value), value
        return nameless


@record(frozen=True, slots=True)
class Controller(Ofpact):
    """``controller(...)``; ``meter_id`` None for no meter. Form 2 is NXAST_CONTROLLER2."""

    max_len_bytes: int = 0xFFFF
    controller_id: int = 0
    reason: PacketInReason = PacketInReason.ACTION
    userdata: bytes = b""
    pause: bool = False
    meter_id: int | None = None
    form: int = 1


@record(frozen=True, slots=True)
class Enqueue(Ofpact):
    """``enqueue:PORT:QUEUE``"""

    port: OfpPort
    queue_id: int


@record(frozen=True, slots=True)
class OutputReg(Ofpact):
    """``output:FIELD[...]``. Form 2 is NXAST_OUTPUT_REG2."""

    source: Subfield
    max_len_bytes: int = 0xFFFF
    form: int = 1


@record(frozen=True, slots=True)
class OutputTrunc(Ofpact):
    """``output(port=PORT,max_len=N)``"""

    port: OfpPort
    max_len_bytes: int


class BundleAlgorithm(Enum):
    """How ``bundle`` chooses among its members; the value is its text."""

    ACTIVE_BACKUP = "active_backup"
    HIGHEST_RANDOM_WEIGHT = "hrw"


@record(frozen=True, slots=True)
class Bundle(Ofpact):
    """``bundle(...)`` and, with a ``destination``, ``bundle_load(...)``."""

    fields: HashFields
    basis: int
    algorithm: BundleAlgorithm
    members: tuple[OfpPort, ...]
    destination: Subfield | None = None
