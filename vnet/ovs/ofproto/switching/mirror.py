"""Port mirroring: which frames are copied, and where to (ovs-vswitchd.conf.db(5), Mirror table)."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, field

from vnet.ovs.ofproto.switching.bundle import Bundle

MAX_MIRRORS = 32


@dataclass(slots=True, eq=False)
class Mirror:
    """One mirror. It selects frames received on ``sources`` and sent to ``destinations``, of
    ``vlans`` (None for any), and copies them to ``output`` or into ``output_vlan``.

    ``snaplen_bytes`` cuts the copies; 0 sends them whole. ``twins`` has a bit for each mirror
    with the same output, itself included: a frame goes there once. ``identity`` tells it from
    another of the same settings, and stays while they change.
    """

    name: str
    identity: object
    sources: tuple[Bundle, ...] = ()
    destinations: tuple[Bundle, ...] = ()
    vlans: frozenset[int] | None = None
    output: Bundle | None = None
    output_vlan: int | None = None
    snaplen_bytes: int = 0
    n_packets: int = 0
    n_bytes: int = 0
    twins: int = field(default=0)


class Mirrors:
    """The mirrors of one bridge, by number; numbers are bits of the masks that bundles keep."""

    def __init__(self) -> None:
        self._slots: list[Mirror | None] = [None] * MAX_MIRRORS

    def __bool__(self) -> bool:
        return any(self._slots)

    def __iter__(self) -> Iterator[Mirror]:
        return (mirror for mirror in self._slots if mirror is not None)

    def __getitem__(self, number: int) -> Mirror:
        mirror = self._slots[number]
        assert mirror is not None, f"no mirror has number {number}"
        return mirror

    def set(self, mirrors: Iterable[Mirror], bundles: Iterable[Bundle]) -> list[str]:
        """Replace all mirrors; those with the same identity keep number and counters.

        Returns the names of those for which there was no room (more than 32).
        """
        wanted = {mirror.identity: mirror for mirror in mirrors}
        for number, old in enumerate(self._slots):
            if old is None:
                continue
            new = wanted.pop(old.identity, None)
            if new is not None:
                new.n_packets, new.n_bytes = old.n_packets, old.n_bytes
            self._slots[number] = new
        refused = []
        for mirror in wanted.values():
            if None in self._slots:
                self._slots[self._slots.index(None)] = mirror
            else:
                refused.append(mirror.name)
        self._mark(bundles)
        return refused

    def drop_outputs(self, gone: Container[Bundle]) -> None:
        """The mirrors that output by bundles that are gone end, with their counters."""
        for number, mirror in enumerate(self._slots):
            if mirror is not None and mirror.output in gone:
                self._slots[number] = None

    def select(self, gone: Container[Bundle]) -> bool:
        """Whether any mirror has selected one of some bundles."""
        return any(
            bundle in gone for mirror in self for bundle in (*mirror.sources, *mirror.destinations)
        )

    def credit(self, numbers: int, n_packets: int, n_bytes: int) -> None:
        """Count copies for the mirrors of a mask; those gone meanwhile are passed over."""
        for number, mirror in enumerate(self._slots):
            if mirror is not None and numbers >> number & 1:
                mirror.n_packets += n_packets
                mirror.n_bytes += n_bytes

    def _mark(self, bundles: Iterable[Bundle]) -> None:
        for bundle in bundles:
            bundle.source_mirrors = bundle.destination_mirrors = bundle.output_mirrors = 0
        outputs: dict[tuple[Bundle | None, int | None], int] = {}
        for number, mirror in enumerate(self._slots):
            if mirror is None:
                continue
            bit = 1 << number
            outputs[mirror.output, mirror.output_vlan] = (
                outputs.get((mirror.output, mirror.output_vlan), 0) | bit
            )
            for bundle in mirror.sources:
                bundle.source_mirrors |= bit
            for bundle in mirror.destinations:
                bundle.destination_mirrors |= bit
            if mirror.output is not None:
                mirror.output.output_mirrors |= bit
        for mirror in self:
            mirror.twins = outputs[mirror.output, mirror.output_vlan]
