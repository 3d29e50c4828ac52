"""What ``tc qdisc show`` and ``tc class show`` print."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from vnet.linux.tc import htb_view
from vnet.linux.tc.errors import refused
from vnet.linux.tc.handles import INGRESS, INGRESS_HANDLE, ROOT, class_text, handle_text, major
from vnet.linux.tc.kinds import fq_codel, htb, prio
from vnet.linux.tc.kinds.table import KINDS, NOQUEUE
from vnet.linux.tc.numbers import size_text
from vnet.linux.tc.qdiscs import Placed, TrafficControl
from vnet.netdev.device import NetDevice
from vnet.netdev.nic import Nic
from vnet.sim.link import LINK_QUEUE_FULL
from vnet.sim.qdisc.discipline import Discipline, QdiscStats
from vnet.sim.qdisc.fifo import PfifoFast
from vnet.sim.qdisc.fq_codel import FqCodel
from vnet.sim.qdisc.htb import Htb
from vnet.sim.qdisc.htb_queue import HtbQueue, QueueClass
from vnet.sim.qdisc.priority import DEFAULT_PRIOMAP
from vnet.sim.qdisc.tbf import Tbf

_QUEUELESS = ("loopback", "bridge", "veth", "vlan", "openvswitch")
_HASH_FACTOR, _HASH_BITS = 0x61C88647, 4


@dataclass(frozen=True, slots=True)
class View:
    """How much is shown, and of what: ``device``, ``parent`` and ``handle`` None leave all in."""

    statistics: bool = False
    details: bool = False
    invisible: bool = False
    device: NetDevice | None = None
    parent: int | None = None
    handle: int | None = None


def default_kind(device: NetDevice) -> str:
    """What a device has that nobody gave a qdisc: virtual ones none, cards a queue."""
    return NOQUEUE if device.kind in _QUEUELESS else PfifoFast.kind


def root_kind(device: NetDevice) -> str:
    """The kind of the first qdisc, as ``ip link`` has it."""
    if device.qdisc is None:
        # It has one from the first time on that it is set up.
        return default_kind(device) if device.has_queue else "noop"
    return device.qdisc.kind


def qdiscs_text(control: TrafficControl, devices: Sequence[NetDevice], view: View) -> str:
    """``tc qdisc show``: device by device, each with its root before all others."""
    lines: list[str] = []
    for device in devices:
        for entry in _entries(control, device, with_defaults=view.invisible):
            if view.parent not in (None, entry.parent) or view.handle not in (None, entry.handle):
                continue
            lines += entry.lines(view, device)
    return "\n".join(lines)


def counted_by(control: TrafficControl, device: NetDevice, handle: int) -> tuple[str, QdiscStats]:
    """The kind and the counters of a qdisc; handle 0 is that of the root. Raises
    :class:`TcError` where there is none."""
    for entry in _entries(control, device):
        if entry.handle == handle or (not handle and entry.parent == ROOT):
            return entry.kind, entry.stats
    raise refused("Failed to find specified qdisc")


@dataclass(frozen=True, slots=True)
class _Entry:
    kind: str
    handle: int
    parent: int
    stats: QdiscStats
    options: str
    detailed: str = ""
    more_stats: Sequence[str] = ()

    def lines(self, view: View, device: NetDevice) -> Iterator[str]:
        where = f"dev {device.name} " if view.device is None else ""
        place = "root refcnt 2 " if self.parent == ROOT else f"parent {class_text(self.parent)} "
        options = self.detailed if view.details and self.detailed else self.options
        yield f"qdisc {self.kind} {handle_text(self.handle)} {where}{place}{options}"
        if view.statistics:
            yield from stats_lines(self.stats)
            yield from self.more_stats


def stats_lines(stats: QdiscStats) -> Iterator[str]:
    """What ``-s`` adds."""
    yield (
        f" Sent {stats.sent_bytes} bytes {stats.sent_packets} pkt (dropped {stats.drops}, "
        f"overlimits {stats.overlimits} requeues {stats.requeues}) "
    )
    backlog = f"{size_text(stats.backlog_bytes)} {stats.backlog_packets}p"
    yield f" backlog {backlog} requeues {stats.requeues}"


def _entries(
    control: TrafficControl, device: NetDevice, *, with_defaults: bool = False
) -> Iterator[_Entry]:
    if device.qdisc is None and device.has_queue:
        yield _default(device)
    if isinstance(device.qdisc, Htb):
        stats = htb_view.total(device.qdisc)
        yield _Entry(Htb.kind, htb_view.HANDLE, ROOT, stats, htb_view.OPTIONS)
    for placed in _ordered(control, device, with_defaults=with_defaults):
        yield _explicit(placed)
    if device.ingress is not None:
        yield _Entry("ingress", INGRESS_HANDLE, INGRESS, device.ingress.stats, "---------------- ")


def _ordered(
    control: TrafficControl, device: NetDevice, *, with_defaults: bool = False
) -> list[Placed]:
    """The root, and the others as the kernel finds them."""
    placed = list(control.placed(device, with_defaults=with_defaults))
    return [*placed[:1], *sorted(placed[1:], key=_bucket)]


def _bucket(placed: Placed) -> int:
    """Where the kernel keeps a qdisc: it lists them in the order of its hash table."""
    return (placed.qdisc.handle * _HASH_FACTOR & 0xFFFFFFFF) >> 32 - _HASH_BITS


def _explicit(placed: Placed) -> _Entry:
    qdisc = placed.qdisc
    kind = KINDS[qdisc.kind]
    return _Entry(
        qdisc.kind,
        qdisc.handle,
        placed.parent,
        qdisc.stats,
        kind.text(qdisc, False),
        kind.text(qdisc, True),
        fq_codel.stats_lines(qdisc) if isinstance(qdisc, FqCodel) else (),
    )


def _default(device: NetDevice) -> _Entry:
    """The queue of a card is that of the link it is plugged into."""
    if default_kind(device) == NOQUEUE:
        return _Entry(NOQUEUE, 0, ROOT, QdiscStats(), "")
    stats = QdiscStats(device.tx_bytes, device.tx_packets)
    if isinstance(device, Nic) and device.end is not None:
        end, now_ns = device.end, device.scheduler.now_ns
        stats.drops = end.drops.get(LINK_QUEUE_FULL, 0)
        # The first of those that have not left is being sent.
        stats.backlog_packets = max(sum(leaves_ns > now_ns for leaves_ns in end.queued) - 1, 0)
    options = prio.text(PfifoFast.bands, DEFAULT_PRIOMAP)
    return _Entry(PfifoFast.kind, 0, ROOT, stats, options)


# -- classes


def classes_text(control: TrafficControl, device: NetDevice, view: View) -> str:
    """``tc class show``: the classes of each qdisc, with what somebody hung on them."""
    lines: list[str] = []
    if isinstance(device.qdisc, Htb):
        lines += _htb_lines(device.qdisc, view)
    for placed in _ordered(control, device):
        if view.parent is None or major(view.parent) == placed.qdisc.handle:
            lines += _class_lines(placed.qdisc, view)
    return "\n".join(lines)


def _htb_lines(owned: Htb, view: View) -> Iterator[str]:
    for number, words, stats in htb_view.classes(owned):
        handle = htb_view.HANDLE | number
        if view.handle in (None, handle):
            yield f"class htb {class_text(handle)} {words}"
            if view.statistics:
                yield from stats_lines(stats)
                yield ""


def _tree_lines(qdisc: HtbQueue, view: View) -> Iterator[str]:
    for one in qdisc.classes:
        number, parent = qdisc.handle | one.htb.number, one.htb.parent
        if view.handle not in (None, number):
            continue
        place = "root" if parent is None else f"parent {class_text(qdisc.handle | parent.number)}"
        child = 0 if one.queue is None else one.queue.handle
        leaf = f"leaf {handle_text(child)} " if child else ""
        options = htb.class_options_text(one, details=view.details)
        yield f"class {qdisc.kind} {class_text(number)} {place} {leaf}{options}"
        if view.statistics:
            yield from stats_lines(_of_class(one))
            yield from htb.class_stats_lines(one)
            yield ""


def _of_class(one: QueueClass) -> QdiscStats:
    waiting = QdiscStats() if one.queue is None else one.queue.stats
    return replace(
        one.stats,
        overlimits=one.htb.n_overlimits,
        backlog_bytes=waiting.backlog_bytes,
        backlog_packets=waiting.backlog_packets,
    )


def _class_lines(qdisc: Discipline, view: View) -> Iterator[str]:
    if isinstance(qdisc, HtbQueue):
        yield from _tree_lines(qdisc, view)
        return
    for number, child in qdisc.children.items():
        handle = qdisc.handle | number
        if view.handle not in (None, handle):
            continue
        leaf = f"leaf {handle_text(child.handle)} " if child.handle else ""
        yield f"class {qdisc.kind} {class_text(handle)} parent {handle_text(qdisc.handle)} {leaf}"
        if view.statistics:
            if not isinstance(qdisc, Tbf):
                yield from stats_lines(child.stats)
            yield ""
