"""What a daemon's log says of its datapath, and that it costs nothing while nobody reads it."""

from __future__ import annotations

import re

import pytest

from benchmarks.dummy_device import RememberingDevice
from tests.ovs.vswitchd.row_switch import RowSwitch, dummy
from vnet.base.ids import MAC_ZERO
from vnet.base.units import NS_PER_S
from vnet.ovs.datapath.datapath import Datapath
from vnet.ovs.dpif.actions import Output
from vnet.ovs.dpif.meters import MeterConfig
from vnet.ovs.dpif.text.flows import parse_flow
from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.ports import OdpPort
from vnet.ovs.vlog.level import Destination, Level
from vnet.ovs.vlog.spec import apply_spec
from vnet.ovs.vlog.vlog import Vlog
from vnet.ovs.vswitchd.appctl.table import appctl
from vnet.ovs.vswitchd.datapath_log import DatapathLog
from vnet.sim.scheduler import Scheduler

FRAME = bytes.fromhex("505400000007 505400000005 1234").ljust(60, b"\0")
FLOW = "in_port(1),packet_type(ns=0,id=0),eth(dst=50:54:00:00:00:0a),eth_type(0x0800),ipv4(frag=no)"


_MACS = "src=00:00:00:00:00:00,dst=00:00:00:00:00:00"
_SOME_MACS = "src=00:00:00:00:00:00/00:00:00:00:00:00,dst=00:00:00:00:00:00/00:00:00:00:00:00"


class Around:
    """A process that begins at 0."""

    program = "ovs-vswitchd"
    pid = 1
    host = ""

    def wall_ms(self) -> int:
        return 0

    def monotonic_ms(self) -> int:
        return 0


