"""A port: the standard's variables of it (802.1D-2004, 17.19), and what it does."""

from __future__ import annotations

from enum import Enum, IntEnum
from typing import TYPE_CHECKING

from vnet.l2.rstp.machine import Running
from vnet.l2.rstp.vector import Times, Vector
from vnet.wire.bpdu import Bpdu

if TYPE_CHECKING:
    from vnet.l2.rstp.bridge import Rstp

DEFAULT_PRIORITY = 128
DEFAULT_PATH_COST = 2000

_PRIORITY_STEP = 16
_MAX_PRIORITY = 240
_MAX_PATH_COST = 200_000_000


class RstpState(Enum):
    """What becomes of frames; the value is its word."""

    DISABLED = "Disabled"
    DISCARDING = "Discarding"
    LEARNING = "Learning"
    FORWARDING = "Forwarding"

    @property
    def forwards(self) -> bool:
        """Whether frames are relayed."""
        return self is RstpState.FORWARDING

    @property
    def learns(self) -> bool:
        """Whether stations are learned."""
        return self in (RstpState.LEARNING, RstpState.FORWARDING)


class PointToPoint(IntEnum):
    """Whether at most one other system is at the other end (adminPointToPointMAC, 6.4.3)."""

    FALSE = 0
    TRUE = 1
    AUTO = 2


_POINT_TO_POINT = frozenset(PointToPoint)


class RstpRole(Enum):
    """What a port is for; the value is its word."""

    ROOT = "Root"
    DESIGNATED = "Designated"
    ALTERNATE = "Alternate"
    BACKUP = "Backup"
    DISABLED = "Disabled"


class InfoIs(Enum):
    """Where ``port_priority`` comes from."""

    DISABLED = "Disabled"
    AGED = "Aged"
    MINE = "Mine"
    RECEIVED = "Received"


class RcvdInfo(Enum):
    """How a BPDU does against what is known."""

    SUPERIOR_DESIGNATED = "SuperiorDesignatedInfo"
    REPEATED_DESIGNATED = "RepeatedDesignatedInfo"
    INFERIOR_DESIGNATED = "InferiorDesignatedInfo"
    INFERIOR_ROOT_ALTERNATE = "InferiorRootAlternateInfo"
    OTHER = "OtherInfo"


_COUNTED_DOWN = (
    "hello_when",
    "tc_while",
    "fd_while",
    "rcvd_info_while",
    "rr_while",
    "rb_while",
    "mdelay_while",
    "edge_delay_while",
    "tx_count",
)


