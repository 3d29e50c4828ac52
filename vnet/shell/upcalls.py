"""Misses as they happen, printed while the lab runs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from vnet.base.units import duration_text
from vnet.lab.ovs_commands import BridgeCommands
from vnet.shell.output import plural, write

if TYPE_CHECKING:
    from vnet.ovs.ofproto.upcall_note import UpcallNote


class UpcallWatch:
    """Prints each frame that came in by ``bridge`` and missed, from now until :meth:`stop`."""

    def __init__(self, label: str, bridge: BridgeCommands) -> None:
        self.label = label
        self.seen = 0
        self._name = bridge.name
        self._watchers = bridge.machine.vswitchd.backer.upcall_watchers
        self._watchers.append(self._show)

    @property
    def summary(self) -> str:
        """How much was printed."""
        return f"{plural(self.seen, 'miss', 'misses')} of {self.label}"

    def stop(self) -> None:
        """Print no more."""
        self._watchers.remove(self._show)

    def _show(self, note: UpcallNote) -> None:
        if note.bridge == self._name:
            self.seen += 1
            write(note_text(note, self.label), sys.stdout)


def note_text(note: UpcallNote, label: str) -> str:
    """Three lines: the frame, what translation said, and what it left in the datapath."""
    from vnet.guest.dissect import dissect

    frame = dissect(note.frame, note.time_ns).summary()
    left = "nothing: each such frame is decided by itself"
    if note.is_installed:
        left = f"{note.megaflow}, actions:{note.actions}"
    return "\n".join(
        [
            f"{duration_text(note.time_ns):>12}  {label} {note.port} < {frame}",
            f"{'':14}said  {'; '.join(note.steps)}",
            f"{'':14}left  {left}",
        ]
    )
