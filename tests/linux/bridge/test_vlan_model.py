"""A bridge that filters VLANs against a model that is as simple as can be.

The model knows no fast road, no caches of forms and no keys: it goes through the rules of IEEE
802.1Q one by one. Hypothesis makes up who is in what VLAN, and a conversation of frames; each frame
must reach the same ports with the same tags in both.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.linux.bridge.kit import Table, Tags, frame, tags_of
from tests.linux.kit import BROADCAST, drops, probe_mac
from vnet.wire.ether import TYPE_QINQ, TYPE_VLAN

PORTS = 4
VIDS = (1, 2, 3)
GROUP = "01:00:5e:00:00:fb"


@dataclass(frozen=True)
class Membership:
    """A port's PVID, and of each VLAN it is in whether it leaves untagged."""

    pvid: int
    vlans: dict[int, bool]


@dataclass(frozen=True)
class Sent:
    port: int
    source: int
    target: str
    tags: Tags


@dataclass
class Model:
    tpid: str
    members: list[Membership]
    isolated: set[int]
    hairpin: set[int]
    places: dict[tuple[int, int], int] = field(default_factory=dict)

    def send(self, sent: Sent) -> dict[int | str, Tags]:
        """Who gets a frame, by port number or "up", and with what tags."""
        own = self.members[sent.port]
        outer = sent.tags[0].split(":") if sent.tags else ["", "0", "0"]
        is_tagged = outer[0] == self.tpid
        priority, vid = (int(outer[1]), int(outer[2])) if is_tagged else (0, 0)
        inner = sent.tags[1:] if is_tagged else sent.tags
        vid = vid or own.pvid
        if vid not in own.vlans:
            return {}
        self.places[vid, sent.source] = sent.port
        found = {}
        for port in self._targets(sent, vid):
            untagged = self.members[0 if port == "up" else int(port)].vlans[vid]
            found[port] = inner if untagged else (f"{self.tpid}:{priority}:{vid}", *inner)
        return found

    def _targets(self, sent: Sent, vid: int) -> list[int | str]:
        inside: list[int | str] = [n for n in range(1, PORTS + 1) if vid in self.members[n].vlans]
        to_all = sent.target in (BROADCAST, GROUP)
        known = None if to_all else self.places.get((vid, int(sent.target[-2:], 16)))
        if known is not None:
            inside = [known] if known in inside else []
        elif to_all and vid in self.members[0].vlans:
            inside.append("up")
        return [port for port in inside if port == "up" or self._may(sent.port, int(port))]

    def _may(self, source: int, port: int) -> bool:
        if port == source and port not in self.hairpin:
            return False
        return not {source, port} <= self.isolated


def membership() -> st.SearchStrategy[Membership]:
    vlans = st.dictionaries(st.sampled_from(VIDS), st.booleans())
    return st.builds(Membership, st.sampled_from((0, *VIDS)), vlans).map(
        lambda m: Membership(m.pvid if m.pvid in m.vlans else 0, m.vlans)
    )


TAG = st.builds(
    lambda tpid, priority, vid: f"{tpid}:{priority}:{vid}",
    st.sampled_from(("8100", "88a8")),
    st.integers(0, 7),
    st.sampled_from((0, *VIDS, 9)),
)
TARGETS = (BROADCAST, GROUP, *(probe_mac(n) for n in range(1, PORTS + 2)))
SENT = st.builds(
    Sent,
    st.integers(1, PORTS),
    st.integers(1, PORTS),
    st.sampled_from(TARGETS),
    st.lists(TAG, max_size=2).map(tuple),
)
SOME_PORTS = st.sets(st.integers(1, PORTS))


def bridge_like(model: Model) -> Table:
    table = Table(PORTS)
    table.bridge.device.rx_handler = lambda data: table.up.append(data.data)
    table.vlans.set_protocol(TYPE_VLAN if model.tpid == "8100" else TYPE_QINQ)
    for number, wanted in enumerate(model.members):
        port = table.port(number)
        table.vlans.delete(port, 1)
        for vid, untagged in wanted.vlans.items():
            table.vlans.add(port, vid, pvid=vid == wanted.pvid, untagged=untagged)
        port.isolated = number in model.isolated
        port.hairpin = number in model.hairpin
    return table


@settings(max_examples=examples(150), suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(("8100", "88a8")),
    st.lists(membership(), min_size=PORTS + 1, max_size=PORTS + 1),
    SOME_PORTS,
    SOME_PORTS,
    st.lists(SENT, min_size=1, max_size=12),
)
def test_who_gets_what_and_how_it_is_tagged(
    tpid: str,
    members: list[Membership],
    isolated: set[int],
    hairpin: set[int],
    conversation: list[Sent],
) -> None:
    model = Model(tpid, members, isolated, hairpin)
    table = bridge_like(model)
    for sent in conversation:
        data = frame(probe_mac(sent.source), sent.target, *sent.tags)
        table.probes[sent.port - 1].send(data)
        assert table.reached() == model.send(sent), sent


@settings(max_examples=examples(150), suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(membership(), min_size=PORTS + 1, max_size=PORTS + 1),
    st.lists(
        st.tuples(
            st.integers(1, PORTS),
            st.sampled_from((b"", b"\x81\x00", b"\x88\xa8")),
            st.binary(max_size=40),
        ),
        max_size=12,
    ),
    st.booleans(),
)
def test_no_frame_is_lost_without_a_reason_and_none_makes_trouble(
    members: list[Membership], sent: list[tuple[int, bytes, bytes]], netfilter: bool
) -> None:
    """Any bytes: each frame leaves by a port, goes up, or is counted with a reason."""
    table = bridge_like(Model("8100", members, set(), set()))
    if netfilter:
        table.machine.links.load_br_netfilter()
    devices = [probe.device.peer for probe in table.probes] + [table.bridge.device]

    def lost() -> int:
        return sum(sum(drops(device).values()) for device in devices)

    for number, tpid, body in sent:
        before = lost()
        head = b"\xff" * 6 if len(body) % 2 else bytes.fromhex("0a00000000ff")
        table.probes[number - 1].send(head + bytes.fromhex("0a0000000001") + tpid + body)
        reached = {n for n, probe in enumerate(table.probes, 1) if probe.heard}
        for probe in table.probes:
            assert all(len(tags_of(data)) <= 12 for _, data in probe.heard)
            probe.forget()
        went_up = bool(table.up)
        table.up.clear()
        assert reached or went_up or lost() > before
