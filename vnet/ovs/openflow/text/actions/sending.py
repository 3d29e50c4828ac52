"""What a switch receives when actions are sent to it.

No version of OpenFlow has words for all actions. What one lacks, others stand in for, or nothing
does: ``load`` arrives by OpenFlow 1.5 as ``set_field``, ``goto_table`` by OpenFlow 1.0 as
``resubmit``. A switch keeps, carries out and dumps what it received.
"""

from __future__ import annotations

from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.ofpacts import Ofpact, Ofpacts
from vnet.ovs.openflow.text.actions.nesting import MisplacedError, verify_order
from vnet.ovs.openflow.text.actions.registry import KINDS
from vnet.ovs.openflow.version import OpenFlowVersion


def as_sent(actions: Ofpacts, version: OpenFlowVersion) -> Ofpacts:
    """What a switch makes of a flow's ``actions``, checked already, sent by ``version``.

    To send them once more changes nothing, so that they are also what a dump shows. Raises
    :class:`OpenFlowError` where they arrive as something that a switch refuses.
    """
    return _Wire(version).read(actions, may_instruct=True, outer=None)


def as_sent_outside_flows(actions: Ofpacts, version: OpenFlowVersion) -> Ofpacts:
    """As :func:`as_sent`, where no instructions may stand: in buckets and packet-outs."""
    return _Wire(version).read(actions, may_instruct=False, outer=None)


class _Wire:
    """One sending; see :class:`~vnet.ovs.openflow.text.actions.kind.Wire`."""

    def __init__(self, version: OpenFlowVersion) -> None:
        self.version = version

    def nested(self, actions: Ofpacts, outer: type[Ofpact]) -> Ofpacts:
        return self.read(actions, may_instruct=False, outer=outer)

    def read(self, actions: Ofpacts, *, may_instruct: bool, outer: type[Ofpact] | None) -> Ofpacts:
        received = tuple(
            arrived for action in actions for arrived in KINDS[type(action)].sent(action, self)
        )
        try:
            verify_order(received, self.version, may_instruct=may_instruct, outer=outer)
        except MisplacedError as misplaced:
            raise OpenFlowError(misplaced.error, misplaced.sentence) from None
        return received
