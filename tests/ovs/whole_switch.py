"""One bridge as its users have it, with dummy ports: ``p1`` is port 1, and so on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from benchmarks.dummy_switch import BRIDGE
from tests.ovs.command_switch import Switch
from vnet.base.units import NS_PER_MS
from vnet.ovs.flow.compose import compose
from vnet.ovs.flow.match_parse import parse_exact_flow
from vnet.ovs.flow.protocols import P_OF15_OXM
from vnet.ovs.ofproto.dump.flows import dump_flows

_AGES = re.compile(r"(duration|idle_age|hard_age|cookie)=[^,]*, ")


def switch_with(
    flows: Sequence[str] = (),
    *,
    groups: Iterable[str] = (),
    n_ports: int = 4,
    options: Sequence[str] = (),
) -> Switch:
    """A switch with flows and groups as ``ovs-ofctl`` takes them; ``options`` are the bridge's."""
    switch = Switch()
    switch.add_bridge(n_ports, options)
    for group in groups:
        switch.ofctl(["-OOpenFlow15", "add-group", BRIDGE, group])
    if flows:
        switch.ofctl(["add-flows", BRIDGE, "-"], flows)
    return switch


def frame_of(text: str) -> bytes:
    """A frame with the flow ``text``: ``udp,nw_src=10.0.0.1,udp_dst=53``."""
    return compose(parse_exact_flow(text))


def outputs(switch: Switch, port: str, frame: bytes) -> list[str]:
    """The ports by which a frame leaves that comes in by ``port``."""
    switch.inject(port, frame)
    return [name for name, _ in switch.take_sent()]


def run_until_ms(switch: Switch, time_ms: int) -> None:
    """Let time pass up to and including the first moment of this millisecond."""
    switch.scheduler.run(time_ms * NS_PER_MS)


def run_before_ms(switch: Switch, time_ms: int) -> None:
    """Let time pass up to the last nanosecond before this millisecond."""
    switch.scheduler.run(time_ms * NS_PER_MS - 1)


def flow_lines(switch: Switch) -> list[str]:
    """The bridge's flows with their counters, without cookies and ages."""
    return [_AGES.sub("", line) for line in dump_flows(switch.bridge(BRIDGE), P_OF15_OXM)]
