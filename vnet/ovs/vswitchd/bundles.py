"""From a port's configuration to the bundle that the NORMAL action works with."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping

from vnet.ovs.ofproto.ports.ofport import OfPort
from vnet.ovs.ofproto.switching.bundle import EVERY_VLAN, Bundle, trunks_with_native
from vnet.ovs.ofproto.switching.mirror import Mirror
from vnet.ovs.ofproto.switching.vlan_mode import VlanMode
from vnet.ovs.vswitchd.config import BridgePortConfig, MirrorConfig

_NATIVE = (VlanMode.NATIVE_TAGGED, VlanMode.NATIVE_UNTAGGED)


def configured(config: BridgePortConfig, ports: list[OfPort]) -> Bundle:
    """The bundle that a port's configuration describes."""
    mode = config.effective_vlan_mode
    vlan = 0 if mode is VlanMode.TRUNK or config.tag is None else config.tag
    trunks = _vlans(config.trunks)
    return Bundle(
        config.name,
        ports,
        vlan_mode=mode,
        vlan=vlan,
        trunks=trunks_with_native(trunks, vlan) if mode in _NATIVE else trunks,
        cvlans=_vlans(config.cvlans),
        qinq_ethertype=config.qinq_ethertype,
        priority_tags=config.priority_tags,
        is_protected=config.protected,
    )


def _vlans(vlans: Iterable[int]) -> Container[int]:
    return frozenset(vlans) or EVERY_VLAN


def update(bundle: Bundle, wanted: Bundle) -> bool:
    """Make a bundle what it should be; whether anything has changed that stations depend on."""
    changed = _settings(bundle) != _settings(wanted)
    for name in _SETTINGS:
        setattr(bundle, name, getattr(wanted, name))
    bundle.ports = wanted.ports
    return changed


_SETTINGS = (
    "vlan_mode",
    "vlan",
    "trunks",
    "cvlans",
    "qinq_ethertype",
    "priority_tags",
    "is_protected",
)


def _settings(bundle: Bundle) -> tuple[object, ...]:
    return tuple(getattr(bundle, name) for name in _SETTINGS)


def mirrors(configs: Iterable[MirrorConfig], bundles: Mapping[str, Bundle]) -> Iterator[Mirror]:
    """The mirrors that a bridge's configuration describes, where their output exists.

    Selected ports that the bridge does not have are passed over (ovs-vswitchd.conf.db(5)).
    """
    for config in configs:
        output = None if config.output_port is None else bundles.get(config.output_port)
        into_vlan = config.output_vlan if config.output_port is None else None
        if output is None and into_vlan is None:
            continue
        every = tuple(bundles.values())
        yield Mirror(
            config.name,
            config.identity,
            sources=every if config.select_all else _named(config.select_src_port, bundles),
            destinations=every if config.select_all else _named(config.select_dst_port, bundles),
            vlans=frozenset(config.select_vlan) or None,
            output=output,
            output_vlan=into_vlan,
            snaplen_bytes=config.snaplen or 0,
        )


def _named(names: Iterable[str], bundles: Mapping[str, Bundle]) -> tuple[Bundle, ...]:
    return tuple(bundles[name] for name in names if name in bundles)
