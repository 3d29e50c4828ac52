"""What became of a frame that the datapath did not know, for whoever watches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

from vnet.base.record import record
from vnet.ovs.ofproto.xlate.report import NodeKind, Trace

_TOLD = (NodeKind.TABLE, NodeKind.DETAIL, NodeKind.WARN, NodeKind.ERROR)


@record(frozen=True, slots=True)
class UpcallNote:
    """A miss, and the megaflow that it left.

    ``frame`` came to ``bridge`` by ``port``. ``steps`` are the rules that it met and what was
    remarked on the way, as ``ofproto/trace`` words it. ``megaflow`` is what all frames have in
    common that go the same way from now on, and ``actions`` what is done with them, as
    ``dpctl/dump-flows --names`` writes them; without ``is_installed`` each is decided by itself.
    """

    time_ns: int
    bridge: str
    port: str
    frame: bytes
    steps: tuple[str, ...]
    megaflow: str
    actions: str
    is_installed: bool


UpcallWatcher: TypeAlias = Callable[[UpcallNote], None]


def steps_of(trace: Trace) -> tuple[str, ...]:
    """The rules of a translation in their order, and what was remarked between them."""
    return tuple(_walk(trace))


def _walk(trace: Trace) -> Iterator[str]:
    waiting = list(reversed(trace))
    while waiting:
        node = waiting.pop()
        if node.kind in _TOLD:
            yield node.text.strip()
        waiting += reversed(node.children)
