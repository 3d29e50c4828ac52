"""Being the OpenFlow controller of a lab's switch, from Python and by apps."""

from __future__ import annotations

from pathlib import Path

import pytest

from vnet.base.errors import UsageError
from vnet.controller.local import LocalController
from vnet.lab.lab import Lab
from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.openflow.controller.heard import Heard
from vnet.ovs.openflow.controller.heard_text import heard_text
from vnet.ovs.openflow.messages import FlowMod, FlowModCommand, PacketIn
from vnet.ovs.openflow.version import OpenFlowVersion

TEXT = """\
version: 1
name: controlled
hosts:
  h1: {nics: {eth0: {ip: 10.0.0.1/24}}}
  h2: {nics: {eth0: {ip: 10.0.0.2/24}}}
switches: {sw1: {type: ovs, ports: 3, fail_mode: secure, flows: 'priority=3,actions=drop'}}
links:
  - {ends: ['h1:eth0', 'sw1:p1']}
  - {ends: ['h2:eth0', 'sw1:p2']}
"""

REPORTER = """\
from vnet.controller import *
from vnet.controller import ErrorReply, FlowRemoved, PacketIn, PortStatus, SwitchConnected
from vnet.controller import SwitchGone, on

@on(SwitchConnected)
def begin(event):
    event.switch.flow_mod("priority=0,actions=CONTROLLER")
    event.switch.flow_mod("priority=9,arp,idle_timeout=1,send_flow_rem,actions=FLOOD")
    print("connected", event.switch.name, event.switch.version - 1, sorted(event.switch.ports))

@on(PacketIn)
def came(event):
    print("packet", event.in_port, event.packet.summary(), len(event.frame), event.reason.name)
    event.switch.flow_mod("bad flow")

@on(FlowRemoved)
def removed(event):
    print("removed", event.flow, event.reason.name, event.message.n_packets)

@on(PortStatus)
def port(event):
    print("port", event.message.desc.name, event.message.reason.name, len(event.switch.ports))

@on(ErrorReply)
def refused(event):
    print("refused", event.message.name)

@on(SwitchGone)
def gone(event):
    print("gone", event.switch.name)
"""


@pytest.fixture
def lab() -> Lab:
    return Lab.from_text(TEXT)


def heard_by(controller: LocalController) -> list[Heard]:
    found: list[Heard] = []
    controller.watchers.append(found.append)
    return found


def answered(lab: Lab) -> int:
    return lab.host("h1").ping("10.0.0.2", count=1, timeout="100ms").received


def test_a_controller_finds_no_flows_and_leaves_none(lab: Lab) -> None:
    switch = lab.switch("sw1")
    assert len(switch.dump_flows()) == 1
    controller = switch.controller()
    assert switch.dump_flows() == []
    controller.switch.flow_mod("priority=1,actions=drop")
    lab.advance(0)
    assert len(switch.dump_flows()) == 1
    controller.close()
    assert switch.dump_flows() == []


def test_a_switch_that_stands_alone_is_a_learning_switch_before_and_after(lab: Lab) -> None:
    lab = Lab.from_text(TEXT.replace("fail_mode: secure, flows: 'priority=3,actions=drop'", ""))
    assert answered(lab) == 1
    controller = lab.switch("sw1").controller()
    assert answered(lab) == 0
    controller.close()
    assert answered(lab) == 1


def test_packets_come_and_are_sent(lab: Lab) -> None:
    controller = lab.switch("sw1").controller()
    heard = heard_by(controller)
    controller.switch.flow_mod("priority=0,actions=CONTROLLER")
    assert answered(lab) == 0
    asked = [each.content for each in heard if isinstance(each.content, PacketIn)]
    assert asked[0].frame[12:14] == b"\x08\x06"
    controller.switch.flow_mod("priority=1,actions=FLOOD")
    controller.switch.packet_out("output:p2", asked[0].frame, in_port="p1")
    with pytest.raises(OvsTextError, match="sw1: there is no port p9"):
        controller.switch.packet_out("output:p2", asked[0].frame, in_port="p9")
    lab.advance("1ms")
    assert answered(lab) == 1


def test_what_the_switch_refuses_comes_back(lab: Lab) -> None:
    controller = lab.switch("sw1").controller(version="OpenFlow13")
    heard = heard_by(controller)
    controller.switch.flow_mod("actions=group:7")
    lab.advance(0)
    assert heard_text(heard[-1]).splitlines() == [
        "OFPT_ERROR (OF1.3) (xid=0x7): OFPBAC_BAD_OUT_GROUP",
        "OFPT_FLOW_MOD (OF1.3) (xid=0x7): ADD actions=group:7",
    ]


