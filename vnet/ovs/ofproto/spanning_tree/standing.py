"""What a port's place in a spanning tree says about frames."""

from __future__ import annotations

from vnet.base.record import record
from vnet.ovs.openflow.messages import PortState


@record(frozen=True, slots=True)
class TreeStanding:
    """Whether frames that come in are learned from, whether any pass, and whether BPDUs go out.

    ``protocol`` is its name in what is said of frames; ``state`` are the bits of the port's state
    in OpenFlow.
    """

    learns: bool = True
    forwards: bool = True
    sends_bpdus: bool = True
    protocol: str = ""
    state: PortState = PortState.NONE

    @property
    def forwards_in_tree(self) -> bool:
        """Whether the tree has frames pass; not so of a port outside it."""
        return self.forwards and bool(self.protocol)

    @property
    def learns_in_tree(self) -> bool:
        """Whether the tree has stations learned; not so of a port outside it."""
        return self.learns and bool(self.protocol)


OUTSIDE_TREE = TreeStanding()
"""A port that is no part of a tree: nothing is forbidden."""
