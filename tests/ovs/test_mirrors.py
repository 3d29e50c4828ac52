"""Mirrors that change, or whose ports do, while frames pass."""

from __future__ import annotations

from benchmarks.dummy_switch import BRIDGE
from tests.ovs.command_switch import Switch
from tests.ovs.whole_switch import frame_of, outputs, switch_with
from vnet.ovs.ofproto.dump.mirrors import mirror_statistics

FRAME = frame_of("udp,dl_src=02:00:00:00:00:01,dl_dst=02:00:00:00:00:02")


def mirrored(*columns: str, name: str = "m") -> Switch:
    """A learning switch, a mirror of which copies to ``p4`` unless ``columns`` say more."""
    switch = switch_with(["actions=NORMAL"])
    add_mirror(switch, *columns, name=name)
    return switch


def add_mirror(switch: Switch, *columns: str, name: str = "m") -> None:
    ports = ("p1", "p2", "p3", "p4")
    finding = [word for port in ports for word in ("--", f"--id=@{port}", "get", "port", port)]
    creating = ("--", "--id=@m", "create", "mirror", f"name={name}", "output_port=@p4", *columns)
    switch.vsctl(*finding, *creating, "--", "add", "bridge", BRIDGE, "mirrors", "@m")


def statistics(switch: Switch, name: str = "m") -> dict[str, int]:
    return dict(mirror_statistics(switch.bridge(), name))


def test_copies_are_counted_whole_though_they_are_cut() -> None:
    switch = mirrored("select_src_port=@p1", "snaplen=20")
    switch.inject("p1", FRAME)
    switch.inject("p2", FRAME)
    assert [len(frame) for name, frame in switch.take_sent() if name == "p4"] == [20]
    assert statistics(switch) == {"tx_bytes": len(FRAME), "tx_packets": 1}


def test_statistics_survive_a_change_and_not_another_mirror_of_the_name() -> None:
    switch = mirrored("select_src_port=@p1")
    switch.inject("p1", FRAME)
    switch.vsctl("set", "mirror", "m", "select_all=true", "name=other")
    assert statistics(switch, "other")["tx_packets"] == 1
    switch.vsctl("clear", "bridge", BRIDGE, "mirrors")
    add_mirror(switch, "select_src_port=@p1", name="other")
    assert statistics(switch, "other")["tx_packets"] == 0


def test_a_mirror_without_an_output_has_no_statistics() -> None:
    switch = mirrored("select_src_port=@p1")
    switch.inject("p1", FRAME)
    switch.vsctl("clear", "mirror", "m", "output_port")
    assert statistics(switch) == {}


def test_a_mirror_whose_output_port_goes_begins_anew_in_its_vlan() -> None:
    switch = mirrored("select_src_port=@p1", "output_vlan=7")
    switch.inject("p1", FRAME)
    switch.vsctl("del-port", "p4")
    assert statistics(switch) == {"tx_bytes": 0, "tx_packets": 0}


def test_every_station_is_learned_anew_when_a_selected_port_goes() -> None:
    switch = mirrored("select_dst_port=@p3")
    switch.inject("p2", frame_of("udp,dl_src=02:00:00:00:00:02"))
    switch.take_sent()
    assert outputs(switch, "p1", FRAME) == ["p2"]
    switch.vsctl("del-port", "p3")
    assert sorted(outputs(switch, "p1", FRAME)) == [BRIDGE, "p2"]


def test_two_mirrors_of_one_output_copy_a_frame_once() -> None:
    switch = mirrored("select_src_port=@p1")
    add_mirror(switch, "select_src_port=@p1", name="twin")
    assert outputs(switch, "p1", FRAME).count("p4") == 1
    assert (statistics(switch)["tx_packets"], statistics(switch, "twin")["tx_packets"]) == (1, 0)
