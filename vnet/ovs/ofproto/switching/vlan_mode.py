"""How a port takes part in VLANs (ovs-vswitchd.conf.db(5), Port table)."""

from __future__ import annotations

from enum import Enum


class VlanMode(Enum):
    """What VLANs a port carries, and how; the value is the database's word."""

    ACCESS = "access"  # one VLAN, untagged
    TRUNK = "trunk"  # the VLANs of `trunks`, tagged
    NATIVE_TAGGED = "native-tagged"  # a trunk on which untagged frames belong to `vlan`
    NATIVE_UNTAGGED = "native-untagged"  # the same, and `vlan` leaves untagged
    DOT1Q_TUNNEL = "dot1q-tunnel"  # whatever comes is put into `vlan`, with a tag of its own


class PriorityTags(Enum):
    """Whether frames leave with a tag of VLAN 0 that only carries a priority."""

    NEVER = "never"
    IF_NONZERO = "if-nonzero"
    ALWAYS = "always"
