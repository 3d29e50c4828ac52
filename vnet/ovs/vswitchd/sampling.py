"""From the tables of collectors to what a bridge samples."""

from __future__ import annotations

from collections.abc import Iterable

from vnet.ovs.ofproto.sampling import IpfixSampling, Sampling, probability_of
from vnet.ovs.vswitchd.collector_config import CollectorSetConfig, IpfixConfig, SflowConfig
from vnet.ovs.vswitchd.config import BridgeConfig
from vnet.ovs.vswitchd.row import setting_truth

_DEFAULT_RATE = 400


def sampling_of(bridge: BridgeConfig, collector_sets: Iterable[CollectorSetConfig]) -> Sampling:
    """What a bridge samples: for collectors, so without any, nothing."""
    return Sampling(
        sflow_probability=_sflow_probability(bridge.sflow),
        ipfix=_ipfix(bridge, collector_sets),
        has_netflow=bridge.netflow is not None and bool(bridge.netflow.targets),
    )


def _sflow_probability(sflow: SflowConfig | None) -> int:
    if sflow is None or not sflow.targets:
        return 0
    rate = _DEFAULT_RATE if sflow.sampling is None else sflow.sampling & 0xFFFFFFFF
    return probability_of(rate) if rate else 0


def _ipfix(
    bridge: BridgeConfig, collector_sets: Iterable[CollectorSetConfig]
) -> IpfixSampling | None:
    sets = [one for one in collector_sets if _is_of(one, bridge) and _has_collector(one.ipfix)]
    numbers = tuple(one.id for one in sets)
    of_tunnels = frozenset(one.id for one in sets if _is_of_tunnels(one.ipfix))
    if _has_collector(bridge.ipfix):
        assert bridge.ipfix is not None
        settings = bridge.ipfix.other_config
        return IpfixSampling(
            probability_of(bridge.ipfix.sampling or _DEFAULT_RATE),
            # As in Open vSwitch 3.1, to say "true" is to turn it off.
            is_of_input=not setting_truth(settings, "enable-input-sampling", False),
            is_of_output=not setting_truth(settings, "enable-output-sampling", False),
            is_of_tunnels=_is_of_tunnels(bridge.ipfix),
            sets=numbers,
            sets_of_tunnels=of_tunnels,
        )
    return IpfixSampling(sets=numbers, sets_of_tunnels=of_tunnels) if sets else None


def _is_of(collectors: CollectorSetConfig, bridge: BridgeConfig) -> bool:
    return collectors.bridge is not None and collectors.bridge.identity == bridge.identity


def _has_collector(ipfix: IpfixConfig | None) -> bool:
    return ipfix is not None and bool(ipfix.targets)


def _is_of_tunnels(ipfix: IpfixConfig | None) -> bool:
    return ipfix is not None and setting_truth(ipfix.other_config, "enable-tunnel-sampling", True)
