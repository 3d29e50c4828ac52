"""What is answered, word for word, against the real daemon: a file of commands a subject."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.ovs.private_ovs import IS_INSTALLED, private_ovs
from tests.ovs.vswitchd.appctl.kit import OurDaemon, check_same, real_daemon
from tests.ovs.whole_switch import switch_with
from vnet.base.units import NS_PER_S

FOLDER = Path(__file__).parent / "asked"
WITHOUT_BRIDGE = FOLDER / "no-datapath.txt"
ASKED = [path for path in sorted(FOLDER.glob("*.txt")) if path != WITHOUT_BRIDGE]


ELSEWHERE = ("coverage/", "vlog/", "memory/", "exit ")
"""What every daemon has, whatever it does."""


def asked(path: Path) -> list[str]:
    lines = path.read_text().splitlines()
    return [line for line in lines if not line.startswith("#")]


@pytest.mark.ovs
@pytest.mark.skipif(not IS_INSTALLED, reason="Open vSwitch is not installed")
@pytest.mark.parametrize("path", ASKED, ids=lambda path: path.stem)
def test_answers_are_the_real_daemon_s(path: Path, tmp_path: Path) -> None:
    ours = OurDaemon()
    ours.set_up()
    with real_daemon(tmp_path) as real:
        check_same(ours, real, asked(path))


@pytest.mark.ovs
@pytest.mark.kernel
@pytest.mark.skipif(not IS_INSTALLED, reason="Open vSwitch is not installed")
@pytest.mark.skipif(os.geteuid() != 0, reason="devices need root")
def test_a_datapath_with_a_device_of_the_machine_comes_and_goes(tmp_path: Path) -> None:
    """Its name is the device's, which others may not have at the same time."""
    name = f"netdev@vn{os.getpid()}"
    with real_daemon(tmp_path) as real:
        check_same(OurDaemon(), real, (f"dpctl/{verb}-dp {name}" for verb in ("add", "add", "del")))


@pytest.mark.ovs
@pytest.mark.skipif(not IS_INSTALLED, reason="Open vSwitch is not installed")
def test_commands_are_listed_as_the_real_daemon_lists_them(tmp_path: Path) -> None:
    ours = OurDaemon()
    ours.set_up()
    with real_daemon(tmp_path) as real:
        out, _ = real.appctl("list-commands")
        shown, _ = real.appctl("dpctl/list-commands")
    listed = [line for line in out.splitlines() if not line.strip().startswith(ELSEWHERE)]
    assert ours.ask("list-commands")[0].splitlines() == listed
    assert ours.ask("dpctl/list-commands")[0] == shown.removesuffix("\n")


@pytest.mark.ovs
@pytest.mark.skipif(not IS_INSTALLED, reason="Open vSwitch is not installed")
def test_without_a_bridge_there_is_no_datapath(tmp_path: Path) -> None:
    lines = asked(WITHOUT_BRIDGE)
    with real_daemon(tmp_path) as real:
        real.vsctl("del-br", "br0")
        check_same(OurDaemon(), real, lines)


@pytest.mark.parametrize("command", ["dpctl/add-dp -m", "dpctl/add-flows -s", "dpctl/get-flow -m"])
def test_options_are_no_words_that_a_command_of_dpctl_could_do_with(command: str) -> None:
    ours = OurDaemon()
    ours.set_up()
    name = command.split()[0]
    assert ours.ask(command) == ("", f'"{name}" command requires at least 1 arguments')


@pytest.mark.ovs
@pytest.mark.skipif(not IS_INSTALLED, reason="Open vSwitch is not installed")
def test_a_command_comes_with_the_first_bridge_and_stays(tmp_path: Path) -> None:
    ours, name = OurDaemon(), "ofproto/list-tunnels"
    with private_ovs(tmp_path) as real:
        for words in ("show", "add-br br0 -- set bridge br0 datapath_type=dummy", "del-br br0"):
            ours.switch.vsctl(*words.split())
            real.vsctl(*words.split())
            check_same(ours, real, [name])
            is_listed = f"  {name} " in real.appctl("list-commands")[0]
            assert (f"  {name} " in ours.ask("list-commands")[0]) == is_listed


def test_a_flow_that_is_added_by_hand_stands_until_it_is_looked_at() -> None:
    """In Open vSwitch that is whenever the revalidator's half second is over."""
    switch = switch_with()
    switch.scheduler.run(10 * NS_PER_S)
    switch.appctl(["dpctl/add-flow", "in_port(77),eth(),eth_type(0x1234)", "2"])
    switch.scheduler.run(switch.scheduler.now_ns + NS_PER_S // 2 - 1)
    assert "in_port(77)" in switch.appctl(["dpctl/dump-flows"])
    switch.scheduler.run(switch.scheduler.now_ns + 1)
    assert "in_port(77)" not in switch.appctl(["dpctl/dump-flows"])
