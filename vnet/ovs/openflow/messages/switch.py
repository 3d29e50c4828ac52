"""What a switch says of itself, and what is set of it as a whole."""

from __future__ import annotations

from enum import Enum, IntFlag

from vnet.base.record import record
from vnet.ovs.openflow.messages.port import PortDesc


class Capabilities(IntFlag):
    """What a switch can do (OFPC_* as Open vSwitch keeps them; versions know some of these)."""

    NONE = 0
    FLOW_STATS = 1 << 0
    TABLE_STATS = 1 << 1
    PORT_STATS = 1 << 2
    STP = 1 << 3
    GROUP_STATS = 1 << 4
    IP_REASM = 1 << 5
    QUEUE_STATS = 1 << 6
    ARP_MATCH_IP = 1 << 7
    PORT_BLOCKED = 1 << 8
    BUNDLES = 1 << 9
    FLOW_MONITORING = 1 << 10


@record(frozen=True, slots=True)
class SwitchFeatures:
    """OFPT_FEATURES_REPLY. ``actions`` has a bit for each of 1.0's actions, and is of that version
    alone; ``ports`` are told up to 1.2, ``auxiliary_id`` from 1.3 on."""

    datapath_id: int
    n_buffers: int
    n_tables: int
    capabilities: Capabilities
    actions: int = 0
    auxiliary_id: int = 0
    ports: tuple[PortDesc, ...] = ()


class FragmentHandling(Enum):
    """What tables see of IP fragments (``ovs-ofctl set-frags``); the value is its text."""

    NORMAL = "normal"  # no transport ports
    DROP = "drop"
    REASSEMBLE = "reassemble"
    NX_MATCH = "nx-match"  # the first fragment's transport ports


@record(frozen=True, slots=True)
class SwitchConfig:
    """OFPT_SET_CONFIG, and what answers OFPT_GET_CONFIG_REQUEST.

    ``miss_send_len`` is how many bytes of a packet go to a controller where nothing else is said.
    ``invalid_ttl_to_controller`` is None from 1.3 on, where asynchronous messages are configured
    otherwise.
    """

    fragments: FragmentHandling
    miss_send_len: int
    invalid_ttl_to_controller: bool | None = None


@record(frozen=True, slots=True)
class SwitchDescription:
    """OFPST_DESC: texts of at most 255 bytes, ``serial_number`` 31."""

    manufacturer: str
    hardware: str
    software: str
    serial_number: str
    datapath: str
