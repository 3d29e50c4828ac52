"""``ovs-ofctl monitor`` and ``snoop`` at the prompt: what they print comes while time passes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Shell = Callable[..., Any]


def test_changes_of_flows_are_shown_as_they_come(shell: Shell) -> None:
    ran = shell(
        "controlled-switches",
        "add-flow sw1 in_port=p1,actions=CONTROLLER",
        "ovs-ofctl monitor sw1 watch:table=0 watch:!initial,table=3,out_port=2",
        "add-flow sw1 table=3,priority=7,udp,tp_src=1,actions=2",
        "add-flow sw1 table=3,arp,actions=3",
        "mod-flows sw1 table=3,udp,actions=3",
        "watch stop",
        "del-flows sw1 table=3",
    )
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines() == [
        "          0s  sw1 NXST_FLOW_MONITOR reply (xid=0x6):",
        "               event=ADDED table=0 cookie=0 in_port=1 actions=CONTROLLER:65535",
        "          0s  sw1 NXST_FLOW_MONITOR reply (xid=0x7):",
        "what sw1 tells is shown as it comes, until `watch stop`",
        "          0s  sw1 NXST_FLOW_MONITOR reply (xid=0x0):",
        "               event=ADDED table=3 cookie=0 udp,tp_src=1 actions=output:2",
        "          0s  sw1 NXST_FLOW_MONITOR reply (xid=0x0):",
        "               event=MODIFIED table=3 cookie=0 udp,tp_src=1 actions=output:3",
        "4 messages of sw1",
    ]


def test_packets_are_shown_to_who_asks_for_their_bytes(shell: Shell) -> None:
    ran = shell(
        "controlled-switches",
        "add-flow sw1 arp,actions=CONTROLLER",
        "ovs-ofctl monitor sw1",
        "ping h1 h3 -c 1 -W 0.1",
        "watch stop",
        "ovs-ofctl -O OpenFlow13 monitor sw1 65534 --names",
        "ping h1 h4 -c 1 -W 0.1",
        "watch stop",
    )
    assert (ran.code, ran.err) == (0, "")
    silent, _, told = ran.out.partition("0 messages of sw1\n")
    assert "NXT_PACKET_IN2" not in silent
    assert "NXT_PACKET_IN2 (OF1.3) (xid=0x0): cookie=0x0 total_len=42 in_port=p1 (via act" in told


def test_monitor_takes_no_flows_from_the_bridge(shell: Shell) -> None:
    ran = shell(
        "controlled-switches",
        "add-flow sw1 actions=NORMAL",
        "ovs-ofctl monitor sw1 watch:!initial",
        "dump-flows sw1 --no-stats",
        "watch stop",
        "dump-flows sw1 --no-stats",
    )
    assert ran.out.splitlines()[2::2] == [" actions=NORMAL", " actions=NORMAL"]


def test_what_a_bridge_tells_last_is_shown_when_it_has_gone(shell: Shell) -> None:
    ran = shell(
        "controlled-switches",
        "ovs-ofctl monitor sw1 65534 --names",
        "sw1 ovs-vsctl del-br sw1",
        "watch stop",
    )
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.count("DEL: ") == 4
    assert ran.out.splitlines()[-1] == "4 messages of sw1"


def test_numbers_may_be_longer_than_any_that_mean_something(shell: Shell) -> None:
    long = "9" * 5000
    ran = shell("controlled-switches", f"ovs-ofctl monitor sw1 {long} watch:out_port={long}")
    assert (ran.code, ran.err) == (0, "")


def test_what_a_controller_and_its_bridge_say_is_snooped_on(shell: Shell) -> None:
    ran = shell(
        "controlled-switches",
        "controller sw1 -q",
        "ovs-ofctl snoop sw1",
        "flow-mod sw1 priority=5,icmp,actions=p2",
        "ping h1 h3 -c 1 -W 0.1",
        "packet-out sw1 actions=FLOOD",
        "controller sw1 off",
        "watch stop",
    )
    assert (ran.code, ran.err) == (0, "")
    said = [line[14:] for line in ran.out.splitlines() if "(OF1.5)" in line]
    assert [line.partition(" (xid=")[0] for line in said] == [
        "sw1 OFPT_FLOW_MOD (OF1.5)",
        "sw1 NXT_PACKET_IN2 (OF1.5)",
        "sw1 OFPT_PACKET_OUT (OF1.5)",
    ]
    assert "ADD priority=5,icmp actions=output:2" in said[0]
    assert ran.out.endswith("3 messages of sw1\n")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("monitor sw1 foo", 'monitor: foo: unsupported "monitor" argument'),
        ("monitor sw1 watch:foo", "monitor: foo: field foo missing value"),
        ("monitor sw1 watch:foo=1", "monitor: foo=1: unknown keyword foo"),
        ("monitor sw1 watch:table=999", 'monitor: unknown table "999"'),
        (
            "monitor sw1 watch:!add,!modify,!delete",
            "monitor: OFPMOFC_BAD_FLAGS (the switch refuses it)",
        ),
        (
            "-O OpenFlow13 monitor sw1 invalid_ttl",
            "monitor: invalid_ttl requires one of the OpenFlow versions OpenFlow10, OpenFlow11, "
            "OpenFlow12 but none is enabled (use -O)",
        ),
        (
            "monitor sw1 1 2 3",
            "monitor: 'monitor' command takes at most 3 arguments "
            "(usage: monitor BR [LEN] [watch:[SPEC]])",
        ),
        ("monitor", "monitor: which bridge? (usage: monitor BR [LEN] [watch:[SPEC]])"),
        ("snoop sw1", "snoop: sw1 has no controller here (`controller sw1` makes you one)"),
    ],
)
def test_mistakes_are_told_in_one_line(shell: Shell, line: str, message: str) -> None:
    ran = shell("controlled-switches", f"ovs-ofctl {line}", "watch stop")
    assert (ran.code, ran.out, ran.err) == (2, "", f"{message}\n")


def test_packets_whose_time_is_up_come_to_who_asks(shell: Shell, tmp_path: Path) -> None:
    flows = tmp_path / "flows.txt"
    flows.write_text("ip,actions=dec_ttl,NORMAL\nactions=NORMAL\n")
    ran = shell(
        "controlled-switches",
        f"add-flows sw1 {flows}",
        "ovs-ofctl -O OpenFlow12 monitor sw1 128 invalid_ttl",
        "ping h1 h3 -c 1 -t 1 -W 0.1",
        "watch stop",
    )
    assert "(via invalid_ttl) data_len=" in ran.out
