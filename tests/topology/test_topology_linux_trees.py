"""Spanning trees and multicast of switches of type 'linux', as a file says them."""

from __future__ import annotations

import pytest

from vnet.base.errors import TopologyError
from vnet.lab.lab import Lab
from vnet.linux.timer_wheel import JIFFY_NS
from vnet.topology.load import parse_topology

S = 1_000_000_000

FAULTS = {
    "a forward delay that STP refuses": (
        "switches: {s: {stp: true, forward_delay: 1s}}",
        "a bridge that speaks STP cannot have a forward_delay of 1s (2s to 30s)",
    ),
    "a hello time out of range": (
        "switches: {s: {hello_time: 11s}}",
        "a bridge cannot have a hello_time of 11s (1s to 10s)",
    ),
    "a max age out of range": (
        "switches: {s: {max_age: 5s}}",
        "a bridge cannot have a max_age of 5s (6s to 40s)",
    ),
    "a priority of another kind of switch": (
        "switches: {s: {type: ovs, priority: 4096}}",
        "priority is for Linux bridges (write type: linux)",
    ),
    "RSTP": (
        "switches: {s: {rstp: true}}",
        "rstp is for switches of Open vSwitch (write type: ovs)",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_one_clear_message(name: str) -> None:
    text, message = FAULTS[name]
    with pytest.raises(TopologyError) as caught:
        parse_topology(f"version: 1\n{text}\n", "lab.yaml")
    assert message in str(caught.value)


def test_the_bridge_is_as_the_file_wants_it() -> None:
    text = """
version: 1
switches:
  s1:
    stp: true
    priority: 4096
    forward_delay: 4s
    hello_time: 1s
    max_age: 6s
    multicast: {querier: true, igmp_version: 3, query_interval: 20s, hash_max: 16, router: 2}
    ports: {a: {cost: 7, priority: 3, fastleave: true, mcast_router: 2, mcast_to_unicast: true}}
  s2: {mcast_snooping: false}
links: [{ends: ['s1:a', 's2:b']}]
"""
    lab = Lab.from_text(text)
    bridge = lab.network.switches["s1"].switch.bridge
    other = lab.network.switches["s2"].switch.bridge
    assert bridge is not None
    assert other is not None
    tree, multicast = bridge.tree, bridge.multicast
    assert (tree.is_on, tree.priority) == (True, 4096)
    times = tree.own_times
    seconds = [
        time * JIFFY_NS / S for time in (times.forward_delay, times.hello_time, times.max_age)
    ]
    assert seconds == [4, 1, 6]
    assert multicast.settings.querier
    assert multicast.settings.igmp_version == 3
    assert multicast.settings.query_interval_ns == 20 * S
    assert multicast.settings.hash_max == 16
    assert multicast.router == 2
    (port,) = bridge.ports
    assert (port.path_cost, port.priority) == (7, 3)
    assert (port.fast_leave, port.multicast_to_unicast, port.multicast_router) == (True, True, 2)
    assert (other.tree.is_on, other.multicast.is_on) == (False, False)


def test_a_host_that_asks_for_stp_has_the_usual_forward_delay() -> None:
    """Without it, hosts set theirs to zero."""
    text = "version: 1\nhosts: {h1: {switches: {br0: {stp: true}, br1: }}}\n"
    lab = Lab.from_text(text)
    bridges = lab.network.hosts["h1"].namespace.bridges
    delays = {
        name: bridge.tree.own_times.forward_delay * JIFFY_NS // S
        for name, bridge in bridges.items()
    }
    assert delays == {"br0": 15, "br1": 0}
    assert bridges["br0"].tree.is_on
