"""Spanning trees of bridges: what they do to frames, what they say, and what can be set."""

from __future__ import annotations

import pytest

from tests.ovs.command_switch import Switch
from tests.ovs.whole_switch import frame_of
from vnet.base.ids import mac_from_text
from vnet.base.units import NS_PER_S
from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.ports import OfpPort
from vnet.ovs.ofproto.dump.ports import dump_ports, dump_ports_desc
from vnet.ovs.ofproto.spanning_tree.rstp_bridge import RstpBridge
from vnet.ovs.ofproto.spanning_tree.stp_bridge import StpBridge
from vnet.ovs.openflow.messages import PortConfig, PortMod
from vnet.wire import bpdu
from vnet.wire.bpdu import Bpdu, BpduType

FROM_A = frame_of("udp,dl_src=02:00:00:00:00:0a,dl_dst=02:00:00:00:00:0b")
FROM_B = frame_of("udp,dl_src=02:00:00:00:00:0b,dl_dst=02:00:00:00:00:0a")
BEST_ROOT = Bpdu(BpduType.CONFIG, 0, 1, 0, 1, 0x8001, 0, 5120, 512, 3840)


def bpdu_frame(said: Bpdu) -> bytes:
    return bpdu.frame(b"\x02\0\0\0\0\x63", bpdu.emit(said))


def bridge_with(n_ports: int, *settings: str, name: str = "br0", first: int = 1) -> Switch:
    switch = Switch()
    add_bridge(switch, n_ports, *settings, name=name, first=first)
    return switch


def add_bridge(
    switch: Switch, n_ports: int, *settings: str, name: str = "br0", first: int = 1
) -> None:
    mac = f"aa:55:aa:55:{first:02x}:00"
    switch.vsctl("add-br", name, "--", "set", "bridge", name, f"other-config:hwaddr={mac}")
    switch.vsctl("set", "bridge", name, "datapath_type=dummy")
    for number in range(first, first + n_ports):
        add_port(switch, number, name)
    if settings:
        switch.vsctl("set", "bridge", name, *settings)
    switch.settle()
    switch.take_sent()


def add_port(switch: Switch, number: int, bridge: str = "br0", *more: str) -> None:
    port = f"p{number}"
    words = ["add-port", bridge, port, "--", "set", "interface", port, "type=dummy"]
    switch.vsctl(*words, f"ofport_request={number}", *more)


def run_s(switch: Switch, seconds: int) -> None:
    switch.scheduler.run(switch.scheduler.now_ns + seconds * NS_PER_S)


def outputs(switch: Switch, port: str, frame: bytes) -> list[str]:
    switch.settle()
    switch.take_sent()
    switch.inject(port, frame)
    return sorted(name for name, _ in switch.take_sent())


def stations(switch: Switch) -> list[str]:
    return [entry.port.name for entry in switch.bridge().switching.mac_table]


def states(switch: Switch) -> list[str]:
    lines = "\n".join(dump_ports_desc(switch.bridge())).splitlines()
    return [line.split(":")[1].strip() for line in lines if "state:" in line]


# -- frames


def test_a_port_that_listens_lets_nothing_pass_and_learns_nothing() -> None:
    switch = bridge_with(2, "stp_enable=true")
    assert outputs(switch, "p1", FROM_A) == []
    assert stations(switch) == []
    assert states(switch) == ["0", "0", "0"]


def test_a_port_that_learns_lets_nothing_pass_either() -> None:
    switch = bridge_with(2, "stp_enable=true")
    run_s(switch, 15)
    assert states(switch) == ["STP_LEARN", "STP_LEARN", "0"]
    assert outputs(switch, "p1", FROM_A) == []
    assert stations(switch) == ["p1"]


def test_ports_forward_after_two_delays() -> None:
    switch = bridge_with(2, "stp_enable=true")
    run_s(switch, 30)
    assert states(switch) == ["STP_FORWARD", "STP_FORWARD", "0"]
    assert outputs(switch, "p1", FROM_A) == ["br0", "p2"]


def test_the_flow_of_a_port_that_blocks_again_is_translated_again() -> None:
    switch = bridge_with(2, "stp_enable=true")
    run_s(switch, 40)
    assert outputs(switch, "p1", FROM_A) == ["br0", "p2"]
    assert outputs(switch, "p1", FROM_A) == ["br0", "p2"]
    switch.inject("p2", bpdu_frame(BEST_ROOT))
    switch.inject("p1", bpdu_frame(BEST_ROOT._replace(root_path_cost=1)))
    run_s(switch, 1)
    assert outputs(switch, "p1", FROM_A) == []
    assert stations(switch) == [], "all are forgotten where a port learns no more"


