"""What ovs-appctl prints, word for word, against the real daemon where there is one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.ovs.command_switch import Switch
from tests.ovs.private_ovs import IS_INSTALLED, PrivateOvs, private_ovs
from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.vswitchd.appctl.table import appctl

PATCHES = "type=patch options:peer="
SET_UP = (
    "--may-exist add-br br0 -- set bridge br0 datapath_type=dummy -- add-port br0 p1 -- "
    f"set interface p1 type=dummy -- add-port br0 pa -- set interface pa {PATCHES}pb",
    "add-br br1 -- set bridge br1 datapath_type=dummy -- add-port br1 pb -- "
    f"set interface pb {PATCHES}pa",
)
ONE_WAY = ("mod-flows", "br0", "actions=pa")
"""No flooding to several ports, which Open vSwitch does in another order every time."""
FRAME = (
    "in_port(1),eth(src=50:54:00:00:00:09,dst=50:54:00:00:00:0a),eth_type(0x0800),"
    "ipv4(src=10.0.0.2,dst=10.0.0.1,proto=1,tos=0,ttl=64,frag=no),icmp(type=8,code=0)"
)

ASKED = [
    "dpctl/show",
    "dpctl/show dummy@ovs-dummy",
    "dpif/show",
    "dpctl/dump-flows",
    "dpctl/dump-flows --names",
    "dpctl/dump-flows --names some thing",
    "dpif/dump-flows br0",
    "dpif/dump-flows --names br0",
    "dpif/dump-flows br1",
    "dpctl/dump-conntrack",
    "dpctl/dump-conntrack zone=5",
    "dpctl/flush-conntrack",
    "dpctl/flush-conntrack zone=5",
    "fdb/show br0",
    "fdb/show br1",
    "fdb/stats-show br1",
    "ofproto/list",
    "ofproto/trace br0 in_port=p1",
    "fdb/flush br0",
    "fdb/show br1",
    "fdb/flush",
    "fdb/stats-show br1",
    # What is refused.
    "bogus",
    "fdb/show",
    "fdb/show br0 br1",
    "fdb/show br2",
    "fdb/flush br2",
    "fdb/stats-show br2",
    "bridge/dump-flows br2",
    "dpif/dump-flows br2",
    "dpctl/dump-flows nowhere",
    "dpctl/dump-flows -x",
    "dpctl/dump-flows --else",
    "dpctl/dump-conntrack nowhere",
    "dpctl/show nowhere",
    "ofproto/trace",
    "ofproto/trace br2 in_port=1",
    "ofproto/trace-packet-out br0",
]


@pytest.fixture
def ours() -> Switch:
    switch = Switch()
    for line in SET_UP:
        switch.run(["ovs-vsctl", *line.split()])
    switch.run(["ovs-ofctl", *ONE_WAY])
    switch.run(["ovs-appctl", "netdev-dummy/receive", "p1", FRAME])
    return switch


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateOvs]:
    with private_ovs(tmp_path_factory.mktemp("ovs")) as ovs:
        ovs.appctl("time/stop")
        for line in SET_UP:
            ovs.vsctl(*line.split())
        ovs.ofctl(*ONE_WAY)
        ovs.appctl("netdev-dummy/receive", "p1", FRAME)
        yield ovs


def answer(switch: Switch, line: str) -> tuple[str, str]:
    """What is printed, and what is wrong."""
    name, *words = line.split()
    try:
        text = appctl(switch.vswitchd, name, words)
    except OvsTextError as error:
        return "", error.what
    return text, ""


@pytest.mark.ovs
@pytest.mark.skipif(not IS_INSTALLED, reason="Open vSwitch is not installed")
def test_answers_are_the_real_daemon_s(ours: Switch, real: PrivateOvs) -> None:
    for line in ASKED:
        out, error = real.appctl(*line.split())
        assert answer(ours, line) == (out.removesuffix("\n"), error.removesuffix("\n")), line


def test_flows_in_full_have_a_name(ours: Switch) -> None:
    text, _ = answer(ours, "dpctl/dump-flows -m")
    heading, flow = text.split("\n")
    assert heading == "flow-dump from the main thread:"
    assert flow.startswith("ufid:")
    assert "in_port(p1)" in flow
    assert flow.endswith("used:never, dp:ovs, actions:br1, dp-extra-info:miniflow_bits(5,1)")
    of_bridge, _ = answer(ours, "dpif/dump-flows -m br0")
    shown = flow.partition(", dp-extra-info")[0]
    assert of_bridge == shown.replace(", skb", " skb", 1).replace(", dp:ovs", "")


def test_an_idle_datapath_prints_no_heading() -> None:
    switch = Switch()
    switch.add_bridge(1)
    assert answer(switch, "dpctl/dump-flows") == ("", "")


def test_hidden_flows_are_the_bridge_s_own(ours: Switch) -> None:
    lines = answer(ours, "bridge/dump-flows br0")[0].split("\n")
    assert lines[0].endswith("n_packets=1, n_bytes=106, priority=0,actions=output:1")
    assert lines[1].startswith("table_id=254, ")


def test_a_packet_may_have_thousands_of_digits_and_no_letter(ours: Switch) -> None:
    device = ours.dummies.get("p1")
    assert device is not None
    ours.run(["ovs-vsctl", "set", "interface", "p1", "mtu_request=9000"])
    before = device.rx_bytes
    frame = bytes.fromhex("0200000000010200000000020800") + bytes(3000)
    ours.run(["ovs-appctl", "netdev-dummy/receive", "p1", frame.hex()])
    assert device.rx_bytes - before == len(frame)
    with pytest.raises(OvsTextError, match="bad rx queue id"):
        ours.run(["ovs-appctl", "netdev-dummy/receive", "p1", "--qid", "9" * 5000, frame.hex()])
