"""Multicast snooping of Linux bridges, where recordings of the kernel leave something open."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.linux.bridge.bridges import S, Site, Wire, send
from tests.linux.bridge.recorded import groups_script as frames
from tests.linux.kit import Lab
from vnet.base.errors import UsageError
from vnet.base.ids import IpAddress
from vnet.linux.bridge.multicast.by_hand import add_member, delete_member
from vnet.linux.bridge.multicast.listener import MDB_FULL, MULTICAST_MALFORMED
from vnet.linux.bridge.multicast.mdb import GroupKey
from vnet.linux.bridge.multicast.reading import read
from vnet.linux.bridge.multicast.snooping import MULTICAST_UNWANTED
from vnet.linux.netns import igmp as igmp_host
from vnet.netdev.pair import PairDevice
from vnet.wire import igmp, mld

G = frames.ip("239.1.1.1")


class Snooped:
    """A bridge with three ports, and what comes to their far ends."""

    def __init__(self, *, querier: bool = False) -> None:
        self.site = Site("b1")
        self.bridge = self.site.bridges["b1"]
        self.ends: list[PairDevice] = []
        self.ports = []
        for name in ("p1", "p2", "p3"):
            port, far = self.site.port("b1", name)
            self.ports.append(port)
            self.ends.append(far)
        self.wires = [Wire(self.site.scheduler, far, outbound=False) for far in self.ends]
        self.site.up(stp=False)
        if querier:
            self.bridge.multicast.set_querier(True)
            self.site.run(10.1)
        self.site.run(1.1)  # the bridge's own memberships are told by then
        self.took()

    def say(self, text: str) -> None:
        end, data = text.split()
        send(self.ends[int(end[1]) - 1], bytes.fromhex(data))
        self.site.run(0.02)

    def took(self) -> list[int]:
        """How many frames each far end has got since the last time."""
        return [len(wire.take()) for wire in self.wires]

    def groups(self) -> list[GroupKey]:
        return [group.key for group in self.bridge.multicast.database]


def test_a_member_is_forgotten_after_the_membership_interval() -> None:
    lab = Snooped()
    lab.say(frames.join(2, "239.1.1.1"))
    lab.site.run(259)
    assert lab.groups() == [GroupKey(G)]
    lab.site.run(18)
    assert lab.groups() == []


def test_a_querier_asks_twice_quickly_and_then_every_125_seconds() -> None:
    lab = Snooped()
    lab.bridge.multicast.set_querier(True)
    began_ns = lab.site.scheduler.now_ns
    lab.site.run(300)
    asked = [time_ns for time_ns, data in lab.wires[0].frames if data[38] == igmp.QUERY]
    moments = [(time_ns - began_ns) // S for time_ns in asked]
    # 0, then a quarter of the interval, then whole ones; late by the wheel's slots.
    assert len(moments) == 4
    assert moments[0] == 0
    assert 31 <= moments[1] <= 34
    assert 125 <= moments[2] - moments[1] <= 142
    assert 125 <= moments[3] - moments[2] <= 142


def test_a_lower_address_wins_and_silences_the_bridge() -> None:
    lab = Snooped(querier=True)
    querier = lab.bridge.multicast.queriers[4]
    lab.say(frames.query(2, source="10.0.0.9"))
    lab.say(frames.query(1, source="10.0.0.7"))
    assert (querier.address, querier.port) == (frames.ip("10.0.0.7"), lab.ports[0])
    lab.say(frames.query(2, source="10.0.0.9"))
    assert querier.address == frames.ip("10.0.0.7")
    asked = []
    for seconds in (200, 80):
        lab.wires[2].take()
        lab.site.run(seconds)
        asked.append(sum(data[38] == igmp.QUERY for data in lab.wires[2].take()))
    assert asked[0] == 0
    assert asked[1] >= 1, "the other has been silent for its 255 seconds"


def test_unwanted_groups_are_dropped_with_a_reason() -> None:
    lab = Snooped(querier=True)
    lab.say(frames.data(1, "239.7.7.7"))
    assert lab.took() == [0, 0, 0]
    assert lab.ports[0].device.drops == {MULTICAST_UNWANTED: 1}


def test_the_host_hears_groups_that_it_has_joined() -> None:
    lab = Snooped(querier=True)
    netns = lab.site.nodes["b1"]
    netns.add_address("br0", IpAddress(frames.ip("10.0.0.254")), 24)
    before = lab.bridge.device.rx_packets
    netns.interface("br0").igmp.join(IpAddress(G))
    lab.site.run(2)
    group = lab.bridge.multicast.database.get(GroupKey(G))
    assert group is not None
    assert group.host_joined
    lab.say(frames.data(1, "239.1.1.1"))
    lab.say(frames.data(1, "239.7.7.7"))
    assert lab.bridge.device.rx_packets == before + 1


def test_queries_may_come_from_the_hosts_address() -> None:
    lab = Snooped()
    lab.site.nodes["b1"].add_address("br0", IpAddress(frames.ip("10.0.0.254")), 24)
    lab.bridge.multicast.settings.query_use_ifaddr = True
    lab.bridge.multicast.set_querier(True)
    lab.site.run(0.1)
    (query,) = lab.wires[0].take()
    assert query[26:30] == frames.ip("10.0.0.254")


def test_a_full_table_turns_snooping_off_and_names_the_frame() -> None:
    lab = Snooped(querier=True)
    lab.bridge.multicast.settings.hash_max = 3
    for number in range(1, 6):
        lab.say(frames.join(1, f"239.0.0.{number}"))
    assert len(lab.bridge.multicast.database) == 3
    assert not lab.bridge.multicast.is_on
    assert lab.ports[0].device.drops[MDB_FULL] == 1


def test_a_tag_is_looked_behind() -> None:
    """The kernel takes the tag off before the bridge sees the frame."""
    lab = Snooped(querier=True)
    end, data = frames.join(2, "239.1.1.1").split()
    lab.say(f"{end} {data[:24]}8100000a{data[24:]}")
    assert lab.groups() == [GroupKey(G)]


def test_groups_of_another_kind_are_flooded_unless_set_by_hand() -> None:
    lab = Snooped(querier=True)
    frame = "e1 " + ("01005e7f0001" + "020000000001" + "88b5" + "00" * 46)
    lab.say(frame)
    assert lab.took() == [0, 1, 1]
    key = GroupKey(bytes.fromhex("01005e7f0001"))
    add_member(lab.bridge, lab.ports[2], key, permanent=True)
    lab.say(frame)
    assert lab.took() == [0, 0, 1]


REFUSED = {
    "224.0.0.5": "IPv4 entry group address is local multicast.",
    "10.0.0.5": "IPv4 entry group address is not multicast or 0.0.0.0.",
}


@pytest.mark.parametrize("group", REFUSED)
def test_groups_that_are_refused(group: str) -> None:
    lab = Snooped()
    with pytest.raises(UsageError, match=REFUSED[group].replace(".", r"\.")):
        add_member(lab.bridge, lab.ports[0], GroupKey(frames.ip(group)), permanent=True)


def test_what_is_refused_by_hand() -> None:
    lab = Snooped()
    key = GroupKey(G)
    add_member(lab.bridge, lab.ports[0], key, permanent=True)
    for permanent, port, message in (
        (True, lab.ports[0], "already joined by port"),
        (True, lab.bridge.own_port, "Flags are not allowed for host groups"),
    ):
        with pytest.raises(UsageError, match=message):
            add_member(lab.bridge, port, key, permanent=permanent)
    add_member(lab.bridge, lab.bridge.own_port, key, permanent=False)
    with pytest.raises(UsageError, match="already joined by host"):
        add_member(lab.bridge, lab.bridge.own_port, key, permanent=False)
    with pytest.raises(UsageError, match="Only permanent L2 entries"):
        add_member(lab.bridge, lab.ports[0], GroupKey(b"\1" + bytes(5)), permanent=False)
    with pytest.raises(UsageError, match="Invalid argument"):
        delete_member(lab.bridge, lab.ports[1], key)


def test_frames_that_cannot_be_right_are_dropped_with_a_reason() -> None:
    lab = Snooped()
    good = frames.join(1, "239.1.1.1")
    lab.say(good[:-2] + "00")
    lab.say(good[:61])
    assert lab.ports[0].device.drops == {MULTICAST_MALFORMED: 2}
    assert lab.groups() == []


@given(st.binary(max_size=120), st.sampled_from(["0800", "86dd", "88b5", "81000001"]))
@settings(max_examples=examples(300), deadline=None)
def test_nothing_upsets_the_reader(payload: bytes, kind: str) -> None:
    data = bytes.fromhex("01005e010101" + "020000000001" + kind) + payload
    reading = read(data)
    assert reading == read(data)


_RECORDS = st.tuples(
    st.sampled_from([1, 2, 3]),
    st.integers(1, 6),
    st.sampled_from(["239.1.1.1", "239.2.2.2"]),
    # To allow no source leaves a member without a timer, in the kernel, too.
    st.lists(st.sampled_from(["10.9.9.1", "10.9.9.2", "10.9.9.3"]), min_size=1, unique=True),
    st.sampled_from([0.0, 0.6, 1.0, 130.0, 270.0]),
)


@given(st.lists(_RECORDS, max_size=14))
@settings(max_examples=examples(80), deadline=None)
def test_whatever_is_reported_of_sources_is_forgotten_in_time(
    reports: list[tuple[int, int, str, list[str], float]],
) -> None:
    lab = Snooped(querier=True)
    lab.bridge.multicast.settings.igmp_version = 3
    for host, kind, group, sources, seconds in reports:
        lab.say(frames.report3(host, (kind, group, tuple(sources))))
        lab.site.run(seconds)
        for entry in lab.bridge.multicast.database:
            ports = [member.port.number for member in entry.members]
            assert ports == sorted(set(ports)), "each port once"
    lab.site.run(600)
    assert lab.groups() == []


_SOUND = [
    text.split()[1]
    for text in (
        frames.join(1, "239.1.1.1"),
        frames.leave(1, "239.1.1.1"),
        frames.report3(1, (4, "239.1.1.1", ()), (6, "239.2.2.2", ("10.9.9.9",))),
        frames.query(1),
        frames.query(1, "239.1.1.1"),
        frames.pim_hello(1),
        frames.mld_join(1),
        frames.mld_leave(1),
        frames.mld_query(1),
    )
]


@given(
    st.lists(
        st.tuples(st.sampled_from(_SOUND), st.integers(0, 100), st.integers(0, 255), st.booleans()),
        max_size=12,
    ),
    st.booleans(),
)
@settings(max_examples=examples(60), deadline=None)
def test_no_message_upsets_a_bridge(
    messages: list[tuple[str, int, int, bool]], knows_sources: bool
) -> None:
    lab = Snooped(querier=True)
    if knows_sources:
        lab.bridge.multicast.settings.igmp_version = 3
        lab.bridge.multicast.settings.mld_version = 2
    for text, at, value, cut in messages:
        data = bytearray(bytes.fromhex(text))
        data[at % len(data)] = value
        data[0:6] = bytes.fromhex(text)[0:6]
        sent = bytes(data[: at + 14] if cut else data)
        send(lab.ends[at % 3], sent)
        lab.site.run(value / 10)
    assert len(lab.bridge.multicast.database) <= lab.bridge.multicast.settings.hash_max


def test_a_bridge_that_does_not_snoop_is_no_member_of_the_snoopers() -> None:
    lab = Lab()
    machine = lab.machine("a")
    bridge = machine.add_bridge("br0", ipv6=True)
    probe = lab.probe(machine, "p1", 1)
    machine.enslave("p1", "br0")
    machine.set_up("br0")
    interface = machine.interface("br0")
    lab.run(10 * S)
    probe.forget()
    for on, kind in ((False, igmp.CHANGE_TO_INCLUDE), (True, igmp.CHANGE_TO_EXCLUDE)):
        bridge.multicast.set_on(on)
        assert interface.igmp.is_member(igmp_host.ALL_SNOOPERS) is on
        assert interface.mld.is_member(mld.ALL_SNOOPERS) is on
        lab.run(10 * S)
        told = [data for _, data in probe.heard if data[30:34] == igmp_host.ALL_IGMPV3_ROUTERS]
        records = {data[46] for data in told if data[50:54] == igmp_host.ALL_SNOOPERS}
        assert records == {kind}
        probe.forget()
