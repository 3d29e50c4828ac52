"""The books: every frame that a node takes in leaves a mark, and no wire loses one unseen.

Two laws are kept here.

* At a node, for each single frame: it was handed on, or a protocol took it in (it answered, it
  learned, it waits, a program got it), or it was dropped with a reason. :class:`Witness` stands
  behind every device of a node and compares what can be seen of the node before and after.
  Which frames may rightly leave no mark is said by :func:`says_nothing_new`, from the outside.
* On a wire, once it is at rest: what one side sent, the other received, but for what was lost
  with a reason. :func:`imbalances` says where that does not hold.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial
from typing import TypeVar

from vnet.base.drops import DropReason
from vnet.base.ids import IPV6_ANY
from vnet.linux.netns.interface import Interface
from vnet.linux.netns.membership import GroupMembership
from vnet.linux.netns.namespace import Namespace
from vnet.netdev.device import DEVICE_DOWN, NetDevice
from vnet.netdev.loopback import Loopback
from vnet.netdev.nic import Nic
from vnet.netdev.pair import PairDevice
from vnet.sim.frame import Frame
from vnet.tables.neigh import Nud
from vnet.tables.pmtu import PathMtuCache
from vnet.tables.redirects import RedirectCache
from vnet.wire import icmp, icmpv6, igmp, ipv4, ipv6, mld, nd, ra

_KEPT_FRAMES = 10
V = TypeVar("V")


class Witness:
    """Watches a node's devices and keeps the first frames that vanished without a mark.

    ``devices`` are all of the node's; the Interface that belongs to one is found in
    ``namespace``, which a switch on the wire has none of.
    """

    def __init__(self, devices: Iterable[NetDevice], namespace: Namespace | None = None) -> None:
        self.vanished: list[tuple[str, bytes]] = []
        self.frames = 0
        self._namespace = namespace
        self._devices = tuple(devices)
        self._scheduler = self._devices[0].scheduler
        self._told = 0
        if namespace is not None:
            self._watch(namespace)
        for device in self._devices:
            device.rx_handler = partial(self._handle, device, device.rx_handler)

    def _watch(self, namespace: Namespace) -> None:
        namespace.listeners.append(self._note)
        sockets = namespace.sockets
        sockets.udp.sockets = _Noticing(sockets.udp.sockets, self._note)
        sockets.echo = _Noticing(sockets.echo, self._note)
        for stack in (namespace.ipv4, namespace.ipv6):
            stack.paths = _NoticingPaths(stack.paths.least_bytes, self._note)
        namespace.ipv6.redirects = _NoticingRedirects(self._note)

    def _note(self, *_: object) -> None:
        self._told += 1

    def _handle(self, device: NetDevice, handler: Callable[[Frame], None], frame: Frame) -> None:
        before = self.marks()
        handler(frame)
        self.frames += 1
        if self.marks() != before or len(self.vanished) >= _KEPT_FRAMES:
            return
        # Nothing changed, so that what excuses it can be looked up now.
        if not self._is_excused(device, frame.data):
            self.vanished.append((device.label, frame.data))

    def _is_excused(self, device: NetDevice, data: bytes) -> bool:
        namespace = self._namespace
        interface = None if namespace is None else namespace.interfaces.get(device.name)
        if namespace is None or interface is None or namespace.master_of(device.name) is not None:
            return False
        return says_nothing_new(interface, data)

    def marks(self) -> tuple[int, ...]:
        """What a frame must change: drops, what was handed on, what is waited for or learned."""
        dropped = handed_on = 0
        for device in self._devices:
            handed_on += device.tx_packets + device.rx_packets
            for count in device.drops.values():
                dropped += count
        namespace = self._namespace
        held = queued = 0
        if namespace is not None:
            held = namespace.ipv4.held_bytes + namespace.ipv6.held_bytes
            for interface in namespace.interfaces.values():
                queued += interface.arp_cache.table.queued + interface.nd_cache.table.queued
        return dropped, handed_on, held, queued, self._told, self._scheduler.pending


class _Noticing(dict[int, V]):
    """A table of sockets that notices when a frame found one."""

    def __init__(self, sockets: dict[int, V], note: Callable[[], None]) -> None:
        super().__init__(sockets)
        self._note = note

    def get(self, key: int, default: V | None = None) -> V | None:  # type: ignore[override]
        found = super().get(key, default)
        if found is not None:
            self._note()
        return found


class _NoticingPaths(PathMtuCache):
    """A cache of paths that notices what it learns."""

    __slots__ = ("_note",)

    def __init__(self, least_bytes: int, note: Callable[[], None]) -> None:
        super().__init__(least_bytes)
        self._note = note

    def learn(self, target: bytes, mtu_bytes: int, now_ns: int) -> bool:
        news = super().learn(target, mtu_bytes, now_ns)
        if news:
            self._note()
        return news


class _NoticingRedirects(RedirectCache):
    """Better first hops, with a mark for each that is told of."""

    __slots__ = ("_note",)

    def __init__(self, note: Callable[[], None]) -> None:
        super().__init__()
        self._note = note

    def learn(self, destination: bytes, next_hop: bytes, told_by: bytes, now_ns: int) -> None:
        super().learn(destination, next_hop, told_by, now_ns)
        self._note()


def says_nothing_new(interface: Interface, data: bytes) -> bool:
    """Whether a frame is valid and may rightly leave no mark.

    Somebody queries for a group that is not here, or whose answer is due already; a router
    advertises itself without saying anything that a host here keeps, or names another one that
    is being asked for already; somebody without an address asks for routers. All else has to show.
    """
    if data[12:14] == b"\x81\x00":
        data = data[:12] + data[16:]
    kind, packet = data[12:14], data[14:]
    if kind == b"\x08\x00":
        header = ipv4.parse(packet)
        if header is not None and header.protocol == icmp.PROTOCOL:
            return _redirect_is_idle(interface, header.payload)
        if header is None or header.protocol != ipv4.IGMP:
            return False
        query = igmp.parse_query(header.payload)
        return query is not None and _query_is_idle(interface.igmp, query.group)
    header6 = ipv6.parse(packet) if kind == b"\x86\xdd" else None
    upper = None if header6 is None else ipv6.upper_layer(header6)
    if header6 is None or upper is None or upper.protocol != icmpv6.PROTOCOL:
        return False
    message = icmpv6.parse(header6.source, header6.target, upper.payload)
    return message is not None and _message6_is_idle(interface, header6, message)


def _query_is_idle(membership: GroupMembership, group: bytes) -> bool:
    if group in membership._query_timers:
        return True
    return any(group) and not membership.is_member(group)


def _redirect_is_idle(interface: Interface, payload: bytes) -> bool:
    message = icmp.parse(payload)
    if message is None or message.type != icmp.REDIRECT:
        return False
    gateway = interface.arp_cache.table.get(message.rest)
    return gateway is not None and gateway.state is Nud.INCOMPLETE


def _message6_is_idle(interface: Interface, header: ipv6.Ipv6, message: icmpv6.Icmpv6) -> bool:
    from_the_link = header.source[0] == 0xFE and header.source[1] >> 6 == 2
    if message.type == icmpv6.MLD_QUERY:
        query = mld.parse_query(message.body)
        if query is None or header.hop_limit != 1 or not from_the_link:
            return False
        return _query_is_idle(interface.mld, query.group)
    if message.type == icmpv6.ROUTER_SOLICITATION:
        return header.source == IPV6_ANY and bool(interface.conf6.forwarding)
    if message.type != icmpv6.ROUTER_ADVERTISEMENT or message.code != 0:
        return False
    router = ra.parse(message.body)
    if router is None or header.hop_limit != nd.HOP_LIMIT or not from_the_link:
        return False
    return router.source_mac is None


def drops_by_word(devices: Iterable[NetDevice]) -> Counter[str]:
    """What some devices, and the link ends that cards among them are plugged into, dropped."""
    found: Counter[str] = Counter()
    for device in devices:
        _add(found, device.drops)
        if isinstance(device, Nic) and device.end is not None:
            _add(found, device.end.drops)
    return found


def _add(found: Counter[str], drops: dict[DropReason, int]) -> None:
    for reason, count in drops.items():
        found[reason.word] += count


def imbalances(devices: Iterable[NetDevice]) -> list[str]:
    """Each wire at which more, or less, arrived than was sent and not lost on the way.

    Only meaningful while nothing is on its way; :func:`at_rest` waits for that.
    """
    found = []
    for device in devices:
        far, lost = _far_end(device)
        if far is None:
            continue
        # A device refuses what reaches it while it is down, and counts that as lost.
        refused = device.tx_packets - lost - far.rx_packets
        if not 0 <= refused <= far.drops.get(DEVICE_DOWN, 0):
            found.append(
                f"{device.label}: {device.tx_packets} sent, {lost} lost on the wire, "
                f"{far.rx_packets} received by {far.label}"
            )
    return found


def _far_end(device: NetDevice) -> tuple[NetDevice | None, int]:
    """Who receives what a device sends, and how much the wire between them has lost."""
    if isinstance(device, PairDevice):
        return device.peer, 0
    if isinstance(device, Loopback):
        return device, 0
    if isinstance(device, Nic) and device.end is not None:
        far = getattr(device.end.peer.receive, "__self__", None)
        return far, sum(device.end.drops.values())
    return None, 0


def at_rest(
    devices: Iterable[NetDevice], advance: Callable[[int], None], *, step_ns: int = 1_000_000_000
) -> list[str]:
    """Let time pass until every wire balances; what still does not after a hundred steps.

    Neighbours go on asking for each other, so a frame may be under way at any one moment.
    """
    devices = tuple(devices)
    for _ in range(100):
        found = imbalances(devices)
        if not found:
            return []
        advance(step_ns)
    return imbalances(devices)
