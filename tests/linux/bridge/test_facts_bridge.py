"""What a Linux bridge does that an emulator easily gets wrong, one fact a test."""

from __future__ import annotations

import pytest
from scapy.layers.l2 import Ether

from tests.linux.kit import BROADCAST, MS, Lab, Notes, S, drops, host_mac, probe_mac
from vnet.base.errors import UsageError
from vnet.base.ids import mac_from_text
from vnet.linux.bridge.bridge import Bridge
from vnet.linux.bridge.port import (
    BAD_SOURCE_MAC,
    ISOLATED,
    NO_PORT,
    PORT_MTU,
    PORT_NOT_FORWARDING,
    SAME_PORT,
    BridgePort,
    PortState,
)
from vnet.linux.bridge.reserved import PAUSE_FRAME, RESERVED_ADDRESS
from vnet.linux.netns.namespace import Namespace
from vnet.sim.frame import Frame
from vnet.tables.fdb import FdbKind


class Table:
    """A bridge of three ports; port N's device is 02:…:N and a probe 0a:…:N hangs on it."""

    def __init__(self) -> None:
        self.lab = Lab()
        self.machine: Namespace = self.lab.machine("br")
        self.bridge: Bridge = self.machine.add_bridge("br0")
        self.probes = [self.lab.probe(self.machine, f"p{n}", n) for n in (1, 2, 3)]
        for number in (1, 2, 3):
            self.machine.enslave(f"p{number}", "br0")
        self.machine.set_up("br0")
        self.up: list[bytes] = []
        self.bridge.device.rx_handler = lambda frame: self.up.append(frame.data)

    def port(self, number: int) -> BridgePort:
        return self.bridge.ports[number - 1]

    def send(self, number: int, target: str, source: str = "", payload: bytes = b"x" * 46) -> None:
        source = source or probe_mac(number)
        self.probes[number - 1].send(Ether(src=source, dst=target, type=0x88B5) / payload)

    def reached(self) -> set[int | str]:
        """Who got the last frame: port numbers, and "up" for the host. Forgets it."""
        who: set[int | str] = {n for n, p in enumerate(self.probes, 1) if p.heard}
        who |= {"up"} if self.up else set()
        self.up.clear()
        for probe in self.probes:
            probe.forget()
        return who

    def knows(self, mac: str) -> int | None:
        """The port a MAC was learned on."""
        for entry in self.bridge.entries():
            if entry.mac == mac_from_text(mac) and entry.kind is FdbKind.DYNAMIC:
                return entry.port.number
        return None

    def dropped(self, number: int) -> dict[str, int]:
        return drops(self.probes[number - 1].device.peer)


@pytest.fixture
def table() -> Table:
    return Table()


def test_an_unknown_station_is_flooded_to_all_other_ports_and_not_up(table: Table) -> None:
    table.send(1, probe_mac(9))
    assert table.reached() == {2, 3}


def test_a_broadcast_also_goes_up(table: Table) -> None:
    table.send(1, BROADCAST)
    assert table.reached() == {2, 3, "up"}


def test_a_learned_station_gets_its_frames_alone(table: Table) -> None:
    table.send(2, BROADCAST)
    table.reached()
    table.send(1, probe_mac(2))
    assert table.reached() == {2}


def test_a_station_that_moves_is_learned_anew(table: Table) -> None:
    table.send(2, BROADCAST)
    table.send(3, BROADCAST, source=probe_mac(2))
    table.reached()
    table.send(1, probe_mac(2))
    assert table.reached() == {3}


def test_frames_are_not_padded(table: Table) -> None:
    table.send(1, probe_mac(2), payload=b"short!")
    assert [len(data) for _, data in table.probes[1].heard] == [20]


def test_a_frame_to_any_ports_mac_goes_to_the_bridge_itself(table: Table) -> None:
    for number in (1, 2, 3):
        table.send(1, host_mac(number))
        assert table.reached() == {"up"}


def test_a_frame_to_a_mac_given_to_the_bridge_goes_to_the_bridge_itself(table: Table) -> None:
    table.machine.set_mac("br0", mac_from_text("0e:00:00:00:00:01"))
    table.send(1, "0e:00:00:00:00:01")
    assert table.reached() == {"up"}


@pytest.mark.parametrize("source", ["03:00:00:00:00:77", "00:00:00:00:00:00"])
def test_a_multicast_or_zero_source_is_dropped(table: Table, source: str) -> None:
    table.send(1, BROADCAST, source=source)
    assert table.reached() == set()
    assert table.dropped(1) == {BAD_SOURCE_MAC.word: 1}
    assert table.knows(source) is None


def test_a_ports_own_mac_as_source_is_flooded_but_not_learned(table: Table) -> None:
    table.send(2, BROADCAST, source=host_mac(1))
    assert table.reached() == {1, 3, "up"}
    assert table.knows(host_mac(1)) is None


