"""What a switch counts of what happens to it."""

from __future__ import annotations

from tests.ovs.vswitchd.row_switch import RowSwitch, dummy
from vnet.base.units import NS_PER_S
from vnet.ovs.openflow.messages import FlowModCommand
from vnet.ovs.openflow.text.flow_mod import parse_flow
from vnet.ovs.unixctl.coverage import Coverage
from vnet.ovs.unixctl.coverage_names import VSWITCHD_EVENTS
from vnet.ovs.vswitchd.appctl.table import appctl
from vnet.ovs.vswitchd.events import follow_events

HELLO = bytes.fromhex("ffffffffffff 020000000001 1234") + bytes(46)


class Counted:
    """A bridge whose ports get frames from one station, and what is counted."""

    def __init__(self, flow: str = "actions=NORMAL") -> None:
        self.switch = RowSwitch()
        self._coverage = Coverage(VSWITCHD_EVENTS, lambda: 0)
        follow_events(self._coverage, self.switch.daemon)
        self.switch.add_bridge("br0", dummy("p1"), dummy("p2"))
        bridge = self.switch.vswitchd.bridges["br0"]
        bridge.flow_mod(parse_flow(f"priority=1,{flow}", FlowModCommand.ADD))

    def receive(self, port: str, times: int = 1) -> None:
        for _ in range(times):
            self.switch.devices[port].deliver(HELLO)
            self.switch.scheduler.run(self.switch.scheduler.now_ns + NS_PER_S)

    def read(self, event: str) -> int:
        lines = [line for line in self._coverage.show().split("\n") if line.startswith(event)]
        return int(lines[0].rpartition(": ")[2]) if lines else 0


def test_frames_that_a_flow_drops_are_counted_from_the_first() -> None:
    counted = Counted("actions=drop")
    counted.receive("p1", 3)
    assert counted.read("drop_action_of_pipeline") == 3


def test_frames_that_go_round_in_circles_are_counted_as_that() -> None:
    counted = Counted("actions=resubmit(,0)")
    counted.receive("p1", 2)
    assert counted.read("drop_action_recursion_too_deep") == 2
    assert counted.read("drop_action_of_pipeline") == 0


def test_stations_are_counted_and_those_that_would_move_and_may_not() -> None:
    counted = Counted()
    counted.receive("p1")
    counted.receive("p2")
    assert counted.read("mac_learning_learned") == 1
    assert counted.read("mac_learning_moved") == 1
    vswitchd = counted.switch.vswitchd
    appctl(vswitchd, "fdb/add", ["br0", "p1", "0", "02:00:00:00:00:01"])
    counted.receive("p2")
    assert counted.read("mac_learning_static_none_move") == 1
    appctl(vswitchd, "fdb/stats-clear", ["br0"])
    assert counted.read("mac_learning_learned") == 1, "no totals of a table"
