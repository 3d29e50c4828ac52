"""Open vSwitch's own tools at the prompt, and watching it decide."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vnet.base.units import NS_PER_S
from vnet.lab.lab import Lab
from vnet.shell.app import run_shell

Shell = Callable[..., Any]

TWO = """\
version: 1
name: two
hosts:
  h1: {nics: {eth0: }, switches: {br0: {type: ovs}, br1: }}
  h2: {nics: {eth0: }, switches: {br0: {type: ovs}}}
vms:
  vm1: {host: h1, vnics: [{ip: 10.0.0.1/24, switch: br0}]}
  vm2: {host: h2, vnics: [{ip: 10.0.0.2/24}]}
switches: {sw1: {type: ovs}}
links: [{ends: ['h1:eth0', 'sw1:a']}, {ends: ['h2:eth0', 'sw1:b']}]
"""


@pytest.fixture
def two() -> Lab:
    return Lab.from_text(TWO)


def test_a_flow_is_added_by_itself_behind_its_tool_and_on_a_node(shell: Shell, two: Lab) -> None:
    ran = shell(
        two,
        "add-flow h1:br0 priority=9,tcp,actions=drop",
        "ovs-ofctl add-flow sw1 'priority=8, udp, actions=drop'",
        "h2 ovs-ofctl add-flow br0 priority=7,icmp,actions=drop",
        "h2 add-flow br0 priority=6,arp,actions=NORMAL",
        "dump-flows h1:br0 tcp --no-stats",
        "sw1 dump-flows sw1 udp --no-stats",
        "ovs-ofctl --no-stats dump-flows h2:br0",
    )
    assert (ran.code, ran.err) == (0, "")
    assert sorted(ran.out.splitlines()) == [
        " priority=0 actions=NORMAL",
        " priority=6,arp actions=NORMAL",
        " priority=7,icmp actions=drop",
        " priority=8,udp actions=drop",
        " priority=9,tcp actions=drop",
    ]


def test_files_of_flows_are_read(shell: Shell, two: Lab, tmp_path: Path) -> None:
    file = tmp_path / "flows.txt"
    file.write_text("# both\nip,actions=drop\narp,actions=drop\n")
    assert shell(two, f"add-flows sw1 {file}", "dump-aggregate sw1").out == (
        "NXST_AGGREGATE reply (xid=0x4): packet_count=0 byte_count=0 flow_count=3\n"
    )


def test_appctl_asks_the_daemon_of_the_node_or_of_the_bridge(shell: Shell, two: Lab) -> None:
    ran = shell(
        two,
        "ping vm1 vm2 -c 1",
        "h1 dpctl/show",
        "fdb/show sw1",
        "fdb/stats-show h2:br0",
        "h1 ovs-appctl -t ovs-vswitchd fdb/show br0",
        "h1 ovs-appctl --target=ovs-vswitchd ofproto/list",
        "ovs-appctl ofproto/trace h1:br0 in_port=vnet0,icmp",
    )
    assert (ran.code, ran.err) == (0, "")
    assert "  port 1: br0 (tap)\n" in ran.out
    assert 'Statistics for bridge "br0":' in ran.out
    assert 'bridge("br0")' in ran.out
    assert ran.out.count(" port  VLAN  MAC                Age") == 2


def test_bridges_are_shown_with_their_ports(shell: Shell, two: Lab) -> None:
    uuid, bridge, *lines = shell(two, "h1 ovs-vsctl show").out.splitlines()
    assert (len(uuid), bridge) == (36, "    Bridge br0")
    ports = "\n".join(lines).split("\n        Port ")
    assert sorted(port.removeprefix("        Port ").splitlines() for port in ports) == [
        ["br0", "            Interface br0", "                type: internal"],
        ["eth0", "            Interface eth0"],
        ["vnet0", "            Interface vnet0"],
    ]


def test_what_the_database_is_told_is_in_force_at_once(shell: Shell, two: Lab) -> None:
    ran = shell(
        two,
        "h1 ovs-vsctl set port vnet0 tag=10",
        "ping vm1 vm2 -c 1 -W 0.1",
        "h1 ovs-vsctl clear port vnet0 tag -- get port vnet0 tag",
        "h1 ovs-vsctl --columns=name,ofport,link_state list interface vnet0",
        "h1 ovs-vsctl get interface vnet0 statistics:rx_packets",
        "h1 ovs-vsctl --timeout=1 wait-until interface vnet0 ofport=2",
    )
    assert (ran.code, ran.err) == (0, "")
    assert "100% packet loss" in ran.out
    *_, empty, name, ofport, link, n_packets = ran.out.splitlines()
    assert (empty, name, ofport) == (
        *("[]", "name                : vnet0", "ofport              : 2"),
    )
    assert link == "link_state          : up"
    assert int(n_packets) > 0


def test_a_command_that_waits_lets_time_pass(shell: Shell, two: Lab) -> None:
    line = "h1 ovs-vsctl -t 2 wait-until interface vnet0 ofport=9"
    before_ns = two.now_ns
    assert shell(two, line).err == "ovs-vsctl: Alarm clock (what it waits for is not so)\n"
    assert two.now_ns == before_ns + 2 * NS_PER_S


def test_misses_are_shown_as_they_happen(shell: Shell, two: Lab) -> None:
    ran = shell(
        two,
        "watch upcalls h1:br0",
        "ping vm1 vm2 -c 1",
        "watch stop",
        "ping vm1 vm2 -c 1",
        "watch upcalls sw1 1s",
    )
    lines = ran.out.splitlines()
    assert lines[0] == "upcalls of h1:br0 are shown as they happen, until `watch stop`"
    heads = [line for line in lines if " < Ether" in line]
    assert [head.split()[1:3] for head in heads[:2]] == [["h1:br0", "vnet0"], ["h1:br0", "eth0"]]
    assert "ARP who has 10.0.0.2 says 10.0.0.1" in heads[0]
    first = lines.index(heads[0])
    said, what = lines[first + 1].split(maxsplit=1)
    assert said == "said"
    assert what.startswith("0. priority 0; learned that 52:54:00:")
    assert what.endswith("; no learned MAC for destination, flooding")
    assert lines[first + 2].split()[0] == "left"
    assert lines[first + 2].endswith("actions:br0,eth0")
    assert lines[-1] == "0 misses of sw1"
    assert "4 misses of h1:br0" in lines
    assert len(heads) == 4


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("add-flow br0 actions=drop", "several nodes have a bridge 'br0' (say h1:br0 or h2:br0)"),
        (
            "add-flow br7 actions=drop",
            "there is no bridge 'br7' of Open vSwitch (there are: sw1, h1:br0, h2:br0)",
        ),
        (
            "add-flow h1:br1 actions=drop",
            "h1:br1 is a Linux bridge, which has no flows (write 'type: ovs' in the topology)",
        ),
        ("add-flow", "add-flow: which bridge? (usage: add-flow BR FLOW)"),
        (
            "add-flow sw1",
            "add-flow: 'add-flow' command requires at least 2 arguments (usage: add-flow BR FLOW)",
        ),
        ("add-flow sw1 nw_scr=1,actions=drop", "add-flow: unknown keyword nw_scr"),
        (
            "add-flow sw1 actions=group:1",
            "add-flow: OFPBAC_BAD_OUT_GROUP (the switch refuses it)",
        ),
        ("dump-flow sw1", "there is no command or node 'dump-flow' (did you mean 'dump-flows'?)"),
        (
            "h1 dump-flow br0",
            "'dump-flow' is not a command for a node (did you mean 'dump-flows'?)",
        ),
        (
            "ovs-ofctl dump-flow sw1",
            "ovs-ofctl has no command 'dump-flow' (did you mean 'dump-flows'?)",
        ),
        ("dump-flows sw1 --nonames", "ovs-ofctl: unrecognized option '--nonames'"),
        (
            "dpctl/show",
            "several nodes have Open vSwitch (say which before the command: sw1, h1, h2)",
        ),
        ("h1 fdb/show br7", "fdb/show: no such bridge (there are: br0)"),
        ("vm1 dpctl/show", "there is no Open vSwitch on vm1 (write 'type: ovs' for a switch)"),
        (
            "h1 ovs-vsctl list-ports br2",
            "ovs-vsctl: no bridge named br2",
        ),
        (
            "h1 ovs-vsctl show me",
            "ovs-vsctl: 'show' command takes at most 0 arguments "
            "(usage: ovs-vsctl [OPTION...] CMD [WORD...])",
        ),
        ("h1 ovs-vsctl br-exists br2", "ovs-vsctl: it ends with status 2"),
        (
            "h1 ovs-vsctl wait-until bridge br2",
            "ovs-vsctl: what it waits for is not so (say how long to wait, as in --timeout=5)",
        ),
        ("watch upcalls", "watch upcalls: of which bridge? (usage: watch upcalls BR [DURATION])"),
        (
            "add-flow h1:br0 actions=output:vm1",
            "add-flow: vm1: output to unknown port (vm1 is at port vnet0)",
        ),
        ("add-flow h1:br0 actions=output:vm2", "add-flow: vm2: output to unknown port"),
        (
            "ovs-appctl -t ovsdb-server fdb/show sw1",
            "ovs-appctl: there is no daemon 'ovsdb-server' here (ovs-vswitchd is what a switch "
            "runs)",
        ),
        ("watch misses sw1", "watch: there is no 'misses' to watch (watch upcalls BR)"),
        (
            "watch stop",
            "watch stop: nothing is watched (`watch upcalls BR` or `ovs-ofctl monitor BR` begins)",
        ),
        (
            "watch upcalls sw1 soon",
            "watch upcalls: 'soon' is not a duration: write a number and one of ns, us, ms, s, m, "
            "min, h",
        ),
    ],
)
def test_an_error_is_one_line_with_a_hint(shell: Shell, two: Lab, line: str, error: str) -> None:
    ran = shell(two, line)
    assert ran.code == 2
    assert ran.err.splitlines() == [error]


def test_a_command_that_nobody_knows_is_answered_with_those_that_there_are(
    shell: Shell, two: Lab
) -> None:
    err = shell(two, "ovs-appctl -t ovs-vswitchd qqq").err
    assert err.startswith("ovs-appctl has no command 'qqq' (see `help ovs-appctl`: autoattach/")
    assert "`help ovs-ofctl`: show, add-flow, " in shell(two, "ovs-ofctl qqq").err


def test_bridges_and_ports_are_listed(shell: Shell, two: Lab) -> None:
    assert shell(two, "h1 ovs-vsctl list-br").out == "br0\n"
    assert shell(two, "ovs-vsctl list-ports h1:br0").out == "eth0\nvnet0\n"
    assert shell(two, "ovs-vsctl list-ports sw1").out == "a\nb\n"


def test_lines_may_be_piped_as_at_the_prompt(two: Lab, capfd: pytest.CaptureFixture[str]) -> None:
    def ran(*lines: str) -> tuple[int, str, str]:
        return run_shell(two, lines), *capfd.readouterr()

    added = "add-flow h1:br0 priority=7,icmp,actions=drop"
    assert ran(added, "ovs-ofctl dump-flows h1:br0 --no-stats | grep NORMAL") == (
        *(0, " priority=0 actions=NORMAL\n", ""),
    )
    assert ran("h1 dump-flows br0 --no-stats |grep icmp | tr a-z A-Z", "nodes | head -n1") == (
        *(0, " PRIORITY=7,ICMP ACTIONS=DROP\n" + ran("nodes")[1].splitlines(keepends=True)[0], ""),
    )
    assert ran("dump-flows h1:br0 | grep -c tcp", "nodes") == (1, "0\n", "")
    assert ran("dump-flows br7 | cat", "nodes")[:2] == (2, "")
    assert ran("dump-flows h1:br0 'a | b'")[0] == 2, "in quotes it is no pipe"


def test_help_has_every_command_of_a_tool(shell: Shell, two: Lab) -> None:
    from vnet.ovs.vswitchd.appctl.table import COMMANDS as APPCTL
    from vnet.ovs.vswitchd.ofctl.table import COMMANDS as OFCTL

    for tool, commands in (("ovs-ofctl", OFCTL), ("ovs-appctl", APPCTL)):
        shown = shell(two, f"help {tool}").out.splitlines()
        assert {line.split()[0] for line in shown if line.startswith("  ")} >= set(commands)
    assert shell(two, "help mod-port").out.splitlines() == [
        "[NODE] mod-port BR PORT WORD",
        "  set a port up, down, ...",
        "  as ovs-ofctl(8) has it; `help ovs-ofctl` tells more",
    ]


def test_at_the_prompt_they_are_commands_too(two: Lab) -> None:
    pytest.importorskip("cmd2")
    from vnet.shell.context import ShellContext
    from vnet.shell.interactive import PromptShell

    script = (
        'add-flow sw1 "table=3,icmp,actions=set_field:3->nw_ttl,NORMAL"\n'
        "dump-flows sw1 table=3 --no-stats\nfdb/show sw1\n"
    )
    out = io.StringIO()
    assert hasattr(PromptShell(ShellContext(two)), "complete_add-flow"), "Tab knows it"
    prompt = PromptShell(ShellContext(two), stdin=io.StringIO(script), stdout=out)
    assert prompt.session() == 0
    assert out.getvalue().splitlines() == [
        " table=3, icmp actions=load:0x3->NXM_NX_IP_TTL[],NORMAL",
        " port  VLAN  MAC                Age",
    ]


def test_bridges_come_and_go_with_what_the_lab_knows_of_them(shell: Shell, two: Lab) -> None:
    ran = shell(
        two,
        "ping vm1 vm2 -c 1",
        "h1 ovs-vsctl del-br br0",
        "h1 ovs-vsctl list-br",
        "h1 ovs-vsctl add-br br7 -- add-port br7 vnet0",
        "h1 ovs-vsctl list-ports br7",
        "h1 ip link show br7",
        "nodes",
        "dump-flows h1:br0",
    )
    assert ran.err == "dump-flows: br0 is not a bridge or a socket\n"
    assert "\nvnet0\n" in ran.out
    assert two.run().held


def test_what_vswitchd_and_the_datapath_say_is_listed_by_netlink_s_names(
    shell: Shell, two: Lab
) -> None:
    ran = shell(
        two,
        "h1 ovs-netlink on",
        "ping vm1 vm2 -c 1",
        "h1 ovs-netlink show 1",
        "h1 ovs-netlink off",
    )
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines()[0] == "ovs-netlink listens at h1"
    assert "down  OVS_PACKET_CMD_EXECUTE packet:" in ran.out
    assert ran.out.splitlines()[-1].endswith("messages at h1")


def test_what_is_not_listened_to_cannot_be_shown(shell: Shell, two: Lab) -> None:
    ran = shell(two, "h1 ovs-netlink show")
    assert "ovs-netlink is not on at h1 (ovs-netlink on begins)" in ran.err
    assert "there is no 'bogus'" in shell(two, "h1 ovs-netlink bogus").err