def test_bpdus_end_at_a_bridge_that_has_a_tree_also_where_a_port_takes_no_part() -> None:
    switch = bridge_with(2, "stp_enable=true", "other_config:forward-bpdu=true")
    switch.vsctl("set", "port", "p1", "other_config:stp-enable=false")
    run_s(switch, 31)
    assert "p2" in outputs(switch, "p1", FROM_A)
    assert outputs(switch, "p1", bpdu_frame(BEST_ROOT)) == []
    tree = switch.bridge().spanning_tree
    assert isinstance(tree, StpBridge)
    assert tree.stp.is_root


def test_without_a_tree_normal_forwards_bpdus_only_if_it_is_to() -> None:
    switch = bridge_with(2)
    assert outputs(switch, "p1", bpdu_frame(BEST_ROOT)) == []
    switch.vsctl("set", "bridge", "br0", "other_config:forward-bpdu=true")
    assert outputs(switch, "p1", bpdu_frame(BEST_ROOT)) == ["br0", "p2"]


def test_all_goes_out_of_ports_that_block_and_flood_does_not() -> None:
    switch = bridge_with(3, "stp_enable=true")
    switch.vsctl("set", "port", "p1", "other_config:stp-enable=false")
    switch.ofctl(["mod-flows", "br0", "actions=all"])
    assert outputs(switch, "p1", FROM_A) == ["br0", "p2", "p3"]
    switch.ofctl(["mod-flows", "br0", "actions=flood"])
    assert outputs(switch, "p1", FROM_A) == ["br0"]


def test_floods_reach_a_new_port_once_it_forwards_and_an_internal_one_never() -> None:
    switch = bridge_with(2, "rstp_enable=true")
    run_s(switch, 4)
    add_port(switch, 3)
    switch.vsctl(*["add-port", "br0", "int0", "--", "set", "interface", "int0", "type=internal"])
    switch.settle()
    assert outputs(switch, "p1", FROM_A) == ["br0", "p2"]
    run_s(switch, 4)
    assert outputs(switch, "p1", FROM_A) == ["br0", "p2", "p3"]
    switch.ofctl(["mod-port", "br0", "int0", "no-flood"])
    assert outputs(switch, "p1", FROM_A) == ["br0", "p2", "p3"]


def test_without_the_tree_floods_reach_ports_again_once_they_are_told_to() -> None:
    switch = bridge_with(2, "rstp_enable=true")
    run_s(switch, 4)
    switch.vsctl("set", "bridge", "br0", "rstp_enable=false")
    assert outputs(switch, "p1", FROM_A) == ["br0"], "as in Open vSwitch"
    for config in (PortConfig.NO_FLOOD, PortConfig.NONE):
        switch.bridge().port_mod(PortMod(OfpPort(2), config, PortConfig.NO_FLOOD))
    run_s(switch, 1)
    assert outputs(switch, "p1", FROM_A) == ["br0", "p2"]


def test_what_a_bridge_says_comes_from_its_ports_and_counts_for_the_local_one() -> None:
    switch = bridge_with(1, "stp_enable=true")
    switch.devices["p1"].mac = mac_from_text("02:00:00:00:00:77")
    run_s(switch, 1)
    ((port, frame),) = switch.take_sent()
    assert (port, frame[6:12].hex(":")) == ("p1", "02:00:00:00:00:77")
    local = next(line for line in dump_ports(switch.bridge()) if "LOCAL" in line)
    assert "rx pkts=1, bytes=52" in local


def test_a_topology_change_makes_a_bridge_forget_stations_and_groups() -> None:
    switch = bridge_with(2, "stp_enable=true", "mcast_snooping_enable=true")
    run_s(switch, 60)
    switch.inject("p1", FROM_A)
    snooping = switch.bridge().switching.snooping
    assert snooping is not None
    bundle = switch.bridge().switching.bundles["p1"]
    snooping.table.join(bytes(16), 0, bundle, switch.scheduler.now_ns)
    assert stations(switch)
    assert switch.appctl(["stp/tcn", "br0"]) == "OK"
    switch.settle()
    assert (stations(switch), len(snooping.table)) == ([], 0)


