"""Flow labels that a kernel gives by itself, as Linux 6.18 was seen to give them."""

from __future__ import annotations

import pytest

from vnet.base.ids import ip_from_text
from vnet.linux.netns.flow_label import labelled
from vnet.wire import icmpv6, ipv6, udp

LOW, HIGH = ip_from_text("2001:db8::1"), ip_from_text("2001:db8::2")


def label(source: bytes, target: bytes, protocol: int, carried: bytes) -> int:
    packet = labelled(ipv6.emit(source, target, protocol, carried))
    return int.from_bytes(packet[:4], "big") & ipv6.FLOW_LABEL_MASK


@pytest.mark.parametrize("kind", [icmpv6.ECHO_REQUEST, icmpv6.ECHO_REPLY])
def test_echoes_of_both_directions_share_a_label(kind: int) -> None:
    message = bytes([kind, 0]) + bytes(6)
    there, back = (label(*ends, icmpv6.PROTOCOL, message) for ends in ((LOW, HIGH), (HIGH, LOW)))
    assert there == back


def test_a_request_and_its_reply_have_labels_of_their_own() -> None:
    kinds = (icmpv6.ECHO_REQUEST, icmpv6.ECHO_REPLY)
    labels = {label(LOW, HIGH, icmpv6.PROTOCOL, bytes([kind, 0]) + bytes(6)) for kind in kinds}
    assert len(labels) == 2


def test_addresses_are_put_in_order_and_ports_are_not() -> None:
    """An answer has another label, and a flow that is turned round but for its ports the same."""

    def of(source: bytes, target: bytes, source_port: int, target_port: int) -> int:
        datagram = udp.emit(source, target, source_port, target_port, b"x")
        return label(source, target, udp.PROTOCOL, datagram)

    assert of(LOW, HIGH, 40_000, 7_000) != of(HIGH, LOW, 7_000, 40_000)
    assert of(LOW, HIGH, 40_000, 7_000) == of(HIGH, LOW, 40_000, 7_000)