def test_records_are_sent_as_texts_are(lab: Lab) -> None:
    controller = lab.switch("sw1").controller()
    switch = controller.switch
    switch.meter_mod("meter=1 kbps band=type=drop rate=1000")
    switch.flow_mod("priority=5,actions=meter:1,output:p2")
    switch.send(FlowMod(FlowModCommand.ADD, priority=6))
    lab.advance(0)
    flows = lab.switch("sw1").ofctl("dump-flows", "-O", "OpenFlow13", "--no-stats")
    assert "priority=5 actions=meter:1,output:2" in flows
    assert "priority=6 actions=drop" in flows
    assert len(lab.switch("sw1").dump_meters()) == 2
    switch.flow_mod("delete_strict priority=6")
    switch.meter_mod("delete meter=1")
    lab.advance(0)
    assert lab.switch("sw1").dump_flows() == [], "flows go with their meter"


def test_groups_are_made_and_deleted(lab: Lab) -> None:
    switch = lab.switch("sw1").controller().switch
    switch.group_mod("group_id=1,type=all,bucket=output:p1,bucket=output:2")
    switch.flow_mod("priority=5,actions=group:1")
    lab.advance(0)
    assert len(lab.switch("sw1").dump_groups()) == 1
    assert answered(lab) == 1
    switch.group_mod("delete group_id=1")
    lab.advance(0)
    assert lab.switch("sw1").dump_groups() == []
    assert lab.switch("sw1").dump_flows() == [], "flows go with their group"


def test_an_app_is_called_later_while_its_switch_is_there(
    lab: Lab, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "ticks.py").write_text(
        "from vnet.controller import SwitchConnected, on\n"
        "@on(SwitchConnected)\n"
        "def begin(event):\n"
        "    event.switch.after('1s', tick, event.switch)\n"
        "    event.switch.after('90s', 'no function')\n"
        "def tick(switch):\n"
        "    print(switch.now_ns)\n"
        "    switch.after('1s', tick, switch)\n"
        "    if switch.now_ns > 2_000_000_000:\n"
        "        raise ValueError('late')\n"
    )
    controller = lab.switch("sw1").controller(tmp_path / "ticks.py")
    lab.advance("3500ms")
    controller.close()
    lab.advance("100s")
    out, err = capsys.readouterr()
    assert out.splitlines() == ["1000000000", "2000000000", "3000000000"]
    assert err == "ticks.py:10: ValueError: late\n"


def test_what_open_vswitch_lacks_is_said_to_bridges_that_have_it(lab: Lab) -> None:
    controller = lab.switch("sw1").controller()
    with pytest.raises(OvsTextError, match="unknown keyword pbb_isid"):
        controller.switch.flow_mod("dl_type=0x88e7,pbb_isid=5,actions=drop")
    lab.switch("sw1").vsctl("set", "bridge", "sw1", "other_config:openflow-full=true")
    controller.switch.flow_mod("dl_type=0x88e7,pbb_isid=5,actions=drop")
    lab.advance(0)
    flows = lab.switch("sw1").ofctl("dump-flows", "-O", "OpenFlow13", "--no-stats")
    assert "pbb_isid=5 actions=drop" in flows


@pytest.mark.slow
def test_an_app_that_answers_itself_lets_go_of_its_switch(
    lab: Lab, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "loop.py").write_text(
        "from vnet.controller import PacketIn, SwitchConnected, on\n"
        "@on(SwitchConnected)\n"
        "def begin(event):\n"
        "    event.switch.flow_mod('priority=0,actions=CONTROLLER')\n"
        "@on(PacketIn)\n"
        "def came(event):\n"
        "    event.send_on('TABLE')\n"
    )
    controller = lab.switch("sw1").controller(tmp_path / "loop.py")
    assert answered(lab) == 0
    assert not controller.is_open
    assert capsys.readouterr().err == (
        "loop.py: 10000 messages came from sw1 while no time passed; it is let go of "
        "(does what the app sends come back?)\n"
    )


def test_the_version_is_the_highest_unless_one_is_asked_for(lab: Lab) -> None:
    controller = lab.switch("sw1").controller()
    assert controller.switch.version is OpenFlowVersion.OF15
    controller.close()
    old = lab.switch("sw1").controller(version="OpenFlow10")
    assert old.switch.version is OpenFlowVersion.OF10
    heard = heard_by(old)
    old.switch.flow_mod("table=3,reg0=5,actions=output:2")
    answered(lab)
    assert any(isinstance(each.content, PacketIn) for each in heard), "1.0 is told of misses"
    (flow,) = lab.switch("sw1").dump_flows("table=3")
    assert flow.endswith("reg0=0x5 actions=output:2")