class Lines:
    """A sink that keeps what it is given, without names for flows."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def write(self, line: str) -> None:
        words = line.rstrip("\n").split(" ")
        self.lines.append(" ".join(word for word in words if "ufid:" not in word))


@pytest.fixture
def datapath() -> Datapath:
    return Datapath(Scheduler(), "ovs-dummy")


@pytest.fixture
def vlog(datapath: Datapath) -> Vlog:
    vlog = Vlog(Around())
    vlog.set_pattern(Destination.FILE, "%c|%p|%m")
    DatapathLog(datapath, vlog)
    return vlog


@pytest.fixture
def lines(vlog: Vlog) -> list[str]:
    sink = Lines()
    vlog.set_sink(Destination.FILE, sink)
    return sink.lines


def use(datapath: Datapath) -> None:
    """Do a little of all that is told."""
    device = RememberingDevice(datapath.scheduler, "p2", MAC_ZERO)
    datapath.port_add(device, "dummy", OdpPort(2))
    key, mask = parse_flow(FLOW)
    datapath.flow_put(key, mask, (Output(OdpPort(2)),))
    datapath.flow_put(key, mask, ())
    datapath.flow_del(key, mask)
    datapath.meter_set(3, MeterConfig(False, ()))
    datapath.meter_del(3)
    datapath.port_del(OdpPort(2))


def test_a_datapath_is_listened_to_only_while_somebody_wants_to_read_of_it(
    datapath: Datapath, vlog: Vlog, lines: list[str]
) -> None:
    assert not datapath._pipeline.watchers
    use(datapath)
    apply_spec(vlog, "dpif_netdev:file:dbg")
    assert datapath._pipeline.watchers
    vlog.set_sink(Destination.FILE, None)
    assert not datapath._pipeline.watchers
    assert lines == []


def test_flows_are_told_by_the_datapath_itself_as_they_are_in_it(
    datapath: Datapath, vlog: Vlog, lines: list[str]
) -> None:
    vlog.set_levels(vlog.module("dpif_netdev"), None, Level.DBG)
    use(datapath)
    match = "flow match: recirc_id=0,eth,ip,vlan_tci=0x0000,dl_dst=50:54:00:00:00:0a,nw_frag=no"
    shown = f"recirc_id(0),{FLOW}"
    assert lines == [
        f"dpif_netdev|DBG|flow_add: {shown}, actions:2",
        f"dpif_netdev|DBG|{match}",
        f"dpif_netdev|DBG|flow_mod: {shown}, old_actions:2, actions:drop",
        f"dpif_netdev|DBG|{match}",
    ]


def test_what_is_asked_of_a_datapath_is_told_at_its_door(
    datapath: Datapath, vlog: Vlog, lines: list[str]
) -> None:
    vlog.set_levels(vlog.module("dpif"), None, Level.DBG)
    use(datapath)
    assert [line.removeprefix("dpif|DBG|dummy@ovs-dummy: ").split("(")[0] for line in lines] == [
        "added p2 as port 2",
        "put[modify] skb_priority",
        "flow_del skb_priority",
        "DPIF meter 3 set",
        "DPIF meter 3 deleted",
        "port_del",
    ]
    assert lines[2].endswith("packets:0, bytes:0, used:never")


def test_dumps_are_told_of_with_whole_flows_where_names_are_not_enough() -> None:
    switch = RowSwitch()
    switch.add_bridge("br0", dummy("p1", ofport_request=1))
    apply_spec(switch.vswitchd.vlog, "dpif:dbg")
    switch.devices["p1"].deliver(FRAME)
    switch.scheduler.run(switch.scheduler.now_ns + NS_PER_S // 2)
    appctl(switch.vswitchd, "upcall/disable-ufid", [])
    switch.scheduler.run(switch.scheduler.now_ns + NS_PER_S // 2)
    told = [re.sub("ufid:[^ ]*", "ufid:X", line) for line in switch.log.lines if "dump" in line]
    counts, door = "packets:0, bytes:0, used:never", "dpif|DBG|dummy@ovs-dummy: "
    shown = (
        "skb_priority(0/0),skb_mark(0/0),ct_state(0/0),ct_zone(0/0),ct_mark(0/0),ct_label(0/0),"
        "recirc_id(0),dp_hash(0/0),in_port(1),packet_type(ns=0,id=0),"
        "eth(src=50:54:00:00:00:05,dst=50:54:00:00:00:07),eth_type(0x1234)"
    )
    assert told == [
        f"{door}flow_dump ufid:X <empty>, {counts}",
        f"{door}dumped all flows",
        f"{door}flow_dump ufid:X {shown}, {counts}, actions:100",
        f"{door}dumped all flows",
    ]


def test_flows_that_cannot_be_installed_or_are_not_there_are_told_of() -> None:
    switch = RowSwitch()
    switch.add_bridge("br0", dummy("p1", ofport_request=1))
    flow = "eth(),eth_type(0x1234)"
    told = {}
    for command, *words in (
        ("add-flow", flow, "3"),
        ("mod-flow", f"in_port(1),{flow}", "3"),
        ("del-flow", f"in_port(1),{flow}"),
        ("add-flow", f"in_port(1),{flow},{flow}", "3"),
        ("add-flow", f"in_port(1),{flow},tcp()", "3"),
    ):
        switch.log.lines.clear()
        with pytest.raises(OvsTextError):
            appctl(switch.vswitchd, f"dpctl/{command}", words)
        lines = [re.sub("ufid:[^ ]*", "ufid:X", line) for line in switch.log.lines]
        told[command, words[0]] = [
            line.replace(_SOME_MACS, "M").replace(_MACS, "M") for line in lines
        ]
    failed = "dpif|WARN|dummy@ovs-dummy: failed to"
    shown = "in_port(1),eth(M),eth_type(0x1234)"
    assert list(told.values()) == [
        [
            "dpif_netdev|ERR|failed to put[create] flow: in_port is not an exact match",
            f"{failed} put[create] (Invalid argument) ufid:X eth(M),eth_type(0x1234), actions:3",
        ],
        [f"{failed} put[modify] (No such file or directory) ufid:X {shown}, actions:3"],
        [f"{failed} flow_del (No such file or directory) ufid:X {shown}"],
        [
            "odp_util|WARN|duplicate eth attribute in flow key",
            f"odp_util|WARN|the flow key in error is: {shown},eth(M),eth_type(0x1234)",
            f"dpif_netdev|ERR|internal error parsing flow key {shown},eth(M),eth_type(0x1234)",
            f"{failed} put[create] (Invalid argument) ufid:X {shown},eth(M),eth_type(0x1234),"
            " actions:3",
        ],
        [
            f"dpif_netdev|ERR|internal error parsing flow key {shown},tcp(src=0,dst=0)",
            f"{failed} put[create] (Invalid argument) ufid:X {shown},tcp(src=0/0,dst=0/0),"
            " actions:3",
        ],
    ]
