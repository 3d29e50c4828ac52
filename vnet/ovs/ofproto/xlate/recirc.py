"""Recirculation: translations that stopped half-way, and the numbers they are found by.

Some actions need to know what only the datapath can find out: what a popped label was hiding,
what the connection tracker says, a hash. Translation then freezes: it saves what it needs to go
on, has the datapath look the packet up again under a number of its own (``recirc_id``), and goes
on from there when that lookup comes up as a miss.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from vnet.base.record import record
from vnet.ovs.flow.flow import MEMBERS, Flow
from vnet.ovs.openflow.ofpacts import Ofpacts

if TYPE_CHECKING:
    from vnet.ovs.ofproto.ofproto import Ofproto

TUNNEL_MASK = sum(bits.mask for bits in MEMBERS if bits.name.startswith("tun_"))
"""All that a flow says of the tunnel that a packet came by, or should go by."""

REGS_MASK = sum(bits.mask for bits in Flow.regs)

FROZEN_MASK = TUNNEL_MASK | REGS_MASK | Flow.metadata.mask | Flow.in_port.mask
"""What of a flow no datapath keeps for us, and a frozen state therefore does."""

RELEASED_LINGER_NS = 250_000_000
"""How long a number that nothing refers to is still found, for packets on their way to it."""

_LONG_TERM_IDS = 1024


@record(frozen=True, slots=True)
class FrozenState:
    """A translation that stopped. ``metadata`` holds the bits of :data:`FROZEN_MASK`.

    Equal states share one number. ``origin`` is the bridge and the number of the first port
    that the packet came in by, patch ports aside; None where it came from a controller.
    """

    bridge: Ofproto
    table_id: int
    metadata: int
    stack: tuple[bytes, ...] = ()
    mirrors: int = 0
    conntracked: bool = False
    was_mpls: bool = False
    origin: tuple[Ofproto, int] | None = None
    actions: Ofpacts = ()
    action_set: Ofpacts = ()
    userdata: bytes = b""


class _Entry:
    __slots__ = ("recirc_id", "references", "released_ns", "state")

    def __init__(self, recirc_id: int, state: FrozenState) -> None:
        self.recirc_id = recirc_id
        self.state = state
        self.references = 1
        self.released_ns = 0


class RecircTable:
    """The frozen states of a datapath's bridges, by number and by content, with references."""

    def __init__(self) -> None:
        self._by_id: dict[int, _Entry] = {}
        self._by_state: dict[FrozenState, _Entry] = {}
        self._released: OrderedDict[int, _Entry] = OrderedDict()
        self._next_id = 1

    def __len__(self) -> int:
        return len(self._by_id)

    def find(self, recirc_id: int) -> FrozenState | None:
        """The state of a number, or None where there is none (any more)."""
        entry = self._by_id.get(recirc_id)
        return None if entry is None else entry.state

    def find_id(self, state: FrozenState) -> int:
        """The number of a state, without taking a reference; 0 where it has none."""
        entry = self._by_state.get(state)
        return 0 if entry is None else entry.recirc_id

    def ref_state(self, state: FrozenState) -> int:
        """The number of a state, a new one if need be; the caller holds a reference to it."""
        entry = self._by_state.get(state)
        if entry is not None:
            entry.references += 1
            return entry.recirc_id
        entry = _Entry(self._free_id(), state)
        self._by_id[entry.recirc_id] = entry
        self._by_state[state] = entry
        return entry.recirc_id

    def reserve(self, state: FrozenState) -> int:
        """A number of its own for a state, whoever else has an equal one; the caller holds it."""
        entry = _Entry(self._free_id(), state)
        self._by_id[entry.recirc_id] = entry
        return entry.recirc_id

    def ref_id(self, recirc_id: int) -> bool:
        """Take another reference to a number; False where it has been released."""
        entry = self._by_id.get(recirc_id)
        if entry is None or not entry.references:
            return False
        entry.references += 1
        return True

    def unref(self, recirc_id: int, now_ns: int) -> None:
        """Give a reference back. A number nobody holds is not given out for its state again."""
        entry = self._by_id[recirc_id]
        entry.references -= 1
        if not entry.references:
            if self._by_state.get(entry.state) is entry:
                del self._by_state[entry.state]
            entry.released_ns = now_ns
            self._released[recirc_id] = entry

    def sweep(self, now_ns: int) -> None:
        """Forget the numbers that were released long enough ago."""
        while self._released:
            recirc_id, entry = next(iter(self._released.items()))
            if now_ns - entry.released_ns < RELEASED_LINGER_NS:
                break
            del self._released[recirc_id], self._by_id[recirc_id]

    def _free_id(self) -> int:
        while True:
            recirc_id = self._next_id
            self._next_id = recirc_id + 1
            if recirc_id > 0xFFFFFFFF:
                # The first numbers may be held for good, so later rounds do not try them.
                self._next_id = _LONG_TERM_IDS + 1
            elif recirc_id not in self._by_id:
                return recirc_id
