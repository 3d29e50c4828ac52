"""What a kind of case writes its steps with: a page of steps, and chance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from tests.ovs.recorded.case import Carry, Join, Receive, Run, Show, Step, Warp
from vnet.base.chance import Chance
from vnet.ovs.flow.compose import compose
from vnet.ovs.flow.match_parse import parse_exact_flow

T = TypeVar("T")

BRIDGE = "br0"


class Script:
    """The steps of one case. The same kind and seed write the same ones."""

    def __init__(self, kind: str, seed: int) -> None:
        self.steps: list[Step] = []
        self._stream = Chance(seed).stream(kind)

    # -- chance

    def choose(self, *options: T) -> T:
        """One of some things."""
        return self._stream.choice(options)

    def some(self, options: Sequence[T], least: int = 0) -> list[T]:
        """Some of some things, in their order."""
        chosen = self._stream.sample(range(len(options)), self.number(least, len(options)))
        return [options[position] for position in sorted(chosen)]

    def number(self, low: int, high: int) -> int:
        """An integer; both ends may come."""
        return self._stream.randint(low, high)

    def happens(self, probability: float) -> bool:
        """True as often as said."""
        return self._stream.random() < probability

    # -- steps

    def vsctl(self, words: str) -> None:
        """``ovs-vsctl``."""
        self.steps.append(Run(f"ovs-vsctl {words}"))

    def ofctl(self, words: str, lines: Sequence[str] = ()) -> None:
        """``ovs-ofctl``; ``-`` among the words stands for a file with ``lines``."""
        self.steps.append(Run(f"ovs-ofctl {words}", tuple(lines)))

    def appctl(self, words: str) -> None:
        """``ovs-appctl``."""
        self.steps.append(Run(f"ovs-appctl {words}"))

    def show(self, command: str) -> None:
        """A whole command line whose output counts."""
        self.steps.append(Show(command))

    def receive(self, port: str, *frames: bytes | str) -> None:
        """Frames come in by a port. A text is a flow, as ``ovs-ofctl`` writes one."""
        self.steps.append(Receive(port, tuple(map(frame_of, frames))))

    def warp(self, total_ms: int, step_ms: int | None = None) -> None:
        """Time passes, at once or in steps."""
        self.steps.append(Warp(total_ms, step_ms or total_ms))

    def join(self, port: str, other: str) -> None:
        """Two dummy ports are the ends of a wire from now on."""
        self.steps.append(Join(port, other))

    def carry(self, *ways: tuple[str, str]) -> None:
        """What leaves by the first of two ports comes in by the other from now on; until now
        other ports may have been joined so."""
        self.steps.append(Carry(ways))

    # -- set-ups

    def bridge(self, name: str = BRIDGE, columns: str = "", dpid: int = 1) -> None:
        """A bridge without flows and ports; ``columns`` are settings of its own."""
        mac = f"aa:55:aa:55:{dpid:02x}:00"
        self.vsctl(
            f"add-br {name} -- set bridge {name} datapath_type=dummy fail-mode=secure "
            f"other-config:datapath-id={dpid:016x} other-config:hwaddr={mac} "
            f"protocols=OpenFlow10,OpenFlow11,OpenFlow12,OpenFlow13,OpenFlow14,OpenFlow15 {columns}"
        )

    def port(self, name: str, number: int, columns: str = "", bridge: str = BRIDGE) -> None:
        """A dummy port; ``columns`` are settings of the port."""
        self.vsctl(
            f"add-port {bridge} {name} {columns} "
            f"-- set interface {name} type=dummy ofport_request={number}"
        )


def frame_of(frame: bytes | str) -> bytes:
    """A frame as it is, or one with a flow that ``ovs-ofctl`` could match."""
    return frame if isinstance(frame, bytes) else compose(parse_exact_flow(frame))
