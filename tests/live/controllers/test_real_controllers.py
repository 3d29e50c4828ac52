"""Controllers that others have written drive a lab that is up: an app of os-ken, and Faucet."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from tests.live.controllers.controlled_lab import ControlledLab
from tests.live.controllers.programs import Faucet, OsKen, Program
from tests.live.processes import wait_until
from tests.ovs.private_ovs import IS_INSTALLED

pytestmark = [
    pytest.mark.ovs,
    pytest.mark.pypi,
    pytest.mark.slow,
    pytest.mark.skipif(not IS_INSTALLED, reason="Open vSwitch is not installed"),
]

OFCTL = ("ovs-ofctl", "-O", "OpenFlow13")


@contextmanager
def controlled(program: Program, fail_mode: str = "secure") -> Iterator[ControlledLab]:
    """A lab that is up, whose switches go to a program, be it there or not."""
    program.folder.chmod(0o700)
    lab = ControlledLab(program.folder, program.port, fail_mode=fail_mode)
    try:
        yield lab
    finally:
        lab.close()
        program.close()


def is_connected(lab: ControlledLab) -> bool:
    told = [
        lab.do(switch, "ovs-vsctl", "get", "controller", switch, "is_connected")
        for switch in ("sw1", "sw2")
    ]
    return told == ["true\n", "true\n"]


def matches(flows: str) -> set[str]:
    """What flows are for, and what they do, without what they count."""
    return {line[line.index("priority=") :] for line in flows.splitlines() if "priority=" in line}


def test_an_app_of_os_ken_drives_a_lab(tmp_path: Path) -> None:
    program = OsKen(tmp_path)
    program.start()
    with controlled(program) as lab:
        for source, target in (("h1", "h2"), ("h3", "h4"), ("h1", "h4")):
            wait_until(partial(lab.n_requests, source, target))
        wait_until(lambda: is_connected(lab))
        assert "actions=CONTROLLER:65535" in lab.flows("sw1")
        wait_until(lambda: lab.flows("sw2").count("priority=1,in_port=") >= 4)


def test_who_stands_secure_does_nothing_until_a_controller_comes(tmp_path: Path) -> None:
    program = OsKen(tmp_path)
    with controlled(program) as lab:
        assert lab.keep_silent("h1", "h2")
        program.start()
        lab.wait_until_they_talk(("h1", "h2"))


def test_a_controller_s_restart_is_survived(tmp_path: Path) -> None:
    program = OsKen(tmp_path)
    program.start()
    with controlled(program) as lab:
        lab.wait_until_they_talk(("h1", "h2"))
        flows = matches(lab.flows("sw1"))
        program.stop()
        wait_until(lambda: not is_connected(lab))
        assert flows <= matches(lab.flows("sw1")), "flows stay"
        lab.wait_until_they_talk(("h1", "h2"))  # They forward, too.
        program.start()
        wait_until(lambda: is_connected(lab))
        for port in ("in_port=1", "in_port=3"):
            lab.do("sw1", *OFCTL, "--no-names", "del-flows", "sw1", port)
        wait_until(lambda: "in_port=1" in lab.flows("sw1"))
        lab.wait_until_they_talk(("h1", "h2"))


def test_who_stands_alone_learns_by_itself_while_nobody_is_there(tmp_path: Path) -> None:
    program = OsKen(tmp_path)
    program.start()
    with controlled(program, "standalone") as lab:
        lab.wait_until_they_talk(("h1", "h2"))
        for switch in ("sw1", "sw2"):
            lab.do(switch, "ovs-vsctl", "set", "controller", switch, "inactivity_probe=1000")
        program.stop()
        for switch in ("sw1", "sw2"):
            wait_until(partial(lab.stands_alone, switch))
        lab.wait_until_they_talk(("h1", "h2"))
        program.start()
        wait_until(lambda: not lab.stands_alone("sw1"))
        lab.wait_until_they_talk(("h1", "h2"))


def test_faucet_keeps_two_vlans_apart_across_two_switches(tmp_path: Path) -> None:
    program = Faucet(tmp_path)
    program.start()
    with controlled(program) as lab:
        lab.wait_until_they_talk(("h1", "h2"), ("h3", "h4"))
        assert lab.n_requests("h1", "h4") == 0
        flows = lab.flows("sw1")
        assert "push_vlan:0x8100,set_field:4106->vlan_vid,goto_table:1" in flows
        program.stop()
        wait_until(lambda: not is_connected(lab))
        lab.wait_until_they_talk(("h1", "h2"))  # Flows stay.
        program.start()
        wait_until(lambda: is_connected(lab))
        lab.wait_until_they_talk(("h1", "h2"), ("h3", "h4"))
        assert lab.n_requests("h1", "h4") == 0
        assert (tmp_path / "faucet-exceptions.log").read_text() == ""
