"""What a switch receives when a change of groups is sent to it."""

from __future__ import annotations

from vnet.ovs.openflow.messages import GroupMod
from vnet.ovs.openflow.version import version_of
from vnet.ovs.openflow.wire.group.group_mod import decode_group_mod, encode_group_mod


def group_as_sent(mod: GroupMod, protocol: int, *, openflow_full: bool = False) -> GroupMod:
    """What a switch makes of ``mod`` sent by ``protocol``, one of ``vnet.ovs.flow.protocols``.

    OpenFlow 1.1 to 1.4 have no room for bucket numbers and methods of selection. Raises
    :class:`OpenFlowError` where the switch refuses it; with ``openflow_full`` it knows what Open
    vSwitch lacks.
    """
    version = version_of(protocol)
    return decode_group_mod(encode_group_mod(mod, version), version, openflow_full=openflow_full)
