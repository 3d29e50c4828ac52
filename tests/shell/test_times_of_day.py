"""One clock: whatever shows a time of day in a lab shows the file's epoch and the time since."""

from __future__ import annotations

import pytest

from tests.shell.conftest import Shell
from vnet.lab.lab import Lab

FILE = """
version: 1
epoch: '2025-03-09T23:59:50Z'
hosts: {h1: {mode: nat, nics: {eth0: {ip: 203.0.113.1/24}}}}
vms: {vm1: {host: h1, vnics: [{}]}}
"""


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("h1 iptables-save -t nat", "on Mon Mar 10 00:00:10 2025"),
        ("h1 ip6tables-save -t nat", "on Mon Mar 10 00:00:10 2025"),
        ("h1 virsh net-dhcp-leases default", " 2025-03-10 00:59:"),
        ("vm1 dig vm1", ";; WHEN: Mon Mar 10 00:00:10 UTC 2025"),
        ("h1 dmesg -T", "[Sun Mar  9 23:59:50 2025] "),
        ("h1 dmesg", "[    0.000000] "),
    ],
)
def test_all_clocks_agree(shell: Shell, command: str, said: str) -> None:
    with Lab.from_text(FILE) as lab:
        ran = shell(lab, "run 20s", command)
        assert said in ran.out, ran.out
