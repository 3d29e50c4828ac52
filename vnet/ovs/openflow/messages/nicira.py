"""What only Open vSwitch's extensions know."""

from __future__ import annotations

from enum import IntEnum

from vnet.base.record import record


class TlvTableCommand(IntEnum):
    """NXTTMC_*"""

    ADD = 0
    DELETE = 1
    CLEAR = 2


@record(frozen=True, slots=True)
class TlvMap:
    """Which option of Geneve a field of tunnel metadata stands for: ``tun_metadata<index>`` is
    ``option_bytes`` of the option with this class and type."""

    option_class: int
    option_type: int
    option_bytes: int
    index: int


@record(frozen=True, slots=True)
class TlvTableMod:
    """NXT_TLV_TABLE_MOD. To clear takes no maps, and to delete looks only at the index."""

    command: TlvTableCommand
    maps: tuple[TlvMap, ...] = ()


@record(frozen=True, slots=True)
class TlvTable:
    """NXT_TLV_TABLE_REPLY: what the options may be in all, and what they are."""

    max_option_bytes: int
    max_fields: int
    maps: tuple[TlvMap, ...] = ()


@record(frozen=True, slots=True)
class IpfixStats:
    """What an exporter of IPFIX has seen (NXST_IPFIX_BRIDGE and NXST_IPFIX_FLOW)."""

    total_flows: int = 0
    current_flows: int = 0
    sampled_packets: int = 0
    ipv4_packets: int = 0
    ipv6_packets: int = 0
    error_packets: int = 0
    ipv4_error_packets: int = 0
    ipv6_error_packets: int = 0
    tx_packets: int = 0
    tx_errors: int = 0
    collector_set_id: int = 0