class RstpPort:
    """A port. ``number`` counts from 1; with the priority it makes the ``id`` that BPDUs have.

    Settings go by the methods: what is out of range leaves a setting as it was.
    """

    def __init__(self, bridge: Rstp, number: int) -> None:
        self.bridge = bridge
        self.number = number
        self.id = 0
        self.port_priority = Vector()
        self.reset()
        self.set_priority(DEFAULT_PRIORITY)

    def reset(self) -> None:
        """Begin anew; number, identifier and what was announced last stay."""
        self.priority = 0
        self.path_cost = 0
        self.state = RstpState.DISCARDING
        self.has_changed = False
        self.mac_operational = False
        self.is_admin_enabled = True
        self.port_enabled = False
        self.admin_edge = False
        self.auto_edge = True
        self.oper_edge = False
        self._admin_point_to_point = PointToPoint.FALSE
        self.oper_point_to_point_mac = True
        self.mcheck = False
        self.n_received = self.n_errors = self.uptime_s = 0
        self._reset_variables()
        self.set_path_cost(DEFAULT_PATH_COST)
        self.machines: tuple[Running[RstpPort], ...] = ()

    def _reset_variables(self) -> None:
        self.role = self.selected_role = RstpRole.ROOT
        self.info_is = InfoIs.DISABLED
        self.rcvd_info = RcvdInfo.SUPERIOR_DESIGNATED
        self.designated_priority = self.msg_priority = Vector()
        self.port_times = self.msg_times = self.designated_times = Times()
        self.bpdu: Bpdu | None = None
        self.agree = self.agreed = self.disputed = False
        self.proposed = self.proposing = False
        self.sync = self.synced = self.re_root = False
        self.forward = self.forwarding = self.learn = self.learning = False
        self.selected = self.reselect = self.updt_info = False
        self.fdb_flush = False
        self.new_info = False
        self.rcvd_bpdu = self.rcvd_msg = self.rcvd_rstp = self.rcvd_stp = False
        self.rcvd_tc = self.rcvd_tcn = self.rcvd_tc_ack = False
        self.send_rstp = False
        self.tc_ack = self.tc_prop = False
        self.hello_when = self.tc_while = self.fd_while = self.rcvd_info_while = 0
        self.rr_while = self.rb_while = self.mdelay_while = self.edge_delay_while = 0
        self.tx_count = 0

    # -- settings

    def set_priority(self, priority: int) -> None:
        """0 to 240; rounded down to a multiple of 16."""
        if priority != self.priority and 0 <= priority <= _MAX_PRIORITY:
            self.priority = priority - priority % _PRIORITY_STEP
            self._renew_id()

    def set_number(self, number: int) -> None:
        """A number that is free."""
        self.number = number
        self._renew_id()

    def _renew_id(self) -> None:
        self.id = self.number | self.priority << 8
        self.have_roles_chosen()

    def set_path_cost(self, path_cost: int) -> None:
        """1 to 200,000,000."""
        if path_cost != self.path_cost and 1 <= path_cost <= _MAX_PATH_COST:
            self.path_cost = path_cost
            self.have_roles_chosen()

    def set_point_to_point(self, setting: int) -> None:
        """One of :class:`PointToPoint`. Nothing is known of a link that would settle AUTO.

        A new port is taken to be on such a link, and FALSE, which it was set to before anybody
        set it, changes that only where another setting came between; so in Open vSwitch.
        """
        if setting != self._admin_point_to_point and setting in _POINT_TO_POINT:
            self._admin_point_to_point = PointToPoint(setting)
            self.oper_point_to_point_mac = setting == PointToPoint.TRUE

    def set_mcheck(self) -> None:
        """Find out anew whether the rapid protocol is understood."""
        if self.bridge.rstp_version:
            self.mcheck = True

    def have_roles_chosen(self) -> None:
        """Something has changed that roles depend on."""
        self.selected = False
        self.reselect = True

    def update_enabled(self) -> None:
        """Whether the port takes part: its link is usable, and nobody has set it down."""
        self.port_enabled = self.mac_operational and self.is_admin_enabled

    # -- what machines ask and tell

    def set_state(self, state: RstpState) -> None:
        """What becomes of frames from now on."""
        self.has_changed |= state is not self.state
        self.state = state

    @property
    def received(self) -> Bpdu:
        """The last BPDU that came in."""
        assert self.bpdu is not None, "no BPDU was received"
        return self.bpdu

    @property
    def others(self) -> list[RstpPort]:
        """The other ports of the bridge."""
        return [port for port in self.bridge.ports if port is not self]

    @property
    def forward_delay(self) -> int:
        """How long a state lasts where nobody agrees: two bridges that speak the rapid protocol
        need no more than a hello time (17.20.5).
        """
        times = self.designated_times
        return times.hello_time if self.send_rstp else times.forward_delay

    @property
    def edge_delay(self) -> int:
        """How long no BPDU has to come before nobody else is there (17.20.4)."""
        if self.oper_point_to_point_mac:
            return self.bridge.migrate_time
        return self.designated_times.max_age

    def count_down(self) -> None:
        """A second has passed (17.22)."""
        for timer in _COUNTED_DOWN:
            left = getattr(self, timer)
            if left:
                setattr(self, timer, left - 1)
        self.uptime_s += 1
