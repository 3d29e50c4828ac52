"""The trace: everything one frame caused, as a tree."""

from __future__ import annotations

from collections.abc import Callable

from scapy.layers.inet import ICMP, IP, UDP, Ether
from scapy.layers.inet6 import ICMPv6EchoRequest, IPv6

from vnet.lab.lab import Lab
from vnet.sim.trace import TraceNode

MS = 1_000_000
LabWith = Callable[..., Lab]


def road(node: TraceNode) -> list[tuple[str, str]]:
    """The nodes from here on, as long as there is only one way."""
    found = []
    while True:
        found.append((node.place, node.event))
        if len(node.children) != 1:
            return found
        node = node.children[0]


def echo_road(root: TraceNode, protocol: int) -> list[tuple[str, str]]:
    """The road of the one child that is the echo request."""
    at = 14 + (9 if protocol == 1 else 6)
    (request,) = [
        c
        for c in root.children
        if len(c.data) > at
        and c.data[at] == protocol
        and c.data[12:14] != b"\x08\x06"
        and c.data[0] & 1 == 0
    ]
    return road(request)


THERE = [
    ("vm1:eth0", "sent"),
    ("h1:vif1.0", "received"),
    ("h1:peth0", "sent"),
    ("h1:eth0--h2:eth0", "crossed"),
    ("h2:peth0", "received"),
    ("h2:vif1.0", "sent"),
    ("vm2:eth0", "received"),
]
BACK = [
    ("vm2:eth0", "sent"),
    ("h2:vif1.0", "received"),
    ("h2:peth0", "sent"),
    ("h1:eth0--h2:eth0", "crossed"),
    ("h1:peth0", "received"),
    ("h1:vif1.0", "sent"),
    ("vm1:eth0", "received"),
]
UNASKED = ("vm1:eth0", "dropped")  # no ping of the guest's kernel waits for this answer


def test_a_ping_across_two_hosts_and_its_reply_below_it(lab_with: LabWith) -> None:
    root = lab_with().trace("vm1", IP(dst="10.0.0.2") / ICMP())
    assert (root.place, root.event) == ("vm1:eth0", "handed to the vNIC")
    question, request = root.children
    assert question.data[12:14] == b"\x08\x06"
    # It waited for ARP, and is still the frame that was traced.
    assert (question.time_ns, request.time_ns) == (0, 2 * MS)
    assert echo_road(root, 1) == [*THERE, *BACK, UNASKED]
    *_, last = request.walk()
    assert last.drop is not None
    assert last.drop.word == "icmp-not-wanted"
    assert last.time_ns == 4 * MS


def test_the_flooded_question_forks_and_its_answer_comes_back(lab_with: LabWith) -> None:
    root = lab_with().trace("vm1", IP(dst="10.0.0.2") / ICMP())
    question = root.children[0]
    places = [node.place for node in question.walk()]
    for place in ("h1:vif0.0", "h1:xenbr0", "h1:peth0", "h2:vif0.0", "h2:xenbr0", "vm2:eth0"):
        assert place in places
    answers = [n for n in question.walk() if n.data[20:22] == b"\0\x02" and n.event == "sent"]
    assert answers[0].place == "vm2:eth0"
    # Every copy of a broadcast that was not for its station ended by name.
    assert {n.drop.word for n in question.drops if n.drop} == {"arp-not-for-us"}


def test_a_warm_trace_has_one_road(lab_with: LabWith) -> None:
    lab = lab_with()
    lab.vm("vm1").ping("10.0.0.2", count=1)
    root = lab.trace("vm1", IP(dst="10.0.0.2") / ICMP())
    assert road(root)[1:] == [*THERE, *BACK, UNASKED]


def test_ipv6(lab_with: LabWith) -> None:
    lab = lab_with()
    lab.advance("3s")
    root = lab.trace("vm1", IPv6(dst="2001:db8::2") / ICMPv6EchoRequest())
    solicitation, request = root.children
    assert solicitation.data[54] == 135
    assert road(request) == [*THERE, *BACK, UNASKED]
    answers = [n for n in solicitation.walk() if n.event == "sent" and n.data[54:55] == b"\x88"]
    assert answers[0].place == "vm2:eth0"


def test_fragments_all_keep_their_trace(lab_with: LabWith) -> None:
    root = lab_with().trace("vm1", IP(dst="10.0.0.2") / ICMP() / (b"x" * 4000))
    pieces = [c for c in root.children if c.data[12:14] == b"\x08\0"]
    assert len(pieces) == 3
    assert [node.event for node in root.walk() if node.place == "vm2:eth0"].count("received") == 4
    replies = [n for n in root.walk() if n.place == "vm1:eth0" and n.event == "received"]
    assert len(replies) == 1 + 3


def test_nobody_there_ends_in_a_named_drop_and_an_error(lab_with: LabWith) -> None:
    root = lab_with().trace("vm1", IP(dst="10.0.0.99") / ICMP())
    assert [c.event for c in root.children] == ["sent", "sent", "sent", "dropped", "sent"]
    words = [node.drop.word for node in root.children if node.drop is not None]
    assert words == ["no-neighbor"]
    assert root.children[4].place == "vm1:lo"


def test_no_route(lab_with: LabWith) -> None:
    root = lab_with().trace("vm1", IP(dst="172.16.0.1") / ICMP())
    assert [node.drop.word for node in root.drops if node.drop] == ["no-route"]


def test_a_closed_port_answers_below_its_drop(lab_with: LabWith) -> None:
    lab = lab_with()
    lab.vm("vm1").ping("10.0.0.2", count=1)
    root = lab.trace("vm1", IP(dst="10.0.0.2") / UDP(dport=9))
    node = root
    while len(node.children) == 1:
        node = node.children[0]
    dropped, error = node.children
    assert node.place == dropped.place == "vm2:eth0"
    assert dropped.drop is not None
    assert dropped.drop.word == "no-socket"
    assert error.event == "sent"
    assert error.data[34:36] == b"\x03\x03"
    assert road(error)[-1] == ("vm1:eth0", "dropped")


def test_a_pulled_cable(lab_with: LabWith) -> None:
    lab = lab_with()
    lab.vm("vm1").ping("10.0.0.2", count=1)
    lab.scheduler.after(500_000, lab.network.links[0].set_up, False)
    root = lab.trace("vm1", IP(dst="10.0.0.2") / ICMP())
    (drop,) = root.drops
    assert drop.drop is not None
    assert (drop.place, drop.event, drop.drop.word) == ("h1:eth0--h2:eth0", "lost", "link-down")


def test_another_station_s_mac(lab_with: LabWith) -> None:
    root = lab_with().trace("vm1", Ether(dst="02:00:00:00:00:01") / IP(dst="10.0.0.2"))
    assert {n.drop.word for n in root.drops if n.drop} >= {"other-host"}
    assert "DROPPED" in str(root) or "dropped" in str(root)


def test_raw_bytes_are_traced_too(lab_with: LabWith) -> None:
    root = lab_with().trace("vm1", bytes(14))
    assert root.children[0].data == bytes(14)
    assert root.drops


def test_every_leaf_is_named_or_arrived(lab_with: LabWith) -> None:
    """No frame disappears: a branch ends in a reason, or where a stack took the frame in."""
    lab = lab_with()
    for packet in (IP(dst="10.0.0.2") / ICMP(), IP(dst="10.0.0.99") / ICMP()):
        for node in lab.trace("vm1", packet).walk():
            if not node.children and node.drop is None:
                assert (node.place, node.event) == ("vm1:eth0", "received"), node
