"""TCP connections at one point of a capture: where they count from, and what they repeat."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence

from vnet.compare.dissect.tcp import SEQUENCE, Flow
from vnet.compare.field import Field, Label
from vnet.wire.tcp import FIN, RST, SYN

_SEQUENCE_MASK = 0xFFFF_FFFF


class Streams:
    """Makes sequence numbers relative to the first of their flow, as they come in file order."""

    def __init__(self) -> None:
        self._first: dict[Hashable, int] = {}
        self._sent: dict[Hashable, set[tuple[int, int, int]]] = defaultdict(set)

    def relative(self, fields: Sequence[Field]) -> tuple[Sequence[Field], bool]:
        """The fields with relative numbers, and whether the segment was sent before.

        A number's key is how far it is from its flow's first, which is a label itself.
        """
        if not any(one.label and one.label.kind is SEQUENCE for one in fields):
            return fields, False
        named = {one.name: one for one in fields}
        again = False
        for name in named:
            if name.endswith("tcp.seq") and "quoted." not in name:
                again |= self._see(name.removesuffix("tcp.seq"), named)
        return [self._counted(one) for one in fields], again

    def _see(self, prefix: str, named: dict[str, Field]) -> bool:
        """Take note of a segment. Whether it is one that was sent before."""
        sequence, flags = named[prefix + "tcp.seq"], named.get(prefix + "tcp.flags")
        if flags is None or sequence.label is None:
            return False
        assert isinstance(flags.value, int)
        assert isinstance(sequence.value, int)
        flow = sequence.label.scope
        if flags.value & SYN and self._first.get(flow) != sequence.value:
            self._first[flow] = sequence.value
            self._sent[flow].clear()
        data = named.get(prefix + "tcp.data")
        n_bytes = len(data.value) if data is not None and isinstance(data.value, bytes) else 0
        counted_flags = flags.value & (SYN | FIN)
        if flags.value & RST or not (n_bytes or counted_flags):
            return False
        segment = sequence.value, n_bytes, counted_flags
        was_sent = segment in self._sent[flow]
        self._sent[flow].add(segment)
        return was_sent

    def _counted(self, one: Field) -> Field:
        label = one.label
        if label is None or label.kind != SEQUENCE:
            return one
        assert isinstance(one.value, int)
        assert isinstance(label.scope, Flow)
        first = self._first.setdefault(label.scope, one.value)
        distance = (one.value - first) & _SEQUENCE_MASK
        # A number before the first, such as a keep-alive's, is some below zero.
        relative = distance - (1 << 32) if distance >> 31 else distance
        return Field(one.name, relative, relative, Label(SEQUENCE, None, first))
