"""What ``ovs-vsctl show`` prints, against the real one where there is one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.ovs.databases import empty_database
from tests.ovs.private_ovs import IS_INSTALLED, private_ovs
from vnet.ovs.ovsdb.atoms import is_uuid
from vnet.ovs.vsctl.run import run_vsctl

SET_UP = (
    "add-br br0 -- set bridge br0 datapath_type=dummy fail_mode=secure",
    "add-port br0 vif1.0 tag=5 -- set interface vif1.0 type=dummy",
    "add-port br0 true trunks=3,1,2 -- set interface true type=dummy",
    "add-port br0 1st trunks=7 -- set interface 1st type=dummy",
    "add-port br0 p0 -- set interface p0 type=patch options:peer=p1",
    "add-br br1 -- set bridge br1 datapath_type=dummy",
    "add-port br1 p1 -- set interface p1 type=patch options:peer=p0",
    "add-port br1 vx-0 -- set interface vx-0 type=vxlan options:remote_ip=192.0.2.1 options:key=5",
    "add-bond br1 bond0 e1 e2 -- set interface e1 type=dummy -- set interface e2 type=dummy",
)


def shown(lines: list[str]) -> list[tuple[str, ...]]:
    """The ports with what stands below them, bridge by bridge, in an order of their own: the
    database keeps none."""
    blocks = re.split(r"\n(?=    Bridge |        Port )", "\n".join(lines))
    bridge, found = "", []
    for block in blocks[1:]:
        first, *rest = block.splitlines()
        if first.startswith("    Bridge"):
            bridge = first
        found.append((bridge, first, *sorted(rest)))
    return sorted(found)


def our_show(*command_lines: str) -> list[str]:
    view = empty_database()
    for line in command_lines:
        run_vsctl(view, line.split())
    return run_vsctl(view, ["show"]).output.splitlines()


@pytest.mark.ovs
@pytest.mark.skipif(not IS_INSTALLED, reason="Open vSwitch is not installed")
def test_every_bridge_port_and_interface_is_shown(tmp_path: Path) -> None:
    with private_ovs(tmp_path) as ovs:
        for line in SET_UP:
            ovs.vsctl(*line.split())
        real = [line for line in ovs.vsctl("show").splitlines() if "error:" not in line]
    assert shown(our_show(*SET_UP)) == shown(real)


def test_it_begins_with_the_name_of_the_database() -> None:
    (uuid,) = our_show("init")
    assert is_uuid(uuid)
    assert our_show(*SET_UP)[1].startswith("    Bridge br")