def test_a_link_that_goes_down_takes_its_port_out_of_the_tree() -> None:
    switch = bridge_with(2, "stp_enable=true")
    run_s(switch, 31)
    switch.appctl(["netdev-dummy/set-admin-state", "p2", "down"])
    switch.settle()
    assert "p2" not in switch.appctl(["stp/show"])
    assert states(switch)[1] == "LINK_DOWN"
    switch.appctl(["netdev-dummy/set-admin-state", "p2", "up"])
    switch.settle()
    assert "p2         designated listening" in switch.appctl(["stp/show"])


# -- several bridges


@pytest.mark.parametrize(("protocol", "wait_s"), [("stp", 35), ("rstp", 10)])
def test_two_wires_between_two_bridges_carry_frames_once(protocol: str, wait_s: int) -> None:
    switch = bridge_with(3)
    add_bridge(switch, 3, name="br1", first=4)
    for port, other in (("p1", "p4"), ("p2", "p5")):
        switch.devices[port].join(switch.devices[other])
    for bridge in ("br0", "br1"):
        switch.vsctl("set", "bridge", bridge, f"{protocol}_enable=true")
    run_s(switch, wait_s)
    assert outputs(switch, "p3", FROM_A).count("p6") == 1
    assert outputs(switch, "p6", FROM_B).count("p3") == 1


def test_patch_ports_are_part_of_a_tree() -> None:
    switch = bridge_with(1)
    add_bridge(switch, 1, name="br1", first=2)
    for number in (1, 2):
        for bridge, port, peer in (("br0", "a", "b"), ("br1", "b", "a")):
            name = f"{port}{number}"
            words = f"add-port {bridge} {name} -- set interface {name} type=patch".split()
            switch.vsctl(*words, f"options:peer={peer}{number}")
    for bridge in ("br0", "br1"):
        switch.vsctl("set", "bridge", bridge, "rstp_enable=true")
    run_s(switch, 10)
    assert outputs(switch, "p1", FROM_A).count("p2") == 1


def test_stations_move_with_the_root_port() -> None:
    switch = bridge_with(3, "other_config:rstp-priority=0")
    add_bridge(switch, 3, name="br1", first=4)
    for port, other in (("p1", "p4"), ("p2", "p5")):
        switch.devices[port].join(switch.devices[other])
    for bridge in ("br0", "br1"):
        switch.vsctl("set", "bridge", bridge, "rstp_enable=true")
    run_s(switch, 10)
    switch.inject("p3", FROM_A)
    table = switch.bridge("br1").switching.mac_table
    (before,) = [entry.port.name for entry in table]
    switch.appctl(["netdev-dummy/set-admin-state", before, "down"])
    switch.settle()
    (after,) = [entry.port.name for entry in table]
    assert {before, after} == {"p4", "p5"}


# -- texts


STP_SHOWN = """\
---- br0 ----
Root ID:
  stp-priority  32768
  stp-system-id   aa:55:aa:55:01:00
  stp-hello-time  2s
  stp-max-age     20s
  stp-fwd-delay   15s
  This bridge is the root

Bridge ID:
  stp-priority  32768
  stp-system-id   aa:55:aa:55:01:00
  stp-hello-time  2s
  stp-max-age     20s
  stp-fwd-delay   15s

  Interface  Role       State      Cost  Pri.Nbr\x20
  ---------- ---------- ---------- ----- -------
  p2         designated listening  2     128.1
  p3         designated listening  2     128.2
  p1         designated listening  2     128.3
"""

RSTP_SHOWN = """\
---- br0 ----
Root ID:
  stp-priority    0
  stp-system-id   00:00:00:00:00:01
  stp-hello-time  2s
  stp-max-age     20s
  stp-fwd-delay   15s
  root-port       p1
  root-path-cost  2000

Bridge ID:
  stp-priority    4096
  stp-system-id   aa:55:aa:55:01:00
  stp-hello-time  2s
  stp-max-age     20s
  stp-fwd-delay   15s

  Interface  Role       State      Cost     Pri.Nbr\x20
  ---------- ---------- ---------- -------- -------
  p2         Designated Discarding 2000     128.1
  p1         Root       Forwarding 2000     128.2
"""


def test_stp_show() -> None:
    switch = bridge_with(3, "stp_enable=true")
    assert switch.appctl(["stp/show", "br0"]) == STP_SHOWN
    assert switch.appctl(["stp/show"]) == STP_SHOWN