def test_a_ports_own_mac_as_source_is_logged_at_most_ten_times_in_five_seconds(
    table: Table,
) -> None:
    def logged() -> list[str]:
        return [text for _, text in table.bridge.log if "own address" in text or "limit" in text]

    for _ in range(12):
        table.send(2, BROADCAST, source=host_mac(1))
    warning = (
        "br0: received packet on p2 with own address as source address "
        f"(addr:{host_mac(1)}, vlan:0)"
    )
    assert logged() == [warning] * 10
    table.lab.run(6 * S)
    table.send(2, BROADCAST, source=host_mac(1))
    assert logged()[10:] == ["net_ratelimit: 2 callbacks suppressed", warning]


def test_the_bridge_takes_the_lowest_mac_and_mtu_of_its_ports(table: Table) -> None:
    table.machine.set_mtu("p2", 1400)
    assert table.bridge.device.mac == mac_from_text(host_mac(1))
    assert table.bridge.device.mtu_bytes == 1400


# -- reserved addresses


def test_the_stp_address_is_forwarded_when_stp_is_off(table: Table) -> None:
    table.send(1, "01:80:c2:00:00:00")
    assert table.reached() == {2, 3, "up"}
    assert table.knows(probe_mac(1)) == 1


def test_the_pause_address_is_dropped_and_not_learned(table: Table) -> None:
    table.send(1, "01:80:c2:00:00:01")
    assert table.reached() == set()
    assert table.knows(probe_mac(1)) is None
    assert table.dropped(1) == {PAUSE_FRAME.word: 1}


def test_a_pause_frame_does_not_keep_a_station_known(table: Table) -> None:
    table.send(1, BROADCAST)
    table.lab.run(S)
    table.send(1, "01:80:c2:00:00:01")
    assert table.bridge.fdb.entries[mac_from_text(probe_mac(1))].updated_ns == 0


@pytest.mark.parametrize("last", range(0x02, 0x10))
def test_the_other_reserved_addresses_are_learned_from_but_not_forwarded(
    table: Table, last: int
) -> None:
    table.send(1, f"01:80:c2:00:00:{last:02x}")
    assert table.reached() == set()
    assert table.knows(probe_mac(1)) == 1
    assert table.dropped(1) == {RESERVED_ADDRESS.word: 1}


@pytest.mark.parametrize("last", [0x10, 0x21, 0xFF])
def test_what_follows_the_reserved_block_is_flooded(table: Table, last: int) -> None:
    table.send(1, f"01:80:c2:00:00:{last:02x}")
    assert table.reached() == {2, 3, "up"}


def test_group_fwd_mask_lets_lldp_through_but_never_a_pause_frame(table: Table) -> None:
    table.bridge.set_group_fwd_mask(0x4000)
    table.send(1, "01:80:c2:00:00:0e")
    assert table.reached() == {2, 3, "up"}
    table.send(1, "01:80:c2:00:00:01")
    table.send(1, "01:80:c2:00:00:02")
    assert table.reached() == set()


@pytest.mark.parametrize("mask", [1, 2, 4, 0xFFFF, 0x10000])
def test_group_fwd_mask_cannot_let_stp_pause_or_lacp_frames_through(
    table: Table, mask: int
) -> None:
    with pytest.raises(UsageError, match="RTNETLINK answers: Invalid argument"):
        table.bridge.set_group_fwd_mask(mask)
    assert table.bridge.group_fwd_mask == 0


def test_a_ports_own_group_fwd_mask_may_let_lacp_through_but_no_pause_frame(table: Table) -> None:
    table.port(1).set_group_fwd_mask(0x0004)
    table.send(1, "01:80:c2:00:00:02")
    assert table.reached() == {2, 3, "up"}
    table.send(2, "01:80:c2:00:00:02")
    assert table.reached() == set()
    with pytest.raises(UsageError, match="RTNETLINK answers: Invalid argument"):
        table.port(1).set_group_fwd_mask(0x0002)


# -- mtu


def test_a_frame_over_the_ports_mtu_is_dropped_silently(table: Table) -> None:
    table.send(2, BROADCAST)
    table.machine.set_mtu("p2", 1400)
    table.reached()
    table.send(1, probe_mac(2), payload=bytes(1405))
    assert table.reached() == set()
    assert table.dropped(2) == {PORT_MTU.word: 1}


def test_a_frame_without_a_tag_may_fill_the_room_that_is_kept_for_one(table: Table) -> None:
    table.send(2, BROADCAST)
    table.machine.set_mtu("p2", 1400)
    table.reached()
    table.send(1, probe_mac(2), payload=bytes(1404))
    assert table.reached() == {2}