def test_a_version_that_the_bridge_does_not_speak_is_refused(lab: Lab) -> None:
    lab.switch("sw1").vsctl("set", "bridge", "sw1", "protocols=OpenFlow10,OpenFlow13")
    with pytest.raises(UsageError) as refused:
        lab.switch("sw1").controller(version="OpenFlow14")
    assert str(refused.value) == (
        "sw1 speaks no such version of OpenFlow (it speaks OpenFlow10, OpenFlow13)"
    )
    with pytest.raises(UsageError, match="Unknown OpenFlow version"):
        lab.switch("sw1").controller(version="1.3")
    assert lab.switch("sw1").controller().switch.version is OpenFlowVersion.OF13


def test_a_switch_has_one_controller_here(lab: Lab) -> None:
    lab.switch("sw1").controller()
    with pytest.raises(UsageError, match="sw1 has a controller already"):
        lab.switch("sw1").controller()


def test_a_linux_bridge_has_no_controller() -> None:
    lab = Lab.from_text("version: 1\nname: l\nswitches: {sw1: {}}\n")
    with pytest.raises(UsageError, match="sw1 is a Linux bridge, which has no flows"):
        lab.switch("sw1").controller()


def test_an_app_is_told_of_everything(
    lab: Lab, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "reporter.py").write_text(REPORTER)
    controller = lab.switch("sw1").controller(tmp_path / "reporter.py")
    answered(lab)
    answered(lab)
    controller.switch.flow_mod("actions=group:7")
    lab.switch("sw1").vsctl("del-port", "sw1", "p3")
    lab.advance("3s")
    controller.close()
    out, err = capsys.readouterr()
    assert out.splitlines() == [
        "connected sw1 5 [1, 2, 3, 65534]",
        "packet 1 Ether / IP / ICMP 10.0.0.1 > 10.0.0.2 echo-request 0 / Raw 98 NO_MATCH",
        "packet 1 Ether / IP / ICMP 10.0.0.1 > 10.0.0.2 echo-request 0 / Raw 98 NO_MATCH",
        "port p3 DELETE 3",
        "refused OFPBAC_BAD_OUT_GROUP",
        "removed priority=9,arp IDLE_TIMEOUT 2",
        "gone sw1",
    ]
    assert err == "reporter.py:14: must specify an action\n", "the same mistake is told once"
    assert controller.errors == ["reporter.py:14: must specify an action"]
    assert controller.n_errors == 2


def test_an_app_that_wants_to_be_called_at_once_for_ever_is_let_go_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    app = tmp_path / "eager.py"
    app.write_text(
        "from vnet.controller import SwitchConnected, on\n"
        "@on(SwitchConnected)\n"
        "def again(event):\n"
        "    event.switch.after('0s', again, event)\n"
    )
    with Lab.load("@controlled-switches") as lab:
        controller = lab.switch("sw1").controller(app)
        lab.advance("1s")
        assert not controller.is_open
    assert capsys.readouterr().err == (
        "eager.py: 10000 calls were asked for by the app of sw1 while no time passed; it is let "
        "go of (does each ask for the next one at once?)\n"
    )


