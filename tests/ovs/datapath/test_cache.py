"""The exact-match cache changes nothing but speed."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from tests.ovs.datapath.kit import EXACT, SAME_TYPE, Table, output
from tests.ovs.flow.frames import (
    ARP,
    FRAMES,
    ICMP,
    TCP,
    TCP_WITH_OPTION,
    UDP,
    ethernet,
    ipv4,
    ipv6,
    mutated,
    tag,
)
from vnet.ovs.datapath.shapes import (
    PLAIN,
    plain_protocol,
    plain_tcp_bytes,
    short_key,
)
from vnet.ovs.dpif.actions import (
    Clone,
    KeyPart,
    OdpActions,
    PopVlan,
    PushVlan,
    Recirc,
    Set,
    Userspace,
)
from vnet.ovs.dpif.cookies import SlowPath, SlowPathCookie
from vnet.ovs.dpif.dpif import Upcall
from vnet.ovs.flow.extract import extract, layers
from vnet.ovs.flow.flow import Bits, Flow

CLEAN = {
    "tcp": ethernet(0x0800, ipv4(6, TCP + b"data")),
    "tcp with option": ethernet(0x0800, ipv4(6, TCP_WITH_OPTION)),
    "udp": ethernet(0x0800, ipv4(17, UDP)),
    "icmp": ethernet(0x0800, ipv4(1, ICMP)),
    "arp": ethernet(0x0806, ARP),
    "tcp6": ethernet(0x86DD, ipv6(6, TCP)),
    "udp6": ethernet(0x86DD, ipv6(17, UDP)),
    "icmp6": ethernet(0x86DD, ipv6(58, b"\x80" + bytes(7))),
    "udp, tagged": ethernet(0x0800, ipv4(17, UDP), tag(5)),
    "tcp6, tagged": ethernet(0x86DD, ipv6(6, TCP), tag(5, 3, 0x88A8)),
    "arp, tagged": ethernet(0x0806, ARP, tag(7)),
}
N_RANDOM = 4_000


@pytest.mark.parametrize("name", CLEAN)
def test_clean_shapes_have_short_keys(name: str) -> None:
    assert short_key(CLEAN[name], 1) is not None


@pytest.mark.parametrize(
    "frame",
    [
        ethernet(0x0800, ipv4(17, UDP)) + b"\0",
        ethernet(0x0800, ipv4(17, UDP, options=bytes(4))),
        ethernet(0x0800, ipv4(17, UDP, fragment=0x2000)),
        ethernet(0x0800, ipv4(17, UDP, fragment=0x0001)),
        ethernet(0x0800, ipv4(17, UDP[:7])),
        ethernet(0x0800, ipv4(6, TCP[:12] + b"\x40" + TCP[13:])),
        ethernet(0x0800, ipv4(6, TCP[:12] + b"\xf0" + TCP[13:])),
        ethernet(0x0800, ipv4(132, bytes(12))),
        ethernet(0x86DD, ipv6(58, b"\x87" + bytes(23))),
        ethernet(0x0800, ipv4(17, UDP), tag(5) + tag(6)),
        ethernet(0x8847, bytes(30)),
        ethernet(0x0806, ARP[:27]),
        b"",
    ],
)
def test_other_shapes_have_none(frame: bytes) -> None:
    assert short_key(frame, 1) is None


def test_tags_that_the_datapath_does_not_read_make_no_clean_shape() -> None:
    assert short_key(CLEAN["udp, tagged"], 0) is None


def _variants(random: Random, frame: bytes) -> list[bytes]:
    """Frames that differ from ``frame`` in a byte, a bit or their length."""
    at = random.randrange(len(frame))
    return [
        frame[:at] + bytes((random.randrange(256),)) + frame[at + 1 :],
        frame[:at] + bytes((frame[at] ^ 1 << random.randrange(8),)) + frame[at + 1 :],
        frame + random.randbytes(random.randrange(1, 9)),
        frame[: -random.randrange(1, len(frame))],
        frame[:18] + random.randbytes(2) + frame[20:24] + random.randbytes(2) + frame[26:],
        _with_payload(random, frame),
    ]


def _with_payload(random: Random, frame: bytes) -> bytes:
    """More or less payload, and a total length that says so."""
    at = 18 if frame[12:14] == b"\x86\xdd" else 16
    longer = frame + random.randbytes(random.randrange(20))
    longer = longer[: random.randrange(30, len(longer) + 1)]
    length = len(longer) - (54 if at == 18 else 14)
    return longer[:at] + (length & 0xFFFF).to_bytes(2, "big") + longer[at + 2 :]


@pytest.mark.parametrize("vlan_limit", [0, 1, 2])
def test_one_short_key_means_one_flow_and_one_layout(vlan_limit: int) -> None:
    random = Random(vlan_limit)
    n_equal = 0
    for number in range(N_RANDOM):
        frame = mutated(random) if number % 2 else random.choice(list(CLEAN.values()))
        key = short_key(frame, vlan_limit)
        if key is None:
            continue
        for other in _variants(random, frame):
            if short_key(other, vlan_limit) != key:
                continue
            n_equal += 1
            assert extract(other, vlan_limit=vlan_limit) == extract(frame, vlan_limit=vlan_limit)
            one, two = (layers(data, vlan_limit=vlan_limit) for data in (frame, other))
            assert one[:3] == two[:3]
            assert two.end == len(other)
    assert n_equal > 1_000


def test_what_the_receiver_checks_is_enough_for_plain_frames() -> None:
    """The receiver only looks at the key's bytes, the length, and TCP's length in the entry."""
    random = Random(1)
    n_equal = 0
    for number in range(N_RANDOM):
        frame = CLEAN[("tcp", "tcp with option", "udp")[number % 3]]
        head, _total, middle, protocol, tail = PLAIN.unpack_from(frame)
        assert plain_protocol(frame) == protocol
        for other in _variants(random, frame):
            if len(other) < PLAIN.size:
                continue
            parts = PLAIN.unpack_from(other)
            if parts[1] + 14 != len(other) or (head, middle, protocol, tail) != (
                *(parts[0], parts[2], parts[3], parts[4]),
            ):
                continue
            if protocol == 6 and (
                other[46:48] != frame[46:48] or len(other) < plain_tcp_bytes(frame)
            ):
                continue
            n_equal += 1
            assert short_key(other, 1) == short_key(frame, 1)
    assert n_equal > 1_000


def test_the_cache_does_not_outgrow_its_limit() -> None:
    table = Table(cache_limit=50)
    table.put(CLEAN["udp"], output(2), SAME_TYPE)
    frame = CLEAN["udp"]
    for port in range(1_000):
        table.send(frame[:34] + port.to_bytes(2, "big") + frame[36:])
    cache = table.datapath._pipeline.cache
    vport = table.datapath._pipeline.vports[1]  # type: ignore[index]
    assert len(cache) == 50 == len(vport.plain_flows)
    assert len(table.sent()[2]) == 1_000


def test_a_full_cache_takes_in_one_of_a_hundred_new_keys() -> None:
    table = Table(cache_limit=10)
    table.put(CLEAN["udp"], output(2), SAME_TYPE)
    frame = CLEAN["udp"]
    vport = table.datapath._pipeline.vports[1]  # type: ignore[index]

    def send(port: int) -> None:
        table.send(frame[:34] + port.to_bytes(2, "big") + frame[36:])

    for port in range(10):
        send(port)
    first = set(vport.plain_flows)
    for port in range(10, 210):
        send(port)
    assert len(first & set(vport.plain_flows)) == 8


def test_what_goes_leaves_nothing_in_the_cache() -> None:
    table = Table()
    pipeline = table.datapath._pipeline
    for in_port in (1, 3):
        for frame in CLEAN.values():
            table.put(frame, output(2), EXACT, in_port)
        table.send(*CLEAN.values(), in_port=in_port)
    assert len(pipeline.cache) == 2 * len(CLEAN)
    table.dpif.port_del(pipeline.vports[3].number)  # type: ignore[index]
    assert len(pipeline.cache) == len(CLEAN)
    table.dpif.flow_flush()
    assert len(pipeline.cache) == 0
    for vport in pipeline.vports.values():
        assert not vport.hits
        assert not vport.plain_flows


# -- a datapath with a cache and one without


_LOOKED_AT: tuple[Bits, ...] = (
    *(Flow.dl_type, Flow.dl_src, Flow.dl_dst, Flow.vlan_tci, Flow.nw_src, Flow.nw_dst),
    *(Flow.nw_proto, Flow.nw_tos, Flow.nw_ttl, Flow.nw_frag, Flow.tp_src, Flow.tp_dst),
    *(Flow.tcp_flags, Flow.ipv6_src, Flow.ipv6_dst, Flow.ipv6_label, Flow.arp_sha),
)
_SETTABLE = (
    *((KeyPart.ETHERNET, Flow.dl_dst), (KeyPart.ETHERNET, Flow.dl_src)),
    *((KeyPart.IPV4, Flow.nw_ttl), (KeyPart.IPV4, Flow.nw_src), (KeyPart.IPV4, Flow.nw_tos)),
    *((KeyPart.TCP, Flow.tp_src), (KeyPart.UDP, Flow.tp_dst), (KeyPart.ARP, Flow.arp_tha)),
    *((KeyPart.IPV6, Flow.ipv6_dst), (KeyPart.IPV6, Flow.nw_ttl)),
)


class Policy:
    """Random decisions that never contradict each other: at each step another bit is looked at,
    until what is known decides. What was looked at is the mask."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def decide(self, key: int) -> tuple[int, OdpActions]:
        random = Random(self._seed)
        mask = SAME_TYPE
        for _ in range(random.randrange(1, 6)):
            bits = random.choice(_LOOKED_AT)
            bit = 1 << bits.shift + random.randrange(bits.width)
            mask |= bit | (bits.mask if random.random() < 0.3 else 0)
            # What is decided next depends on what was seen.
            random.seed(f"{random.random()} {key & mask}")
        return mask, self._actions(random)

    def _actions(self, random: Random) -> OdpActions:
        actions: list[object] = []
        for _ in range(random.choice((0, 0, 1, 1, 2, 3))):
            part, bits = random.choice(_SETTABLE)
            mask = bits.mask if random.random() < 0.8 else random.getrandbits(400) & bits.mask
            actions.append(Set(part, random.getrandbits(bits.shift + bits.width) & mask, mask))
        kind = random.randrange(10)
        actions[:0] = [PushVlan(0x8100, 9)] if kind == 0 else [PopVlan()] if kind == 1 else []
        actions += output(*random.sample((1, 2, 3, 4), random.randrange(4)))
        if kind == 2:
            actions.append(Clone((Set(*_ttl(3)), *output(4))))
        if kind == 3:
            actions.append(Userspace(SlowPathCookie(SlowPath.ACTION)))
        if kind == 4:
            actions.append(Recirc(random.randrange(1, 3)))
        return tuple(actions)  # type: ignore[arg-type]