def test_one_vlan_tag_rides_outside_the_mtu(table: Table) -> None:
    tag = bytes.fromhex("8100000a")
    head = mac_from_text(probe_mac(9)) + mac_from_text(probe_mac(1))
    table.probes[0].send(head + tag + b"\x88\xb5" + bytes(1504))
    assert table.reached() == {2, 3}
    table.probes[0].send(head + tag + b"\x88\xb5" + bytes(1505))
    assert table.reached() == set()


# -- ageing


def test_an_entry_of_five_seconds_goes_at_five_seconds_and_a_little(table: Table) -> None:
    table.send(1, BROADCAST)
    table.bridge.set_ageing(5 * S)
    table.lab.run(4_999 * MS)
    assert table.knows(probe_mac(1)) == 1
    table.lab.run(151 * MS)
    assert table.knows(probe_mac(1)) is None


def test_a_station_that_speaks_does_not_age(table: Table) -> None:
    table.bridge.set_ageing(5 * S)
    for _ in range(4):
        table.send(1, BROADCAST)
        table.lab.run(4 * S)
    assert table.knows(probe_mac(1)) == 1


def test_by_default_a_silent_station_is_forgotten_after_five_minutes(table: Table) -> None:
    """The sweep is as late as the kernel's timers are for five minutes, by up to 16.4 s."""
    table.send(2, BROADCAST)
    table.lab.run(299 * S)
    table.reached()
    table.send(1, probe_mac(2))
    assert table.reached() == {2}
    table.lab.run(18 * S)
    table.send(1, probe_mac(2))
    assert table.reached() == {2, 3}


def test_a_port_that_goes_down_forgets_its_stations(table: Table) -> None:
    table.send(2, BROADCAST)
    table.machine.set_down("p2")
    assert table.knows(probe_mac(2)) is None
    assert table.port(2).state is PortState.DISABLED


def test_a_port_whose_cable_is_pulled_forgets_its_stations(table: Table) -> None:
    table.send(2, BROADCAST)
    table.probes[1].device.set_admin(False)
    assert table.knows(probe_mac(2)) is None
    table.probes[1].device.set_admin(True)
    assert table.port(2).state is PortState.FORWARDING


# -- flags


def test_without_hairpin_a_frame_does_not_go_back(table: Table) -> None:
    table.send(1, BROADCAST, source=probe_mac(9))
    table.reached()
    table.send(1, probe_mac(9))
    assert table.reached() == set()
    assert table.dropped(1) == {SAME_PORT.word: 1}


def test_hairpin_reflects_unicast_and_broadcast(table: Table) -> None:
    table.port(1).hairpin = True
    table.send(1, BROADCAST, source=probe_mac(9))
    assert table.reached() == {1, 2, 3, "up"}
    table.send(1, probe_mac(9))
    assert table.reached() == {1}


def test_isolated_ports_talk_to_the_others_only(table: Table) -> None:
    table.send(2, BROADCAST)
    table.port(1).isolated = table.port(2).isolated = True
    table.reached()
    table.send(1, probe_mac(2))
    assert table.reached() == set()
    assert table.dropped(2) == {ISOLATED.word: 1}
    table.send(1, BROADCAST)
    assert table.reached() == {3, "up"}


@pytest.mark.parametrize(
    ("flag", "target"),
    [
        ("unicast_flood", probe_mac(9)),
        ("multicast_flood", "01:00:5e:01:01:01"),
        ("broadcast_flood", BROADCAST),
    ],
)
def test_a_flood_flag_that_is_off_spares_the_port(table: Table, flag: str, target: str) -> None:
    setattr(table.port(3), flag, False)
    table.send(1, target)
    assert table.reached() - {"up"} == {2}


def test_a_port_that_does_not_learn_floods_on(table: Table) -> None:
    table.port(2).learning = False
    table.send(2, BROADCAST)
    table.reached()
    table.send(1, probe_mac(2))
    assert table.reached() == {2, 3}


# -- states


@pytest.mark.parametrize("state", [PortState.BLOCKING, PortState.LISTENING, PortState.LEARNING])
def test_a_port_that_does_not_forward_neither_sends_nor_receives(
    table: Table, state: PortState
) -> None:
    table.port(2).set_state(state)
    table.send(2, BROADCAST)
    assert table.reached() == set()
    assert table.dropped(2) == {PORT_NOT_FORWARDING.word: 1}
    assert table.knows(probe_mac(2)) == (2 if state is PortState.LEARNING else None)
    table.send(1, BROADCAST)
    assert table.reached() == {3, "up"}


def test_nothing_crosses_a_bridge_that_is_down(table: Table) -> None:
    table.machine.set_down("br0")
    assert {port.state for port in table.bridge.ports} == {PortState.DISABLED}
    table.send(1, BROADCAST)
    assert table.reached() == set()
    table.machine.set_up("br0")
    table.send(1, BROADCAST)
    assert table.reached() == {2, 3, "up"}


