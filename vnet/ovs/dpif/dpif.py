"""The datapath interface: the one door between ofproto and whatever forwards (dpif(9), lib/dpif.h).

Upcalls go up: frames that no installed flow matches, and frames that a flow's ``userspace``
action hands over. ``flow_put`` and ``execute`` go down. A datapath flow is a key and a mask
(bits of :class:`~vnet.ovs.flow.flow.Flow`, ``in_port`` a datapath port) with the datapath actions
to carry out. Masks of installed flows never disagree about a frame: two flows that overlap have
the same actions, so the datapath may stop at the first it finds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from vnet.base.drops import DropReason
from vnet.netdev.device import NetDevice
from vnet.ovs.dpif.actions import OdpActions
from vnet.ovs.dpif.cookies import Cookie
from vnet.ovs.dpif.meters import MeterConfig, MeterStats
from vnet.ovs.dpif.requests import Command, RequestWatcher
from vnet.ovs.flow.ports import OdpPort
from vnet.sim.frame import Frame
from vnet.tables.conntrack.tracker import ConnTracker


@dataclass(slots=True)
class FlowStats:
    """What a datapath flow has seen. ``used_ns`` None: never. ``tcp_flags`` is the union."""

    n_packets: int = 0
    n_bytes: int = 0
    used_ns: int | None = None
    tcp_flags: int = 0


@dataclass(frozen=True, slots=True)
class DatapathFlow:
    """An installed flow, as a dump shows it. ``stats`` is a copy; ``ufid`` is the name that it was
    given, if it was."""

    key: int
    mask: int
    actions: OdpActions
    stats: FlowStats
    ufid: str | None = None


@dataclass(frozen=True, slots=True)
class Upcall:
    """A frame that userspace must decide about.

    ``key`` is the flow as the datapath extracted it, with recirc_id, connection state and hash.
    ``cookie`` None means that no flow matched. ``mru_bytes`` is the largest fragment's size where
    the frame was put together from fragments, else 0. ``ends_here``: the action that it came up by
    is all that is done with it.
    """

    frame: Frame
    key: int
    cookie: Cookie | None = None
    mru_bytes: int = 0
    ends_here: bool = False


UpcallHandler = Callable[[Upcall], None]


@dataclass(frozen=True, slots=True)
class DatapathPort:
    """A port as ``dpctl/show`` lists it. ``kind`` is ``internal``, ``dummy``, ``system``, ...
    The datapath's own port has no ``device``."""

    number: OdpPort
    name: str
    kind: str
    device: NetDevice | None = field(default=None, compare=False)


class UdpPortRange(NamedTuple):
    """Which UDP source ports tunnels have; the last one is not used itself."""

    first: int
    last: int


DEFAULT_UDP_PORTS = UdpPortRange(32768, 61000)


@dataclass(slots=True)
class DatapathStats:
    """``dpctl/show``: lookups that hit and missed, upcalls lost, and how many flows and masks.
    ``n_recirculated`` of the lookups were of packets that had been looked up before."""

    n_hit: int = 0
    n_missed: int = 0
    n_lost: int = 0
    n_flows: int = 0
    n_masks: int = 0
    n_recirculated: int = 0


class Dpif(Protocol):
    """What ofproto may ask of a datapath. Unknown ports and flows raise ``KeyError``."""

    name: str

    @property
    def kind(self) -> str:
        """Its type: ``netdev`` or ``dummy``."""

    def watch(self, watcher: RequestWatcher) -> None:
        """Tell somebody of every request from now on, before it is carried out."""

    def unwatch(self, watcher: RequestWatcher) -> None:
        """Tell them no more."""

    def tell(self, command: Command, detail: str) -> None:
        """Tell who watches of something that was asked for in another way."""

    def set_upcall_handler(self, handler: UpcallHandler) -> None:
        """Who decides about frames; at most one."""

    @property
    def vlan_limit(self) -> int:
        """How many VLAN tags of a frame are told apart: 1 or 2."""

    def set_vlan_limit(self, vlan_limit: int) -> None:
        """Tell more or fewer tags apart. Flows that were put before go."""

    def port_add(self, device: NetDevice, kind: str, number: OdpPort | None = None) -> OdpPort:
        """Forward what ``device`` receives, from now on; the lowest free number unless given."""

    def tunnel_add(self, name: str, kind: str, number: OdpPort | None = None) -> OdpPort:
        """A port for the tunnels of a kind (``vxlan``, ``gre``, ...), which no device is behind."""

    @property
    def udp_ports(self) -> UdpPortRange:
        """Which UDP source ports tunnels have, by the hash of what is inside."""

    def set_udp_ports(self, ports: UdpPortRange) -> None:
        """Have tunnels use others (``tnl/egress_port_range``)."""

    def port_del(self, number: OdpPort) -> None:
        """Let go of a port; flows that name it stay until they are deleted."""

    def has_port(self, number: OdpPort) -> bool:
        """Whether a number is in use."""

    def ports(self) -> Iterator[DatapathPort]:
        """All ports by number."""

    def flow_put(
        self, key: int, mask: int, actions: OdpActions, *, ufid: str | None = None
    ) -> None:
        """Install a flow, or change the actions of the one with this key and mask. ``ufid`` is a
        name for it (``ufid:...``), where it has one.

        Raises :class:`DatapathFullError` where the table has no room.
        """

    def flow_del(self, key: int, mask: int) -> FlowStats:
        """Remove a flow and return what it had seen."""

    def flow_get(self, key: int, mask: int) -> DatapathFlow:
        """One flow."""

    def flows(self) -> Iterator[DatapathFlow]:
        """All flows, in the order of their installation."""

    def flow_flush(self) -> None:
        """Remove every flow."""

    def execute(self, frame: Frame, key: int, actions: OdpActions, *, mru_bytes: int = 0) -> None:
        """Carry actions out on a frame whose flow is ``key``, as if a flow had matched it.

        ``recirc`` in them looks up, and may come back as an upcall.
        """

    def drop(self, frame: Frame, number: OdpPort, reason: DropReason) -> None:
        """Count a frame that came up and ends there, for the port that it came in by."""

    def n_drops(self, event: str) -> int:
        """How many frames died of what ``coverage/show`` calls so."""

    def stats(self) -> DatapathStats:
        """Counters of the whole datapath."""

    def clear_stats(self) -> None:
        """Count anew what was looked up (``dpif-netdev/pmd-stats-clear``)."""

    def restart(self) -> None:
        """Be as one that is made anew: no connections, limits of them, or lookups."""

    @property
    def tracker(self) -> ConnTracker:
        """The connection tracker, for whoever looks at it or sets its limits."""

    def ct_dump(self, zone: int | None = None) -> Iterable[str]:
        """Connections as ``dpctl/dump-conntrack`` prints them."""

    def ct_flush(self, zone: int | None = None) -> None:
        """Forget connections."""

    def meter_set(self, meter_id: int, config: MeterConfig) -> None:
        """Create a meter, or begin one anew."""

    def meter_get(self, meter_id: int) -> MeterStats:
        """What a meter has counted."""

    def meter_del(self, meter_id: int) -> None:
        """Remove a meter."""


class DatapathFullError(Exception):
    """The datapath's flow table has no room; the frame is still forwarded, by ``execute``."""
