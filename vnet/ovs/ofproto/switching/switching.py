"""What the NORMAL action of one bridge works with: bundles, learned stations, mirrors."""

from __future__ import annotations

from collections.abc import Iterable

from vnet.ovs.flow.ports import OfpPort
from vnet.ovs.ofproto.switching.bundle import Bundle
from vnet.ovs.ofproto.switching.mac_learning import MacLearning
from vnet.ovs.ofproto.switching.mirror import Mirror, Mirrors
from vnet.ovs.ofproto.switching.multicast import MulticastSnooping


class Switching:
    """The learning switch inside a bridge; floods go out in the order of ``bundles``."""

    def __init__(self) -> None:
        self.bundles: dict[str, Bundle] = {}
        self.mac_table: MacLearning[Bundle] = MacLearning()
        self.mirrors = Mirrors()
        self.snooping: MulticastSnooping | None = None
        """Who listens to what group, where that is found out."""
        self.forward_bpdu = False
        """Whether NORMAL forwards frames to reserved addresses (01:80:c2:00:00:0x)."""
        self._by_port: dict[OfpPort, Bundle] = {}

    def set_bundles(self, bundles: Iterable[Bundle]) -> None:
        """Replace the bundles. Stations stay where a bundle is the very object it was, unless
        one goes that a mirror has selected: then Open vSwitch learns all of them anew.
        """
        kept = {bundle.name: bundle for bundle in bundles}
        gone = [old for name, old in self.bundles.items() if kept.get(name) is not old]
        for old in gone:
            self.mac_table.flush_port(old)
            if self.snooping is not None:
                self.snooping.table.forget_port(old)
        self.mirrors.drop_outputs(gone)
        if self.mirrors.select(gone):
            self.mac_table.flush()
        self.bundles = kept
        self._by_port = {port.number: b for b in kept.values() for port in b.ports}

    def flush(self) -> None:
        """Forget all that was learned: stations, and who listens to what group."""
        self.mac_table.flush()
        if self.snooping is not None:
            self.snooping.table.flush()

    def flush_bundle(self, bundle: Bundle) -> None:
        """Forget what was learned of one bundle."""
        self.mac_table.flush_port(bundle)
        if self.snooping is not None:
            self.snooping.table.flush_port(bundle)

    def set_mirrors(self, mirrors: Iterable[Mirror]) -> list[str]:
        """Replace the mirrors; returns the names for which there was no room."""
        return self.mirrors.set(mirrors, self.bundles.values())

    def bundle_of(self, port: OfpPort) -> Bundle | None:
        """The bundle that an OpenFlow port belongs to."""
        return self._by_port.get(port)
