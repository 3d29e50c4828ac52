"""Where samples of packets and records of flows go: rows of sFlow, NetFlow, IPFIX and the sets that
``sample`` names (ovs-vswitchd.conf.db(5))."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from vnet.base.record import record
from vnet.ovs.vswitchd.row import Row


@record(frozen=True, slots=True)
class SflowConfig(Row):
    """sFlow table: where samples of packets go."""

    targets: tuple[str, ...] = ()
    sampling: int | None = None
    polling: int | None = None
    header: int | None = None
    agent: str | None = None
    external_ids: Mapping[str, str] = field(default_factory=dict)


@record(frozen=True, slots=True)
class NetflowConfig(Row):
    """NetFlow table: where records of flows go."""

    targets: tuple[str, ...] = ()
    engine_type: int | None = None
    engine_id: int | None = None
    add_id_to_interface: bool = False
    active_timeout: int = 0
    external_ids: Mapping[str, str] = field(default_factory=dict)


@record(frozen=True, slots=True)
class IpfixConfig(Row):
    """IPFIX table: where samples of packets go."""

    targets: tuple[str, ...] = ()
    sampling: int | None = None
    obs_domain_id: int | None = None
    obs_point_id: int | None = None
    cache_active_timeout: int | None = None
    cache_max_flows: int | None = None
    other_config: Mapping[str, str] = field(default_factory=dict)
    external_ids: Mapping[str, str] = field(default_factory=dict)


@record(frozen=True, slots=True)
class CollectorSetConfig(Row):
    """Flow_Sample_Collector_Set table: what a number in ``sample`` means on a bridge."""

    id: int = 0
    bridge: Row | None = None
    ipfix: IpfixConfig | None = None
    external_ids: Mapping[str, str] = field(default_factory=dict)
