"""radvd(8) for the routers that advertise themselves: its configuration."""

from __future__ import annotations

from collections.abc import Iterator

from vnet.base.ids import ip_text
from vnet.live.kernel.plan import AdvertisingPlan, NodePlan
from vnet.wire import ra

_PREFERENCES = {ra.HIGH: "high", ra.MEDIUM: "medium", ra.LOW: "low"}
_LEAST_SHARE = 0.75
"""Of the interval, so much passes at least between two advertisements."""


def config(node: NodePlan) -> str:
    """The text of radvd.conf(5) for all that a machine advertises."""
    return "".join(f"{line}\n" for each in node.advertising for line in _interface(each))


def _interface(plan: AdvertisingPlan) -> Iterator[str]:
    said = plan.settings
    yield f"interface {plan.device} {{"
    yield "  AdvSendAdvert on;"
    yield f"  MaxRtrAdvInterval {said.interval_s};"
    yield f"  MinRtrAdvInterval {max(3, int(said.interval_s * _LEAST_SHARE))};"
    yield f"  AdvDefaultLifetime {said.router_lifetime_s};"
    yield f"  AdvDefaultPreference {_PREFERENCES[said.preference]};"
    yield f"  AdvManagedFlag {_word(said.managed)};"
    yield f"  AdvOtherConfigFlag {_word(said.other_configuration)};"
    yield f"  AdvLinkMTU {said.mtu_bytes or plan.mtu_bytes};"
    for network in plan.networks:
        yield f"  prefix {ip_text(network.ip)}/{network.prefix_length} {{"
        yield f"    AdvAutonomous {_word(said.autonomous)};"
        yield f"    AdvValidLifetime {said.valid_s};"
        yield f"    AdvPreferredLifetime {said.preferred_s};"
        yield "  };"
    yield "};"


def _word(on: bool) -> str:
    return "on" if on else "off"
