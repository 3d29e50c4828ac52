"""The registry: one claim to a name, help and completion for all, examples that are true."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from vnet.base.errors import UsageError
from vnet.lab.lab import Lab
from vnet.shell.context import ShellContext
from vnet.shell.dispatch import complete
from vnet.shell.openvswitch import tool_of
from vnet.shell.options import Arguments, Option, take_options, whole_number
from vnet.shell.output import Output
from vnet.shell.registry import COMMANDS, Command, Group, NodeUse, Registry, command

EXAMPLES = [(c.name, example) for c in COMMANDS for example in c.examples]
BEFORE = {
    "flow-mod br0 priority=5,icmp,actions=drop": ("controller br0",),
    "flow-mod br0 modify_strict priority=5,icmp,actions=NORMAL": ("controller br0",),
    "flow-mod br0 delete icmp": ("controller br0",),
    "group-mod br0 group_id=1,type=select,bucket=output:1,bucket=output:2": ("controller br0",),
    "group-mod br0 delete group_id=1": ("controller br0",),
    "meter-mod br0 'meter=1 kbps band=type=drop rate=1000'": ("controller br0",),
    "h1 ovs-netlink show 5": ("h1 ovs-netlink on",),
    "leave vm1 239.1.1.1": ["join vm1 239.1.1.1"],
}
"""What has to be done for an example to make sense."""


def test_a_name_is_claimed_once() -> None:
    registry = Registry()

    def nothing(_context: ShellContext, _arguments: Arguments) -> Output:
        return None

    command("x", "", "do nothing", group=Group.SHELL, registry=registry)(nothing)
    with pytest.raises(ValueError, match="'x' is declared twice"):
        command("x", "", "do more", group=Group.SHELL, registry=registry)(nothing)


@pytest.fixture(scope="module")
def lab() -> Lab:
    """One that nothing is done to."""
    return Lab.load("@two-vms")


@pytest.mark.parametrize("found", list(COMMANDS), ids=COMMANDS.names)
def test_every_command_has_help(found: Command, lab: Lab, shell: Callable[..., Any]) -> None:
    ran = shell(lab, f"help {found.name}")
    assert ran.code == 0
    assert ran.out.splitlines()[0] == found.synopsis
    assert found.summary in ran.out
    assert found.examples, "a command without an example"
    assert all(example in ran.out for example in found.examples)
    assert found.run.__doc__


@pytest.mark.parametrize("found", list(COMMANDS), ids=COMMANDS.names)
def test_usage_names_every_option(found: Command) -> None:
    assert all(option in found.usage for option in found.options or ())


@pytest.mark.parametrize(("name", "example"), EXAMPLES, ids=[e for _, e in EXAMPLES])
def test_every_example_runs(name: str, example: str, shell: Callable[..., Any]) -> None:
    found = COMMANDS.get(name)
    assert found is not None
    lab = "ovs-flows" if found.group is Group.SWITCH else "two-hosts"
    ran = shell(lab, *BEFORE.get(example, ()), example)
    assert (ran.code, ran.err) == (0, "")
    # Commands of Open vSwitch's tools work by themselves.
    assert name in example or name in map(tool_of, example.split()[:2])


def test_help_lists_every_command_under_its_group(shell: Callable[..., Any]) -> None:
    lines = shell("two-vms", "help").out.splitlines()
    for found in COMMANDS:
        assert f"  {found.name:<10} {found.summary}" in lines
    assert [line for line in lines if line in {g.value for g in Group}] == [g.value for g in Group]


# -- options


def test_options_stand_anywhere_and_may_be_joined() -> None:
    known = {"-c": Option("count", whole_number(1, 9)), "-U": Option("mode", value="up")}
    assert take_options("x", ["a", "-c3", "-U", "b"], known) == (
        ("a", "b"),
        {"count": 3, "mode": "up"},
    )


@pytest.mark.parametrize("text", ["0", "10", "-1", "1.5", "x", "", "٣", "1" * 400])
def test_a_whole_number_is_in_its_range(text: str) -> None:
    with pytest.raises(ValueError, match="is not a whole number from 1 to 9"):
        whole_number(1, 9)(text)


def test_an_unknown_option_is_refused() -> None:
    with pytest.raises(UsageError, match="unknown option '-x'"):
        take_options("x", ["-x"], {"-c": Option("count", whole_number(1, 9))})


# -- completion


@pytest.fixture(scope="module")
def context() -> ShellContext:
    return ShellContext(Lab.load("@two-hosts"))


@pytest.fixture(scope="module")
def switch_context() -> ShellContext:
    return ShellContext(Lab.load("@ovs-flows"))


@pytest.mark.parametrize(
    ("before", "text", "offered"),
    [
        ("", "pi", ["ping", "pingall"]),
        ("", "vm", ["vm1", "vm2"]),
        ("ping", "v", ["vm1", "vm2"]),
        ("ping vm1", "h", ["h1", "h2"]),
        ("arping vm1 vm2", "-", ["-D", "-I", "-U", "-c"]),
        ("vm1 ping", "v", ["vm1", "vm2"]),
        ("vm1", "br", ["brctl", "bridge"]),
        ("on", "h", ["h1", "h2"]),
        ("on h1", "ipe", ["iperf3"]),
        ("on h1", "iptables-", ["iptables-restore", "iptables-save"]),
        ("h1 nft list", "ta", ["table", "tables"]),
        ("on h1 brctl", "sh", ["show", "showmacs", "showstp"]),
        ("h1 brctl show", "", ["xenbr0"]),
        ("h1 ip", "a", ["addr"]),
        ("vm1 sysctl", "net.ipv4.conf.eth0.rp", ["net.ipv4.conf.eth0.rp_filter"]),
        ("link", "h1:", ["h1:eth0"]),
        ("link h1:eth0", "d", ["down", "duplicate"]),
        ("link h1:eth0 loss 5%", "j", ["jitter"]),
        ("captures", "vm", ["vm1:eth0", "vm2:eth0"]),
        ("help", "tr", ["trace", "tracepath", "traceroute"]),
        ("h1 watch", "u", ["upcalls"]),
        ("nodes", "", []),
        ("nonsense more", "", []),
    ],
)
def test_completion(context: ShellContext, before: str, text: str, offered: list[str]) -> None:
    assert complete(context, before.split(), text) == offered


@pytest.mark.parametrize(
    ("before", "text", "offered"),
    [
        ("", "add-f", ["add-flow", "add-flows"]),
        ("", "fdb/sh", ["fdb/show"]),
        ("add-flow", "", ["br0", "h1:br0"]),
        ("h1", "dump-p", ["dump-ports", "dump-ports-desc"]),
        ("h1 dump-ports", "b", ["br0"]),
        ("ovs-ofctl", "mod-p", ["mod-port"]),
        ("ovs-ofctl mod-port", "h", ["h1:br0"]),
        ("h1 ovs-appctl fdb/show", "b", ["br0"]),
        ("watch upcalls", "b", ["br0"]),
    ],
)
def test_completion_of_open_vswitch(
    switch_context: ShellContext, before: str, text: str, offered: list[str]
) -> None:
    assert complete(switch_context, before.split(), text) == offered


def test_completion_of_a_wrong_line_is_empty_not_an_error(context: ShellContext) -> None:
    assert complete(context, ["vm9", "brctl", "show"], "") == []
    assert complete(context, ["on", "vm9", "brctl", "show"], "") == []


def test_node_commands_are_not_offered_first(context: ShellContext) -> None:
    offered = complete(context, [], "")
    assert not {c.name for c in COMMANDS if c.node is NodeUse.PREFIX} & set(offered)
