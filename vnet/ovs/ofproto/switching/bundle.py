"""A bundle: one port of the learning switch, made of one interface or of a bond of several.

OpenFlow sees interfaces; the NORMAL action sees bundles, with their VLAN modes
(ovs-vswitchd.conf.db(5), Port table, "VLAN Configuration").
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from vnet.ovs.ofproto.ports.ofport import OfPort
from vnet.ovs.ofproto.switching.vlan_mode import PriorityTags, VlanMode
from vnet.ovs.openflow.messages import PortConfig

if TYPE_CHECKING:
    from vnet.l2.lacp.aggregation import Aggregation
    from vnet.ovs.ofproto.bond.bond import Bond


class _EveryVlan(Container[int]):
    """All VLANs: what a set of trunks holds that nobody has set."""

    def __contains__(self, vlan: object) -> bool:
        return True

    def __repr__(self) -> str:
        return "EVERY_VLAN"


EVERY_VLAN = _EveryVlan()
_TRUNKABLE = frozenset(range(1, 4096))


@dataclass(slots=True, eq=False)
class Bundle:
    """A port of the learning switch. Compared by identity.

    ``vlan`` counts in every mode but TRUNK. ``trunks`` and ``cvlans`` hold the VLANs that may
    pass; ask ``carries_trunk`` rather than ``trunks``.
    """

    name: str
    ports: list[OfPort]
    vlan_mode: VlanMode = VlanMode.TRUNK
    vlan: int = 0
    trunks: Container[int] = EVERY_VLAN
    cvlans: Container[int] = EVERY_VLAN
    qinq_ethertype: int = 0x88A8
    priority_tags: PriorityTags = PriorityTags.NEVER
    is_protected: bool = False
    source_mirrors: int = field(default=0)
    """A bit for each mirror that selects frames received here."""
    destination_mirrors: int = field(default=0)
    """A bit for each mirror that selects frames sent here."""
    output_mirrors: int = field(default=0)
    """A bit for each mirror that outputs here; such a bundle carries nothing else."""
    bond: Bond | None = None
    """Who chooses among the ports, where there are several."""
    lacp: Aggregation[OfPort] | None = None
    """What the ports negotiate with their neighbours, if they do."""

    @property
    def is_floodable(self) -> bool:
        """Whether floods leave by it."""
        return all(port.floods and PortConfig.NO_FLOOD not in port.config for port in self.ports)

    def carries_trunk(self, vlan: int) -> bool:
        """Whether frames tagged with ``vlan`` belong here; never on an access port."""
        return self.vlan_mode is not VlanMode.ACCESS and vlan in self.trunks

    def includes(self, outer_vlan: int, inner_vlan: int) -> bool:
        """Whether frames of ``outer_vlan`` inside the switch, over ``inner_vlan``, go out here."""
        if self.vlan_mode is VlanMode.ACCESS:
            return outer_vlan == self.vlan and inner_vlan == 0
        if self.vlan_mode is VlanMode.DOT1Q_TUNNEL:
            return outer_vlan == self.vlan and inner_vlan in self.cvlans
        return self.carries_trunk(outer_vlan)


def trunks_with_native(trunks: Container[int], vlan: int) -> Container[int]:
    """What a port with a native VLAN carries: that one always, and never VLAN 0."""
    if vlan == 0 or (vlan in trunks and 0 not in trunks):
        return trunks
    return frozenset(other for other in _TRUNKABLE if other in trunks) | {vlan}
