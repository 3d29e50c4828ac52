"""A namespace of this machine, imported, is shown alike by its tools and by the lab's."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kernel.real import reason_to_skip
from tests.live.processes import wait_until
from vnet import Lab
from vnet.cli.main import main
from vnet.shell.app import run_shell

pytestmark = pytest.mark.kernel

HOST, EDGE = f"vnimp{os.getpid()}h", f"vnimp{os.getpid()}e"

SET_UP = """\
link set lo up
link add eth0 address 02:00:00:00:10:01 type veth peer name far0 netns EDGE
link add eth1 address 02:00:00:00:10:02 mtu 1400 type veth peer name far1 netns EDGE
link add br0 type bridge ageing_time 6000 priority 4096
link add vnet0 mtu 1400 type veth peer name g0 address 52:54:00:00:00:01 netns EDGE
link set vnet0 address fe:54:00:00:00:01
link add vnet1 mtu 1400 type veth peer name g1 address 52:54:00:00:00:02 netns EDGE
link set vnet1 address fe:54:00:00:00:02
link set eth1 addrgenmode none
link set br0 addrgenmode none
link set vnet0 addrgenmode none
link set vnet1 addrgenmode none
link set eth1 master br0
link set vnet0 master br0
link set vnet1 master br0
link set vnet1 type bridge_slave isolated on cost 77 learning off
link set eth0 up
link set eth1 up
link set vnet0 up
link set vnet1 up
link set br0 up
addr add 192.0.2.2/24 dev eth0
addr add 192.0.2.3/24 dev eth0
addr add 2001:db8::2/64 dev eth0
addr add 10.0.0.1/24 dev br0
route add default via 192.0.2.1
route add 10.9.0.0/16 via 192.0.2.7 metric 50 src 192.0.2.3
route add unreachable 10.8.0.0/16
route add 10.7.0.0/16 nexthop via 192.0.2.8 weight 2 nexthop via 10.0.0.9 weight 1
route add 10.6.0.0/16 dev br0 mtu 1300
route add default via 10.0.0.254 table 100
-6 route add 2001:db8:1::/48 via 2001:db8::1
rule add from 10.0.0.0/24 table 100 priority 1000
rule add fwmark 0x10/0xff iif br0 blackhole priority 1001
-6 rule add to 2001:db8:2::/48 table 200 priority 1002
neigh add 192.0.2.77 lladdr 02:00:00:00:99:99 dev eth0 nud permanent
"""

RULES = """\
*filter
:INPUT ACCEPT [7:700]
:FORWARD DROP [0:0]
:mine - [0:0]
-A FORWARD -i br0 -m comment --comment "no more: # than this" -j mine
-A mine -p tcp -m tcp --dport 80 -j ACCEPT
COMMIT
*nat
:POSTROUTING ACCEPT [0:0]
-A POSTROUTING -s 10.0.0.0/24 -o eth0 -j MASQUERADE
COMMIT
"""

VIEWS = [
    "iptables -S",
    "iptables -t nat -S",
    "ip addr",
    "ip route",
    "ip route show table 100",
    "ip -6 route",
    "ip rule",
    "ip -6 rule",
    "bridge link",
]


def ip(*words: str) -> str:
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=True)
    return done.stdout


def wait_for_addresses() -> None:
    """Until nobody else was found to have them, which takes a second or two."""

    def are_there() -> bool:
        shown = ip("-n", HOST, "addr")
        return "fe80" in shown and "tentative" not in shown

    wait_until(are_there)


@pytest.fixture(scope="module")
def namespace() -> Iterator[str]:
    if (reason := reason_to_skip()) is not None:
        pytest.skip(reason)
    try:
        for name in (HOST, EDGE):
            ip("netns", "add", name)
        for line in SET_UP.replace("EDGE", EDGE).splitlines():
            ip("-n", HOST, *line.split())
        for far in ("far0", "far1", "g0", "g1"):
            ip("-n", EDGE, "link", "set", far, "up")
        forward = "net.ipv4.ip_forward=1"
        subprocess.run(["ip", "netns", "exec", HOST, "sysctl", "-qw", forward], check=True)
        restore = ["ip", "netns", "exec", HOST, "iptables-restore"]
        subprocess.run(restore, input=RULES, text=True, check=True)
        wait_for_addresses()
        yield HOST
    finally:
        for name in (HOST, EDGE):
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)


def comparable(view: str) -> list[str]:
    """Lines without what a topology does not say: peers, queues, and who made a route."""
    shown = re.sub(r"@\S+(?=:)| link-netns\S* \S+|(?<=mtu \d{4}) qdisc \S+| proto static", "", view)
    return [line.rstrip() for line in shown.splitlines()]


@pytest.fixture(scope="module")
def topology(namespace: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("import") / "lab.yaml"
    with pytest.raises(SystemExit) as ended:
        main(["import-host", "--netns", namespace, "-o", str(path)])
    assert ended.value.code == 0
    return path


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_of_the_lab_is_the_machines(
    view: str, namespace: str, topology: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    real = ["ip", "netns", "exec", namespace, *view.split()]
    theirs = subprocess.run(real, capture_output=True, text=True, check=True).stdout
    capsys.readouterr()
    with Lab.load(topology) as lab:
        lab.run(40_000_000_000)
        run_shell(lab, [f"{namespace} {view}"])
    ours = capsys.readouterr().out
    assert comparable(ours) == comparable(theirs)
    assert comparable(ours) or "table" in view


def test_what_is_not_carried_over_is_in_the_file(topology: Path) -> None:
    text = topology.read_text()
    assert "#   - the permanent neighbour 192.0.2.77 lladdr 02:00:00:00:99:99" in text
    assert "net.ipv4.ip_forward: 1" in text