def test_a_bridge_has_a_carrier_while_a_port_forwards(table: Table) -> None:
    assert table.bridge.device.carrier
    for number in (1, 2, 3):
        table.machine.set_down(f"p{number}")
    assert not table.bridge.device.carrier


def test_a_flood_that_reaches_nobody_is_named(table: Table) -> None:
    table.machine.release("p2")
    table.machine.release("p3")
    table.send(1, probe_mac(9))
    assert table.dropped(1) == {NO_PORT.word: 1}


def test_a_released_port_gets_its_own_stack_back(table: Table) -> None:
    table.machine.release("p2")
    table.send(1, BROADCAST)
    assert table.reached() == {3, "up"}
    assert table.bridge.port_of(table.machine.interface("p2").device) is None


@pytest.mark.parametrize(("sticky", "port"), [(False, 3), (True, 2)])
def test_static_entries_do_not_age_and_only_sticky_ones_stay_when_the_station_moves(
    table: Table, sticky: bool, port: int
) -> None:
    mac = mac_from_text(probe_mac(2))
    entry = table.bridge.fdb.add(mac, table.port(2), FdbKind.STATIC, 0)
    entry.sticky = sticky
    table.lab.run(400 * S)
    table.send(3, BROADCAST, source=probe_mac(2))
    table.lab.run(400 * S)
    table.reached()
    table.send(1, probe_mac(2))
    assert table.reached() == {port}


def test_the_host_sends_through_what_the_bridge_has_learned(table: Table) -> None:
    table.send(2, BROADCAST)
    table.reached()

    def own(target: str) -> set[int | str]:
        data = mac_from_text(target) + table.bridge.device.mac + b"\x88\xb5own"
        table.bridge.device.transmit(Frame(data))
        table.lab.run(0)
        return table.reached()

    assert own(probe_mac(2)) == {2}
    assert own(probe_mac(9)) == {1, 2, 3}
    assert own(BROADCAST) == {1, 2, 3}


def test_what_the_host_sends_to_a_ports_own_address_leaves_by_that_port(table: Table) -> None:
    data = mac_from_text(host_mac(2)) + table.bridge.device.mac + b"\x88\xb5own"
    table.bridge.device.transmit(Frame(data))
    table.lab.run(0)
    assert table.reached() == {2}


def test_the_hosts_own_broadcasts_obey_no_flood_flag(table: Table) -> None:
    table.port(2).broadcast_flood = table.port(2).multicast_flood = False
    table.port(2).unicast_flood = False
    for target, ports in (
        (BROADCAST, {1, 2, 3}),
        ("01:00:5e:00:00:fb", {1, 2, 3}),
        (probe_mac(9), {1, 3}),
    ):
        data = mac_from_text(target) + table.bridge.device.mac + b"\x88\xb5own"
        table.bridge.device.transmit(Frame(data))
        table.lab.run(0)
        assert table.reached() == ports, target


def test_a_new_lowest_mac_becomes_the_bridges_until_the_user_gives_one(table: Table) -> None:
    table.machine.set_mac("p3", mac_from_text("00:00:00:00:00:09"))
    assert table.bridge.device.mac == mac_from_text("00:00:00:00:00:09")
    table.machine.set_mac("br0", mac_from_text(host_mac(0x55)))
    table.machine.set_mac("p3", mac_from_text("00:00:00:00:00:08"))
    assert table.bridge.device.mac == mac_from_text(host_mac(0x55))


def test_a_flood_goes_out_newest_port_first_and_then_up(table: Table) -> None:
    order: list[str] = []

    class Order(Notes):
        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

        def capture(self, time_ns: int, data: bytes, outbound: bool) -> None:
            super().capture(time_ns, data, outbound)
            order.extend([self.name] * outbound)

    for port in table.bridge.ports:
        port.device.add_sniffer(Order(port.device.name))
    table.bridge.device.rx_handler = lambda _frame: order.append("up")
    table.send(1, BROADCAST)
    assert order == ["p3", "p2", "up"]


def test_a_bridge_without_a_host_floods_to_its_ports_only() -> None:
    """A switch on the wire; what then reaches nobody is named."""
    lab = Lab()
    bridge = Bridge(lab.scheduler, "sw", owner="sw", has_host=False)
    bridge.device.set_admin(True)
    near, far = lab.cable("p1", host_mac(1), "probe", probe_mac(1))
    for device in (near, far):
        device.set_admin(True)
    bridge.add_port(near)
    far.transmit(Frame(bytes(Ether(src=probe_mac(1), dst=BROADCAST) / b"hello")))
    lab.run(0)
    assert bridge.device.rx_packets == 0
    assert drops(near) == {"bridge-nowhere-to-go": 1}