def test_rstp_show_of_a_bridge_that_is_not_the_root() -> None:
    switch = bridge_with(2, "rstp_enable=true", "other_config:rstp-priority=5000")
    switch.inject("p1", bpdu_frame(BEST_ROOT))
    assert switch.appctl(["rstp/show", "br0"]) == RSTP_SHOWN


@pytest.mark.parametrize("command", ["show", "tcn"])
def test_a_bridge_without_a_tree_is_no_object(command: str) -> None:
    switch = bridge_with(1)
    for protocol, sentence in (("stp", "no such stp object"), ("rstp", "No such RSTP object")):
        with pytest.raises(OvsTextError, match=sentence):
            switch.appctl([f"{protocol}/{command}", "br0"])
        assert switch.appctl([f"{protocol}/{command}"]) == ("" if command == "show" else "OK")


# -- settings


def members_of(switch: Switch) -> list[str]:
    tree = switch.bridge().spanning_tree
    assert tree is not None
    return [line.split()[0] for line in tree.show() if line.startswith("  p")]


def test_rstp_goes_before_stp() -> None:
    switch = bridge_with(1, "stp_enable=true", "rstp_enable=true")
    assert isinstance(switch.bridge().spanning_tree, RstpBridge)
    switch.vsctl("set", "bridge", "br0", "rstp_enable=false")
    assert isinstance(switch.bridge().spanning_tree, StpBridge)


@pytest.mark.parametrize("protocol", ["stp", "rstp"])
def test_bonds_and_mirror_outputs_take_no_part(protocol: str) -> None:
    switch = bridge_with(3, f"{protocol}_enable=true")
    assert sorted(members_of(switch)) == ["p1", "p2", "p3"]
    switch.vsctl(
        *[
            "--",
            "--id=@p3",
            "get",
            "port",
            "p3",
            "--",
            "--id=@p1",
            "get",
            "port",
            "p1",
            "--",
            "--id=@m",
            "create",
            "mirror",
            "name=m",
        ],
        *["select_src_port=@p1", "output_port=@p3", "--", "add", "bridge", "br0", "mirrors", "@m"],
    )
    switch.vsctl(
        *["add-bond", "br0", "bond0", "p8", "p9", "--", "set", "interface", "p8", "type=dummy"]
    )
    assert sorted(members_of(switch)) == ["p1", "p2"]


def test_numbers_of_stp_ports_are_set_on_all_or_on_none() -> None:
    switch = bridge_with(2, "stp_enable=true")
    switch.vsctl(*["set", "port", "p1", "other_config:stp-port-num=0x10"])
    assert switch.bridge().spanning_tree is None
    switch.vsctl(*["set", "port", "p2", "other_config:stp-port-num=7"])
    assert switch.appctl(["stp/show"]).splitlines()[-2:] == [
        "  p2         designated listening  2     128.7",
        "  p1         designated listening  2     128.16",
    ]
    switch.vsctl(*["set", "port", "p1", "other_config:stp-port-num=7"])
    assert len(members_of(switch)) == 1, "a number is given once"


def test_times_of_stp_are_kept_to_what_fits() -> None:
    switch = bridge_with(
        *(1, "stp_enable=true", "other_config:stp-max-age=100", "other_config:stp-forward-delay=4"),
        "other_config:stp-hello-time=3",
    )
    shown = switch.appctl(["stp/show"])
    # A hundred seconds are more than 16 bits of milliseconds; the hello time is in those.
    assert "stp-max-age     34s" in shown
    assert "stp-fwd-delay   18s" in shown
    assert "stp-hello-time  1s" in shown


def test_an_address_that_is_none_leaves_the_bridge_its_own() -> None:
    switch = bridge_with(1, "stp_enable=true", "other_config:stp-system-id=nonsense")
    assert "aa:55:aa:55:01:00" in switch.appctl(["stp/show"])
    switch.vsctl(*["set", "bridge", "br0", "other_config:stp-system-id=00:00:00:00:00:09"])
    assert "00:00:00:00:00:09" in switch.appctl(["stp/show"])


def test_a_port_that_no_longer_takes_part_forwards_at_once() -> None:
    switch = bridge_with(2, "stp_enable=true")
    for port in ("p1", "p2"):
        switch.vsctl("set", "port", port, "other_config:stp-enable=FALSE")
    assert outputs(switch, "p1", FROM_A) == ["br0", "p2"]
