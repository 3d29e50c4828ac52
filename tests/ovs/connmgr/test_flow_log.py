"""What the log says of flow mods that are taken, but not as they were meant; from 3.1's ovs-ofctl,
which says the same of the same message."""

from __future__ import annotations

from tests.ovs.connmgr.managers import manager
from tests.ovs.vswitchd.row_switch import logged
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.connection.hello import hello
from vnet.sim.scheduler import Scheduler

OF10 = OpenFlowVersion.OF10
IP_WITH_A_PORT = bytes.fromhex(
    "010e004800000007003fff6e0003" + "00" * 12 + "00000000" + "0800" + "00" * 14 + "0050"
    "0000000000000000000000000000" + "0005ffffffffffff0000"
)
"""``ip,in_port=3,tp_dst=80``, deciding nothing of the protocol."""


def test_parts_of_a_match_without_a_sense_are_told_of_five_times_at_once() -> None:
    vlog, lines = logged()
    connection = manager(Scheduler(), vlog=vlog).connect(
        lambda _data: None, name="br0<->unix#1", is_primary=False, versions=(OF10,)
    )
    connection.take(hello((OF10,), 1) + IP_WITH_A_PORT)
    connection.run()
    assert [line for line in lines.lines if line.startswith("ofp_match|")] == [
        "ofp_match|INFO|normalization changed ofp_match, details:",
        "ofp_match|INFO| pre: ip,in_port=3,tp_dst=80",
        "ofp_match|INFO|post: ip,in_port=3",
    ]
    connection.take(IP_WITH_A_PORT * 10)
    connection.run()
    assert sum(line.startswith("ofp_match|") for line in lines.lines) == 3 * 5
