"""A command as a daemon offers it, and what its functions have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from vnet.ovs.dpif.dpif import Dpif
from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.ofproto.ofproto import Ofproto
from vnet.ovs.vswitchd.reconcile import Vswitchd

Run: TypeAlias = Callable[[Vswitchd, Sequence[str]], str]
"""Takes the words after the command's name, and returns the reply without its last newline.

Raises :class:`OvsTextError` with the daemon's sentence.
"""


@dataclass(frozen=True, slots=True)
class AppctlCommand:
    """A command. ``usage`` is what ``list-commands`` shows behind the name, None for an older
    name that it does not show; ``most`` None is any number of words. The daemon may not know it
    before it has its first bridge (``waits_for_bridge``). A word may be a packet in hexadecimal
    (``takes_packets``)."""

    name: str
    usage: str | None
    least: int
    most: int | None
    run: Run
    waits_for_bridge: bool = False
    takes_packets: bool = False

    def is_known(self, vswitchd: Vswitchd) -> bool:
        """Whether the daemon has it already."""
        return vswitchd.backer.has_had_bridge or not self.waits_for_bridge


def datapaths(vswitchd: Vswitchd) -> list[Dpif]:
    """The datapaths that there are: that of bridges is there as long as any bridge is."""
    others = vswitchd.other_datapaths.values()
    return [vswitchd.backer.dpif, *others] if vswitchd.bridges else [*others]


def bridge_named(vswitchd: Vswitchd, name: str) -> Ofproto:
    """A bridge, by what most commands say of one that is not there."""
    bridge = vswitchd.bridges.get(name)
    if bridge is None:
        raise OvsTextError("no such bridge")
    return bridge


def bridges_named(vswitchd: Vswitchd, words: Sequence[str]) -> list[Ofproto]:
    """The bridge that the one word names, or without a word all of them."""
    if not words:
        return list(vswitchd.bridges.values())
    return [bridge_named(vswitchd, words[0])]
