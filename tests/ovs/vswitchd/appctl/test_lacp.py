"""Whose LACP a bridge speaks, against the real daemon."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.ovs.private_ovs import IS_INSTALLED
from tests.ovs.vswitchd.appctl.kit import OurDaemon, real_daemon


@pytest.mark.ovs
@pytest.mark.skipif(not IS_INSTALLED, reason="Open vSwitch is not installed")
def test_links_are_the_bridge_s_by_the_address_that_it_is_given(tmp_path: Path) -> None:
    ours = OurDaemon()
    ours.set_up()
    with real_daemon(tmp_path) as real:
        for line in (
            "set port p1 lacp=active -- set interface p1 other_config:lacp-port-id=7",
            "set bridge br0 other_config:hwaddr=aa:66:aa:66:00:00",
        ):
            ours.switch.vsctl(*line.split())
            real.vsctl(*line.split())
            shown, told = ours.ask("lacp/show p1")[0], real.appctl("lacp/show", "p1")[0]
            assert re.findall("sys_id.*", shown) == re.findall("sys_id.*", told)
