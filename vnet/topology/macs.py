"""Default MAC addresses: the hypervisor's own prefix, and three bytes that never change.

Whoever opens a capture should see at a glance who sent a frame, so a guest's card has
the prefix its hypervisor really uses. The rest comes from the seed and the card's name
alone: adding a machine to a file leaves the addresses of the others as they were.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

from vnet.base.ids import Mac
from vnet.topology.model import Hypervisor

OUI = {
    Hypervisor.XEN: b"\x00\x16\x3e",
    Hypervisor.KVM: b"\x52\x54\x00",
    Hypervisor.VMWARE: b"\x00\x0c\x29",
    Hypervisor.HYPERV: b"\x00\x15\x5d",
}

PHYSICAL = b"\x02"
"""Cards of hosts and routers: locally administered, five bytes of their own."""


class MacChooser:
    """Hands out addresses that are unique in the lab."""

    def __init__(self, seed: int, taken: Iterable[Mac]) -> None:
        self._seed = seed
        self._taken: set[bytes] = set(taken)

    def choose(self, prefix: bytes, node: str, nic: str) -> Mac:
        """The address of ``node``'s ``nic``, beginning with ``prefix``.

        Three bytes collide sooner than one thinks: 5,000 cards do so with even odds. Then
        the name is hashed again with a number behind it.
        """
        name = f"{self._seed}/{node}/{nic}"
        attempt = 0
        while True:
            text = f"{name}#{attempt}" if attempt else name
            mac = prefix + sha256(text.encode()).digest()[: 6 - len(prefix)]
            if mac not in self._taken:
                self._taken.add(mac)
                return Mac(mac)
            attempt += 1
