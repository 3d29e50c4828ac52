"""One segment into each state is answered as the kernel answers it; see ``odd_segments.py``."""

from __future__ import annotations

import re

import pytest

from tests.linux.tcp.kit import MS, Wire
from tests.linux.tcp.odd_segments import DATA, PORT, STATES, Machine, ask, cases
from vnet.linux.netns.sockets.tcp import TcpListener, TcpSocket
from vnet.sim.frame import Frame
from vnet.wire.ether import TYPE_IPV4, frame
from vnet.wire.tcp import Tcp

_WINDOW = re.compile(r" win \d+")

_NO_NUMBER = re.compile(r"R\. \d+:\d+\(0\)")
"""The sequence number of a reset that acknowledges is 0, however that counts from ours."""


def judged(line: str) -> str:
    """What is compared of a line."""
    return _NO_NUMBER.sub("R.", _WINDOW.sub("", line))


RECORDED = [judged(line) for line in DATA.read_text().splitlines()]


def our_machine() -> Machine:
    """A machine with a listening port, whose program accepts and reads nothing."""
    wire = Wire(MS, lambda end, segment, _wire: True)
    device = wire.a.interface("eth0").device
    source = wire.b.interface("eth0").device.mac
    waiting: list[TcpSocket] = []

    def accept(listener: TcpListener) -> None:
        socket = listener.accept()
        assert socket is not None
        waiting.append(socket)

    wire.a.sockets.tcp.listen(PORT, accept)

    def answers(wait_ms: int) -> list[Tcp]:
        wire.run(wait_ms * MS)
        heard = [passed.segment for passed in wire.log]
        wire.log.clear()
        return heard

    return Machine(
        lambda packet: device.receive(Frame(frame(device.mac, source, TYPE_IPV4, packet))),
        lambda: waiting.pop().shutdown(),
        answers,
    )


@pytest.mark.parametrize("state", STATES)
def test_what_is_odd_is_answered_as_the_kernel_does(state: str) -> None:
    asked = [
        judged(ask(our_machine(), case_state, odd, port))
        for case_state, odd, port in cases()
        if case_state == state
    ]
    assert asked == [line for line in RECORDED if line.startswith(f"{state} |")]
