"""One machine's netfilter: who looks at packets, at which hook, and in which order.

A namespace has none until somebody asks for it (``namespace.make_netfilter()``).

    netfilter.register(4, Hook.FORWARD, Priority.FILTER, ruleset_judges_filter)
    netfilter.register_nat(4, Hook.POSTROUTING, ruleset_judges_nat)
    netfilter.track(4)                       # somebody needs connections to be known

``register_nat`` is for chains that are walked for a connection's first packet alone; they call
:func:`vnet.linux.netfilter.nat.set_up` by their targets.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import TYPE_CHECKING

from vnet.linux.netfilter.carried import CarryingFrame
from vnet.linux.netfilter.conntrack import Conntrack
from vnet.linux.netfilter.fragments4 import Gatherer4
from vnet.linux.netfilter.fragments6 import Gatherer6
from vnet.linux.netfilter.framing import framed
from vnet.linux.netfilter.hooks import FORWARDED, Hook, Priority
from vnet.linux.netfilter.nat import Nat
from vnet.linux.netfilter.output import IpStack, leaves, send_own
from vnet.linux.netfilter.packet import NfPacket
from vnet.linux.netfilter.road import pave
from vnet.linux.netfilter.settings import settings_of
from vnet.linux.netfilter.verdict import ACCEPT, Action, Verdict
from vnet.netdev.device import NetDevice
from vnet.sim.frame import Frame, Meta

if TYPE_CHECKING:
    from vnet.linux.netfilter.ruleset import Ruleset
    from vnet.linux.netns.interface import Interface
    from vnet.linux.netns.namespace import Namespace
    from vnet.linux.netns.way import Way

Judge = Callable[[NfPacket], Verdict]
"""Who looks at packets. It may change the packet, its mark, and what is known of it."""

_FAMILIES = (4, 6)
_NAT_PRIORITY = {
    Hook.PREROUTING: Priority.NAT_DESTINATION,
    Hook.OUTPUT: Priority.NAT_DESTINATION,
    Hook.INPUT: Priority.NAT_SOURCE,
    Hook.POSTROUTING: Priority.NAT_SOURCE,
}


class Netfilter:
    """Hooks of one namespace.

    ``namespace`` has the doors that targets need: ``icmp`` and ``icmpv6`` (errors), ``log``,
    ``chance``, ``scheduler``, ``sysctls``. ``families`` are those that anybody looks at.
    ``table_handles`` are for tables in the order of their making, of both families.
    ``is_roadworthy`` says whether forwarded IPv4 meets only those that may be spared it.
    """

    __slots__ = (
        "_gatherers",
        "_judges",
        "_rules",
        "_running",
        "_tracked",
        "conntrack",
        "families",
        "is_roadworthy",
        "namespace",
        "nat",
        "table_handles",
    )

    def __init__(self, namespace: Namespace) -> None:
        self.namespace = namespace
        self.conntrack = Conntrack(namespace)
        self.nat = Nat(namespace, self.conntrack)
        self._gatherers: dict[int, Gatherer4 | Gatherer6] = {
            4: Gatherer4(namespace),
            6: Gatherer6(namespace),
        }
        self.families: frozenset[int] = frozenset()
        self.is_roadworthy = True
        self._tracked = dict.fromkeys(_FAMILIES, 0)
        self._rules: dict[int, Ruleset] = {}
        self.table_handles = count(1)
        self._judges: dict[tuple[int, Hook], list[tuple[int, Judge]]] = {
            (family, hook): [] for family in _FAMILIES for hook in Hook
        }
        self._running: dict[tuple[int, Hook], tuple[Judge, ...]] = dict.fromkeys(self._judges, ())

    def rules(self, family: int) -> Ruleset:
        """The tables of iptables (4) or ip6tables (6)."""
        # Rules are made of what this module offers, so they are imported when there are any.
        from vnet.linux.netfilter.ruleset import Ruleset

        if family not in self._rules:
            self._rules[family] = Ruleset(family, self)
        return self._rules[family]

    @property
    def rules4(self) -> Ruleset:
        """What iptables shows and changes."""
        return self.rules(4)

    @property
    def rules6(self) -> Ruleset:
        """What ip6tables shows and changes."""
        return self.rules(6)

    # -- who looks

    def register(self, family: int, hook: Hook, priority: Priority | int, judge: Judge) -> None:
        """Have ``judge`` look at the packets of a family (4 or 6) that come to a hook."""
        judges = self._judges[family, hook]
        judges.append((int(priority), judge))
        judges.sort(key=lambda entry: entry[0])
        self._refresh(family, hook)

    def unregister(self, family: int, hook: Hook, judge: Judge) -> None:
        """The opposite; ``judge`` is equal to the one that was registered."""
        judges = self._judges[family, hook]
        judges.remove(next(entry for entry in judges if entry[1] == judge))
        self._refresh(family, hook)

    def register_nat(self, family: int, hook: Hook, judge: Judge) -> None:
        """Have ``judge`` look at each connection's first packet; connections are tracked then.

        PREROUTING and OUTPUT translate destinations, INPUT and POSTROUTING sources.
        """
        chains = self.nat.chains
        if not any(known == family for known, _ in chains):
            self.track(family)
            for place, priority in _NAT_PRIORITY.items():
                self.register(family, place, priority, self.nat.translate)
        chains[family, hook] = (*chains.get((family, hook), ()), judge)

    def unregister_nat(self, family: int, hook: Hook, judge: Judge) -> None:
        """The opposite. What is translated already stays in the table, and in use no more."""
        chains = self.nat.chains
        left = list(chains.pop((family, hook)))
        left.remove(judge)
        if left:
            chains[family, hook] = tuple(left)
        if not any(known == family for known, _ in chains):
            for place in _NAT_PRIORITY:
                self.unregister(family, place, self.nat.translate)
            self.untrack(family)

    def track(self, family: int) -> None:
        """One more needs connections of a family to be known; ``untrack`` is the opposite."""
        self._tracked[family] += 1
        if self._tracked[family] == 1:
            for hook, priority, judge in self._tracking():
                self.register(family, hook, priority, judge)

    def untrack(self, family: int) -> None:
        """One less does. Known connections stay."""
        self._tracked[family] -= 1
        if self._tracked[family] == 0:
            for hook, _, judge in self._tracking():
                self.unregister(family, hook, judge)

    def _tracking(self) -> tuple[tuple[Hook, Priority, Judge], ...]:
        enter, leave = self.conntrack.enter, self.conntrack.leave
        return (
            (Hook.PREROUTING, Priority.DEFRAGMENT, self._gather),
            (Hook.OUTPUT, Priority.DEFRAGMENT, self._gather),
            (Hook.PREROUTING, Priority.CONNTRACK, enter),
            (Hook.OUTPUT, Priority.CONNTRACK, enter),
            (Hook.INPUT, Priority.CONFIRM, leave),
            (Hook.POSTROUTING, Priority.CONFIRM, leave),
        )

    def _gather(self, packet: NfPacket) -> Verdict:
        """Tracking sees whole packets alone."""
        return self._gatherers[packet.family].gather(packet)

    def _refresh(self, family: int, hook: Hook) -> None:
        self._running[family, hook] = tuple(judge for _, judge in self._judges[family, hook])
        self.families = frozenset(family for (family, _), judges in self._running.items() if judges)
        self.is_roadworthy = all(
            judge in self._sparing or getattr(judge, "LEAVES_TRAIL", False)
            for place in FORWARDED
            for judge in self._running[4, place]
        )
        self.changed()

    @property
    def _sparing(self) -> tuple[Judge, ...]:
        """Those here that do the same for each packet of a flow."""
        conntrack = self.conntrack
        return self._gather, conntrack.enter, conntrack.leave, self.nat.translate

    def changed(self) -> None:
        """Rules changed: what was decided for flows need not hold any more."""
        self.namespace.forget_decisions()

    def settings_changed(self) -> None:
        """Some setting of the namespace changed, perhaps one of net.netfilter."""
        self.conntrack.configure(settings_of(self.namespace.sysctls.conntrack))

    def watches(self, family: int, *hooks: Hook) -> bool:
        """Whether anybody looks at one of these hooks."""
        return any(self._running[family, hook] for hook in hooks)

    # -- packets

    def run(self, hook: Hook, packet: NfPacket) -> bool:
        """Show a packet to all that look at ``hook``; False where it ends here, and is counted."""
        packet.hook = hook
        for judge in self._running[packet.family, hook]:
            verdict = judge(packet)
            if verdict is ACCEPT:
                continue
            if packet.track is not None:
                self.conntrack.give_up(packet.track)
            if verdict.action is Action.DROP:
                self._drop(packet, verdict)
            return False
        return True

    def sees_off(
        self, data: bytes, family: int, device: NetDevice, meta: Meta | None = None
    ) -> bytes | None:
        """A packet of our own that is for a link and not routed: show it at OUTPUT and POSTROUTING.

        The packet as it leaves; None where it does not.
        """
        if family not in self.families:
            return data
        packet = NfPacket(self, data, family, Hook.OUTPUT, leaves=device, meta=meta)
        passes = self.run(Hook.OUTPUT, packet) and self.run(Hook.POSTROUTING, packet)
        return packet.data if passes else None

    def _drop(self, packet: NfPacket, verdict: Verdict) -> None:
        """Count a packet where it was, or was going."""
        device = packet.leaves if packet.entered is None else packet.entered
        device = packet.bridge_entered or device or self.namespace.loopback.device
        assert verdict.reason is not None
        packet.dropped = verdict.reason
        device.drop(packet.frame or framed(device, packet), verdict.reason, verdict.notes)

    def entered(self, device: NetDevice, frame: Frame, data: bytes, family: int) -> NfPacket | None:
        """A packet came in by a device: show it at PREROUTING. None where it ends there.

        One that a bridge has taken in was shown there.
        """
        packet = NfPacket(
            self, data, family, Hook.PREROUTING, entered=device, frame=frame, meta=frame.meta
        )
        if isinstance(frame, CarryingFrame) and frame.shown.netfilter is self:
            if frame.shown.bridge_entered is not None and device is frame.shown.entered:
                packet.take_over(frame.shown)
                packet.bridge_entered = frame.shown.bridge_entered
                if packet.pieces is not None:
                    # How large the pieces were at the bridge nobody remembers here.
                    packet.pieces = packet.pieces._replace(most_bytes=0)
                return packet
            if device is self.namespace.loopback.device:
                packet.take_over(frame.shown)
        packet.trail = []
        return packet if self.run(Hook.PREROUTING, packet) else None

    # -- what the IP stacks ask, so that they need know nothing of all this before there are rules

    def send_own(
        self,
        stack: IpStack,
        way: Way,
        packet: bytes,
        meta: Meta | None,
        about: NfPacket | None = None,
    ) -> None:
        """Send a packet of our own that has been routed; ``about`` is what it answers, if any."""
        send_own(stack, self, way, packet, meta, about)

    @staticmethod
    def leaves(stack: IpStack, way: Way, shown: NfPacket) -> bool:
        """Whether a packet of others is still to be sent on its way."""
        return leaves(stack, way, shown)

    @staticmethod
    def pave(interface: Interface, shown: NfPacket, way: Way) -> None:
        """A packet has left: let those of its flow that come behind take the short way."""
        pave(interface, shown, way)