def test_an_app_that_goes_on_failing_fills_no_memory(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    app = tmp_path / "failing.py"
    app.write_text(
        "from vnet.controller import SwitchConnected, on\n"
        "@on(SwitchConnected)\n"
        "def fail(event, number=0):\n"
        "    if number < 150:\n"
        "        event.switch.after('1ms', fail, event, number + 1)\n"
        "    raise ValueError(number)\n"
    )
    with Lab.load("@controlled-switches") as lab:
        controller = lab.switch("sw1").controller(app)
        lab.advance("1s")
    assert controller.n_errors == 151
    assert len(controller.errors) == len(capsys.readouterr().err.splitlines()) == 100


def test_an_app_of_two_switches_is_one_app() -> None:
    with Lab.load("@controlled-switches") as lab:
        one = lab.switch("sw1").controller("@learning-switch")
        two = lab.switch("sw2").controller("@learning-switch")
        assert one.app is two.app
        assert lab.pingall(["h1", "h2", "h3", "h4"]).losses == []
        assert one.errors == two.errors == []


def test_a_lab_with_an_app_runs_the_same_way_each_time() -> None:
    def told() -> list[str]:
        texts: list[str] = []
        with Lab.load("@controlled-switches", seed=7) as lab:
            for name in ("sw1", "sw2"):
                made = lab.switch(name).controller("@learning-switch")
                made.watchers.append(lambda heard: texts.append(heard.message.raw.hex()))
            lab.run("3s")
        return texts

    assert told() == told()


def test_a_controller_ends_what_the_bridge_does_alone() -> None:
    """A bridge whose controllers are away forwards as a learning switch: until one comes."""
    text = TEXT.replace("fail_mode: secure, flows: 'priority=3,actions=drop'", "controller: tcp:x")
    lab = Lab.from_text(text)
    assert answered(lab) == 0
    lab.advance("16s")
    assert answered(lab) == 1
    controller = lab.switch("sw1").controller()
    assert answered(lab) == 0
    controller.close()
    lab.advance("14s")
    assert answered(lab) == 0
    lab.advance("2s")
    assert answered(lab) == 1


def test_a_bridge_that_goes_takes_its_controller_with_it(
    lab: Lab, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "reporter.py").write_text(REPORTER)
    controller = lab.switch("sw1").controller(tmp_path / "reporter.py")
    lab.switch("sw1").vsctl("del-br", "sw1")
    assert not controller.is_open
    assert capsys.readouterr().out.endswith("gone sw1\n")
    controller.switch.flow_mod("actions=drop")
    lab.advance("1s")


def test_what_ovs_ofctl_monitor_prints_is_told_to_python(tmp_path: Path) -> None:
    (tmp_path / "lab.yaml").write_text(TEXT)
    with Lab.load(tmp_path / "lab.yaml") as lab:
        switch = lab.switch("sw1")
        with switch.monitor("watch:!initial,ip", version="OpenFlow14") as seen:
            switch.add_flow("icmp,actions=drop")
            switch.add_flow("arp,actions=drop")
            lab.run(until=lab.now_ns)
            first = list(seen)
        switch.del_flows("icmp")
        lab.run(until="1s")
        assert (
            first
            == seen
            == [
                "OFPST_FLOW_MONITOR reply (OF1.4) (xid=0x6):",
                "OFPST_FLOW_MONITOR reply (OF1.4) (xid=0x0):\n event=ADDED table=0 cookie=0 icmp",
            ]
        )
        with pytest.raises(OvsTextError, match='unsupported "monitor" argument'):
            switch.monitor("ip").__enter__()
        with pytest.raises(UsageError, match="OFPMOFC_BAD_FLAGS"):
            switch.monitor("watch:!add,!delete,!modify").__enter__()


ASKER = """\
from vnet.controller import BarrierReply, FlowStatsReply, GroupStatsReply, MeterStatsReply
from vnet.controller import PortStatsReply, SwitchConnected, on

@on(SwitchConnected)
def begin(event):
    switch = event.switch
    switch.group_mod("group_id=4,type=all,bucket=output:p1")
    if switch.version > 3:
        switch.meter_mod("meter=5 kbps band=type=drop rate=1000")
    for number in range(1, 901):
        switch.flow_mod(f"priority={number},arp,actions=group:4,note:{'77' * 80}")
    switch.flow_mod("table=3,icmp,cookie=9,actions=output:p2")
    print("barrier", switch.barrier() > 900)

@on(BarrierReply)
def done(event):
    switch = event.switch
    asked = [switch.flow_stats("arp"), switch.flow_stats("icmp"), switch.group_stats()]
    asked += [switch.port_stats("p1"), switch.port_stats()]
    if switch.version > 3:
        asked.append(switch.meter_stats(5))
    print("asked", [xid - asked[0] for xid in asked])

@on(FlowStatsReply)
def flows(event):
    if len(event.entries) == 1:
        print(event.text(event.entries[0]))
    print("flows", len(event.entries), sorted({entry.table_id for entry in event.entries}))

@on(GroupStatsReply, MeterStatsReply, PortStatsReply)
def others(event):
    numbers = [getattr(one, "port", getattr(one, "group_id", 0)) for one in event.entries]
    print(type(event).__name__, numbers)
"""


@pytest.mark.parametrize("version", ["OpenFlow10", "OpenFlow13", "OpenFlow15"])
def test_an_app_asks_and_is_answered_in_one_piece(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], version: str
) -> None:
    (tmp_path / "lab.yaml").write_text(TEXT)
    (tmp_path / "asker.py").write_text(ASKER)
    with Lab.load(tmp_path / "lab.yaml") as lab:
        controller = lab.switch("sw1").controller(tmp_path / "asker.py", version=version)
        lab.run(until="1s")
        assert controller.errors == []
    lines = capsys.readouterr().out.splitlines()
    has_meters = version != "OpenFlow10"
    assert lines[:2] == ["barrier True", f"asked {list(range(5 + has_meters))}"]
    assert lines[2] == "flows 900 [0]", "in more than one part"
    assert lines[3].startswith("cookie=0x9, duration=0s, table=3, n_packets=0, n_bytes=0, ")
    assert lines[3].endswith("icmp actions=output:p2")
    assert lines[4:7] == ["flows 1 [3]", "GroupStatsReply [4]", "PortStatsReply [1]"]
    assert sorted(lines[7].partition("[")[2].removesuffix("]").split(", ")) == [
        *("1", "2", "3"),
        "65534",
    ]
    assert lines[8:] == (["MeterStatsReply [0]"] if has_meters else [])
