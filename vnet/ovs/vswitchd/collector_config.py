"""Where samples of packets and records of flows go: rows of sFlow, NetFlow, IPFIX and the sets that
``sample`` names (ovs-vswitchd.conf.db(5))."""

from __future__ import annotations

from collections.abc import Mapping

from vnet.base.record import record
from vnet.ovs.vswitchd.column import (
    BOOLEAN,
    STRING,
    integer,
    many,
    mapping,
    one,
    optional,
    row,
    weak_row,
)
from vnet.ovs.vswitchd.row import Row

_U32 = integer(0, 0xFFFFFFFF)
_ANY_INTEGER = integer()


@record(frozen=True, slots=True)
class SflowConfig(Row):
    """sFlow table: where samples of packets go."""

    targets: tuple[str, ...] = many(STRING)
    sampling: int | None = optional(_ANY_INTEGER)
    polling: int | None = optional(_ANY_INTEGER)
    header: int | None = optional(_ANY_INTEGER)
    agent: str | None = optional(STRING)
    external_ids: Mapping[str, str] = mapping()


@record(frozen=True, slots=True)
class NetflowConfig(Row):
    """NetFlow table: where records of flows go."""

    targets: tuple[str, ...] = many(STRING)
    engine_type: int | None = optional(integer(0, 255))
    engine_id: int | None = optional(integer(0, 255))
    add_id_to_interface: bool = one(BOOLEAN)
    active_timeout: int = one(integer(-1))
    external_ids: Mapping[str, str] = mapping()


@record(frozen=True, slots=True)
class IpfixConfig(Row):
    """IPFIX table: where samples of packets go."""

    targets: tuple[str, ...] = many(STRING)
    sampling: int | None = optional(integer(1, 0xFFFFFFFF))
    obs_domain_id: int | None = optional(_U32)
    obs_point_id: int | None = optional(_U32)
    cache_active_timeout: int | None = optional(integer(0, 4200))
    cache_max_flows: int | None = optional(_U32)
    other_config: Mapping[str, str] = mapping()
    external_ids: Mapping[str, str] = mapping()


@record(frozen=True, slots=True)
class CollectorSetConfig(Row):
    """Flow_Sample_Collector_Set table: what a number in ``sample`` means on a bridge."""

    id: int = one(_U32)
    bridge: str | None = optional(weak_row("Bridge"))
    ipfix: IpfixConfig | None = optional(row("IPFIX"))  # it makes a field()
    external_ids: Mapping[str, str] = mapping()