def _ttl(value: int) -> tuple[KeyPart, int, int]:
    return KeyPart.IPV4, value << Flow.nw_ttl.shift, Flow.nw_ttl.mask


def _table(policy: Policy, cache_limit: int) -> Table:
    def decide(upcall: Upcall) -> None:
        if upcall.cookie is None:
            mask, actions = policy.decide(upcall.key)
            table.dpif.flow_put(upcall.key, mask, actions)
            table.dpif.execute(upcall.frame, upcall.key, actions)

    table = Table(decide=decide, cache_limit=cache_limit)
    return table


@pytest.mark.parametrize("seed", range(25))
def test_a_datapath_with_a_cache_does_what_one_without_does(seed: int) -> None:
    policy = Policy(seed)
    random = Random(seed)
    tables = [_table(policy, limit) for limit in (8_192, 0, 3)]
    pool = [*random.sample(FRAMES, 10), *CLEAN.values()]
    pool += [mutated(random) for _ in range(10)]
    pool += [other for frame in CLEAN.values() for other in _variants(random, frame)]
    for _ in range(40):
        frames = random.choices(pool, k=6)
        in_port = random.choice((1, 1, 2))
        for table in tables:
            table.send(*frames, in_port=in_port)
        _assert_same(lambda table: table.sent(), tables)
        _change(random.randrange(1 << 30), tables)
    assert len(tables[0].datapath._pipeline.cache) > 10
    _assert_same(lambda table: table.drops(), tables)
    _assert_same(lambda table: table.dpif.stats(), tables)
    _assert_same(lambda table: list(table.dpif.flows()), tables)
    _assert_same(lambda table: [(up.frame.data, up.key) for up in table.upcalls], tables)


def _change(seed: int, tables: list[Table]) -> None:
    """Remove a flow, give one other actions, or leave all as they are."""
    for table in tables:
        random = Random(seed)
        flows = list(table.dpif.flows())
        if not flows:
            continue
        flow = random.choice(flows)
        kind = random.randrange(4)
        if kind == 0:
            table.dpif.flow_del(flow.key, flow.mask)
        elif kind == 1:
            table.dpif.flow_put(flow.key, flow.mask, output(random.randrange(1, 5)))


def _assert_same(look: Callable[[Table], object], tables: list[Table]) -> None:
    first, *others = (look(table) for table in tables)
    for other in others:
        assert other == first


def test_the_masks_of_a_policy_do_not_contradict_each_other() -> None:
    policy, random = Policy(3), Random(3)
    known: dict[tuple[int, int], OdpActions] = {}
    for _ in range(500):
        key = extract(mutated(random), 1)
        mask, actions = policy.decide(key)
        assert known.setdefault((key & mask, mask), actions) == actions
        assert [kept for (value, other), kept in known.items() if key & other == value] == [actions]
