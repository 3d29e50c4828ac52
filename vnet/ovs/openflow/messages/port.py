"""Ports: what is set of them, and what becomes of them."""

from __future__ import annotations

from enum import IntEnum, IntFlag

from vnet.base.ids import Mac
from vnet.base.record import record
from vnet.ovs.flow.ports import OfpPort


class PortConfig(IntFlag):
    """What an administrator sets on a port (OFPPC_*)."""

    NONE = 0
    PORT_DOWN = 1
    NO_STP = 2
    NO_RECV = 4
    NO_RECV_STP = 8
    NO_FLOOD = 16
    NO_FWD = 32
    NO_PACKET_IN = 64


class PortState(IntFlag):
    """What a port has become (OFPPS_*)."""

    NONE = 0
    LINK_DOWN = 1
    BLOCKED = 2
    LIVE = 4
    STP_LEARN = 0x100
    STP_FORWARD = 0x200
    STP_BLOCK = 0x300  # the two bits are a number; 0 is a port that listens, or is on no tree
    STP_MASK = 0x300


class PortFeatures(IntFlag):
    """What a port's medium can do (NETDEV_F_*, OFPPF_*)."""

    NONE = 0
    HD_10MB = 1 << 0
    FD_10MB = 1 << 1
    HD_100MB = 1 << 2
    FD_100MB = 1 << 3
    HD_1GB = 1 << 4
    FD_1GB = 1 << 5
    FD_10GB = 1 << 6
    FD_40GB = 1 << 7
    FD_100GB = 1 << 8
    FD_1TB = 1 << 9
    OTHER = 1 << 10
    COPPER = 1 << 11
    FIBER = 1 << 12
    AUTONEG = 1 << 13
    PAUSE = 1 << 14
    PAUSE_ASYM = 1 << 15


@record(frozen=True, slots=True)
class PortMod:
    """Set the bits of ``mask`` in a port's configuration to those of ``config``.

    ``mac`` must be the port's own, if it is there; ``advertise`` NONE leaves that alone.
    """

    port: OfpPort
    config: PortConfig
    mask: PortConfig
    mac: Mac | None = None
    advertise: PortFeatures = PortFeatures.NONE


@record(frozen=True, slots=True)
class PortDesc:
    """What a switch says of a port (struct ofp_port). Speeds are in kbit/s, 0 is unknown.

    In 1.0 speeds are not told, and are what the features say.
    """

    port: OfpPort
    name: str
    mac: Mac
    config: PortConfig = PortConfig.NONE
    state: PortState = PortState.NONE
    current: PortFeatures = PortFeatures.NONE
    advertised: PortFeatures = PortFeatures.NONE
    supported: PortFeatures = PortFeatures.NONE
    peer: PortFeatures = PortFeatures.NONE
    current_kbps: int = 0
    max_kbps: int = 0


class PortReason(IntEnum):
    """Why a port's status is told (OFPPR_*)."""

    ADD = 0
    DELETE = 1
    MODIFY = 2


@record(frozen=True, slots=True)
class PortStatus:
    """A port came, went or changed (OFPT_PORT_STATUS)."""

    reason: PortReason
    desc: PortDesc


@record(frozen=True, slots=True)
class RmonCounters:
    """Frames by their length, and others that RFC 2819 counts. None is unknown."""

    rx_1_to_64_packets: int | None = None
    rx_65_to_127_packets: int | None = None
    rx_128_to_255_packets: int | None = None
    rx_256_to_511_packets: int | None = None
    rx_512_to_1023_packets: int | None = None
    rx_1024_to_1522_packets: int | None = None
    rx_1523_to_max_packets: int | None = None
    tx_1_to_64_packets: int | None = None
    tx_65_to_127_packets: int | None = None
    tx_128_to_255_packets: int | None = None
    tx_256_to_511_packets: int | None = None
    tx_512_to_1023_packets: int | None = None
    tx_1024_to_1522_packets: int | None = None
    tx_1523_to_max_packets: int | None = None
    tx_multicast_packets: int | None = None
    rx_broadcast_packets: int | None = None
    tx_broadcast_packets: int | None = None
    rx_undersized_errors: int | None = None
    rx_oversize_errors: int | None = None
    rx_fragmented_errors: int | None = None
    rx_jabber_errors: int | None = None


@record(frozen=True, slots=True)
class PortCounters:
    """What a port has counted (struct ofp_port_stats). None is unknown.

    ``duration_ns`` is for how long there has been the port. ``custom`` are counters by names that
    its driver gives them.
    """

    port: OfpPort
    rx_packets: int | None = None
    tx_packets: int | None = None
    rx_bytes: int | None = None
    tx_bytes: int | None = None
    rx_dropped: int | None = None
    tx_dropped: int | None = None
    rx_errors: int | None = None
    tx_errors: int | None = None
    rx_frame_errors: int | None = None
    rx_over_errors: int | None = None
    rx_crc_errors: int | None = None
    collisions: int | None = None
    duration_ns: int | None = None
    rmon: RmonCounters = RmonCounters()
    custom: tuple[tuple[str, int], ...] = ()
