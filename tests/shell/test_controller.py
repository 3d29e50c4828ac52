"""Being a bridge's OpenFlow controller at the prompt, by hand and by apps."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vnet.lab.lab import Lab
from vnet.shell.context import ShellContext
from vnet.shell.dispatch import complete

Shell = Callable[..., Any]

ARP = "ffffffffffff02000000000108060001080006040001020000000001" + "0a0000010000000000000a000002"


def test_packets_come_to_the_prompt_and_are_answered(shell: Shell) -> None:
    ran = shell(
        "controlled-switches",
        "controller sw1",
        "ping h1 h3 -c 1 -W 0.1",
        "packet-out sw1 actions=FLOOD",
        "wait 1ms",
        "flow-mod sw1 'priority=1, actions=NORMAL'",
        "ping h1 h3 -c 1",
        "controller sw1 off",
    )
    assert (ran.code, ran.err) == (0, "")
    first, *lines = ran.out.splitlines()
    assert first == (
        "you are the controller of sw1: OpenFlow 1.5, datapath 0000000000000001, "
        "ports 1(p1) 2(p2) 3(p3)"
    )
    came = [line for line in lines if "NXT_PACKET_IN2" in line]
    assert came[0] == (
        "       100us  sw1 NXT_PACKET_IN2 (OF1.5) (xid=0x0): cookie=0x0 total_len=42 in_port=1 "
        "(via no_match) data_len=42 (unbuffered)"
    )
    told = lines[lines.index(came[0]) + 1]
    assert told.startswith(f"{' ' * 14}arp,vlan_tci=0x0000,dl_src=02:2f:31:fa:de:a1,dl_dst=ff")
    assert "arp_spa=10.0.0.3,arp_tpa=10.0.0.1,arp_op=2" in ran.out, "the flooded question arrived"
    assert "1 received, 0% packet loss" in ran.out
    assert lines[-1] == f"sw1 is without its controller, after {len(came)} packet-ins"


def test_refusals_are_shown_as_ovs_ofctl_shows_them_and_fail(shell: Shell) -> None:
    ran = shell("controlled-switches", "controller sw1", "flow-mod sw1 actions=group:7", "nodes")
    assert (ran.code, ran.err) == (1, "")
    assert ran.out.splitlines()[1:] == [
        "          0s  sw1 OFPT_ERROR (OF1.5) (xid=0x8): OFPBAC_BAD_OUT_GROUP",
        "              OFPT_FLOW_MOD (OF1.5) (xid=0x8): ADD actions=group:7",
    ]


def test_flows_are_changed_and_deleted(shell: Shell) -> None:
    ran = shell(
        "controlled-switches",
        "controller sw1 -q",
        "flow-mod sw1 priority=5,icmp,actions=p2",
        "flow-mod sw1 modify_strict priority=5,icmp,actions=p3",
        "flow-mod sw1 delete_strict priority=0",
        "dump-flows sw1 --no-stats --no-names",
    )
    assert ran.out.splitlines()[1:] == [" priority=5,icmp actions=output:3"]


def test_groups_and_meters_are_changed_and_deleted(shell: Shell) -> None:
    ran = shell(
        "controlled-switches",
        "controller sw1 -q",
        "group-mod sw1 group_id=1,type=all,bucket=output:p2",
        "group-mod sw1 modify group_id=1,type=all,bucket=output:p3",
        "group-mod sw1 group_id=2,type=all,bucket=output:p3",
        "group-mod sw1 delete group_id=2",
        "meter-mod sw1 'meter=1 kbps band=type=drop rate=1000'",
        "meter-mod sw1 modify 'meter=1 kbps band=type=drop rate=2000'",
        "meter-mod sw1 'meter=2 kbps band=type=drop rate=1000'",
        "meter-mod sw1 delete meter=2",
        "ovs-ofctl dump-groups sw1",
        "ovs-ofctl -O OpenFlow13 dump-meters sw1",
        "group-mod sw1 delete",
        "meter-mod sw1 delete",
        "ovs-ofctl dump-groups sw1",
        "ovs-ofctl -O OpenFlow13 dump-meters sw1",
    )
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines()[1:] == [
        "NXST_GROUP_DESC reply (xid=0x2):",
        " group_id=1,type=all,bucket=bucket_id:0,actions=output:3",
        "OFPST_METER_CONFIG reply (OF1.3) (xid=0x2):",
        "meter=1 kbps bands=",
        "type=drop rate=2000",
        "NXST_GROUP_DESC reply (xid=0x2):",
        "OFPST_METER_CONFIG reply (OF1.3) (xid=0x2):",
    ]


@pytest.mark.parametrize(
    ("version", "line", "error"),
    [
        ("OpenFlow15", "group-mod sw1 modify group_id=7,type=all", "OFPGMFC_UNKNOWN_GROUP"),
        (
            "OpenFlow13",
            "meter-mod sw1 modify 'meter=7 kbps band=type=drop rate=1'",
            "OFPMMFC_UNKNOWN_METER",
        ),
    ],
)
def test_groups_and_meters_that_are_refused_are_shown(
    shell: Shell, version: str, line: str, error: str
) -> None:
    ran = shell("controlled-switches", f"controller sw1 -O {version}", line, "nodes")
    assert (ran.code, ran.err) == (1, "")
    assert ran.out.splitlines()[1].endswith(error)


def test_meters_want_a_version_that_has_them(shell: Shell) -> None:
    line = "meter-mod sw1 'meter=7 kbps band=type=drop rate=1'"
    ran = shell("controlled-switches", "controller sw1 -O OpenFlow10", line)
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert ran.err.startswith("meter-mod: none of the usable flow formats (OXM-OpenFlow13,")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("group-mod sw1 group_id=1", "group-mod: must specify a type"),
        ("meter-mod sw1 meter=1", "meter-mod: must specify bands"),
        (
            "group-mod sw2 group_id=1,type=all",
            "nobody here is the controller of sw2 (try: controller sw2)",
        ),
        (
            "flow-mod sw2 actions=drop",
            "nobody here is the controller of sw2 (try: controller sw2)",
        ),
        ("controller sw2 off", "nobody here is the controller of sw2 (try: controller sw2)"),
        ("controller sw1", "sw1 has a controller already"),
        ("controller sw3", "there is no bridge 'sw3' of Open vSwitch (did you mean "),
        ("controller sw2 nowhere.py", "there is no app nowhere.py (an app is a file of Python)"),
        (
            "controller sw2 @learning-swich",
            "no shipped app @learning-swich (did you mean 'learning-switch'?)",
        ),
        (
            "controller sw2 -O OpenFlow9",
            'Unknown OpenFlow version: "OpenFlow9" (OpenFlow10 to OpenFlow15)',
        ),
        ("flow-mod sw1 priority=5", "flow-mod: must specify an action"),
        ("flow-mod sw1 actions=p9", "flow-mod: unknown action p9"),
        ("packet-out sw1 actions=FLOOD", "packet-out: no packet has come yet (write packet=HEX)"),
        (
            "packet-out sw1 packet=00 actions=FLOOD",
            "packet-out: packet: Packet data too short for Ethernet",
        ),
        ("packet-out sw1", "packet-out: something is missing"),
    ],
)
def test_mistakes_are_told_in_one_line(shell: Shell, line: str, message: str) -> None:
    ran = shell("controlled-switches", "controller sw1", line)
    assert ran.code == 2
    assert ran.err.startswith(message), ran.err
    assert ran.err.count("\n") == 1


def test_a_packet_is_sent_without_a_controller_too(shell: Shell) -> None:
    packet = f"in_port=p1 packet={ARP}"
    ran = shell(
        "controlled-switches",
        f"packet-out sw1 {packet} actions=p2",
        f"ovs-ofctl packet-out sw1 '{packet}, actions=p3'",
        "wait 2ms",
        "dump-ports sw1 p3",
    )
    assert (ran.code, ran.err) == (0, "")
    assert "tx pkts=1, bytes=42" in ran.out
    refused = shell("controlled-switches", f"packet-out sw1 {packet} actions=group:7")
    assert refused.err == "packet-out: OFPBAC_BAD_OUT_GROUP (the switch refuses it)\n"
    refused = shell("controlled-switches", "packet-out sw1 actions=2")
    assert refused.err == "packet-out: must specify packet\n"


def test_an_app_controls_two_switches(shell: Shell) -> None:
    ran = shell(
        "controlled-switches",
        "controller sw1 @learning-switch -q",
        "controller sw2 @learning-switch -q",
        "ping h1 h2 -c 2",
        "controller",
    )
    assert (ran.code, ran.err) == (0, "")
    assert "2 received, 0% packet loss" in ran.out
    assert "NXT_PACKET_IN" not in ran.out
    header, sw1, sw2 = ran.out.splitlines()[-3:]
    assert header.split() == ["BRIDGE", "OPENFLOW", "APP", "PACKET-INS", "ERRORS"]
    assert sw1.split() == ["sw1", "1.5", "learning_switch.py", "3", "0"]
    assert sw2.split() == ["sw2", "1.5", "learning_switch.py", "3", "0"]


def test_an_app_that_fails_is_told_of_and_the_lab_goes_on(shell: Shell, tmp_path: Path) -> None:
    path = tmp_path / "faulty.py"
    path.write_text(
        "from vnet.controller import PacketIn, SwitchConnected, on\n"
        "@on(SwitchConnected)\n"
        "def begin(event):\n"
        "    event.switch.flow_mod('priority=0,actions=CONTROLLER')\n"
        "@on(PacketIn)\n"
        "def learn(event):\n"
        "    return 1 // 0\n"
    )
    ran = shell(
        "controlled-switches",
        f"controller sw1 {path} -q",
        "ping h1 h3 -c 3 -W 0.1 -i 0.2",
        "controller",
        "time",
    )
    assert ran.code == 0
    assert ran.err == "faulty.py:7: ZeroDivisionError: integer division or modulo by zero\n"
    assert "faulty.py" in ran.out


def test_an_app_that_fails_at_once_fails_the_command(shell: Shell, tmp_path: Path) -> None:
    path = tmp_path / "faulty.py"
    path.write_text(
        "from vnet.controller import SwitchConnected, on\n"
        "@on(SwitchConnected)\n"
        "def begin(event):\n"
        "    event.switch.flow_mod('priority=0,actions=nowhere')\n"
    )
    ran = shell("controlled-switches", f"controller sw1 {path}", "time")
    assert (ran.code, ran.err) == (1, "faulty.py:4: unknown action nowhere\n")
    assert ran.out.startswith("faulty.py is the controller of sw1")


def test_an_app_that_is_let_go_of_at_once_is_not_said_to_control(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vnet.controller.local._MOST_AT_ONCE", 100)
    path = tmp_path / "endless.py"
    path.write_text(
        "from vnet.controller import ErrorReply, SwitchConnected, on\n"
        "@on(SwitchConnected, ErrorReply)\n"
        "def begin(event):\n"
        "    event.switch.flow_mod('actions=group:7')\n"
    )
    ran = shell("controlled-switches", f"controller sw1 {path} -q")
    assert ran.code == 1
    assert "100 messages came from sw1 while no time passed" in ran.err
    assert ran.out.endswith("endless.py has let go of sw1\n")


def test_older_versions_are_spoken_if_asked_for(shell: Shell) -> None:
    ran = shell("controlled-switches", "controller sw1 -O OpenFlow10", "ping h1 h3 -c 1 -W 0.1")
    assert "OpenFlow 1.0" in ran.out
    assert "sw1 NXT_PACKET_IN2 (xid=0x0): cookie=0xffff" not in ran.out
    assert "sw1 NXT_PACKET_IN2 (xid=0x0): " in ran.out, "a miss is told without any flow"


def test_bridges_apps_and_commands_are_completed() -> None:
    context = ShellContext(Lab.load("@controlled-switches"))
    assert complete(context, ["controller"], "sw") == ["sw1", "sw2"]
    assert "@learning-switch" in complete(context, ["controller", "sw1"], "@")
    assert complete(context, ["controller", "sw1"], "of") == ["off"]
    assert complete(context, ["flow-mod", "sw1"], "de") == ["delete", "delete_strict"]
    assert complete(context, ["packet-out", "sw1"], "p") == ["packet="]
    assert "flow-mod" in complete(context, [], "flow")


def test_a_session_at_the_prompt(monkeypatch: pytest.MonkeyPatch) -> None:
    from vnet.shell.interactive import PromptShell

    lines = "controller sw1\nflow-mod sw1 priority=9,arp,actions=FLOOD\ncontroller\nquit\n"
    out = io.StringIO()
    context = ShellContext(Lab.load("@controlled-switches"))
    session = PromptShell(context, stdin=io.StringIO(lines), stdout=out)
    assert session.session() == 0
    assert "you are the controller of sw1" in out.getvalue()
    assert context.controllers["sw1"].controller.is_open
