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
from typing import TYPE_CHECKING

from vnet.base.ids import MAC_ZERO
from vnet.linux.netfilter.hooks import Hook, Priority
from vnet.linux.netfilter.nat import Nat
from vnet.linux.netfilter.packet import NfPacket
from vnet.linux.netfilter.verdict import ACCEPT, Action, Verdict
from vnet.netdev.device import NetDevice
from vnet.sim.frame import Frame
from vnet.wire.ether import TYPE_IPV4, TYPE_IPV6
from vnet.wire.ether import frame as ether_frame

if TYPE_CHECKING:
    from vnet.linux.netns.namespace import Namespace

Judge = Callable[[NfPacket], Verdict]
"""Who looks at packets. It may change the packet, its mark, and what is known of it."""

_FAMILIES = (4, 6)


class Netfilter:
    """Hooks of one namespace.

    ``namespace`` has the doors that targets need: ``icmp`` and ``icmpv6`` (errors), ``log``,
    ``chance``, ``scheduler``, ``sysctls``.
    """

    __slots__ = ("_judges", "_running", "_tracked", "namespace", "nat")

    def __init__(self, namespace: Namespace) -> None:
        self.namespace = namespace
        self.nat = Nat(namespace)
        self._tracked = dict.fromkeys(_FAMILIES, 0)
        self._judges: dict[tuple[int, Hook], list[tuple[int, Judge]]] = {
            (family, hook): [] for family in _FAMILIES for hook in Hook
        }
        self._running: dict[tuple[int, Hook], tuple[Judge, ...]] = dict.fromkeys(self._judges, ())

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
        raise NotImplementedError

    def unregister_nat(self, family: int, hook: Hook, judge: Judge) -> None:
        """The opposite. What was translated stays so."""
        raise NotImplementedError

    def track(self, family: int) -> None:
        """One more needs connections of a family to be known; ``untrack`` is the opposite."""
        self._tracked[family] += 1

    def untrack(self, family: int) -> None:
        """One less does. Known connections stay."""
        self._tracked[family] -= 1

    def _refresh(self, family: int, hook: Hook) -> None:
        self._running[family, hook] = tuple(judge for _, judge in self._judges[family, hook])
        self.changed()

    def changed(self) -> None:
        """Rules changed: what was decided for flows need not hold any more."""
        self.namespace.forget_decisions()

    def watches(self, family: int, hook: Hook) -> bool:
        """Whether anybody looks there."""
        return bool(self._running[family, hook])

    # -- packets

    def run(self, hook: Hook, packet: NfPacket) -> bool:
        """Show a packet to all that look at ``hook``; False where it ends here, and is counted."""
        packet.hook = hook
        for judge in self._running[packet.family, hook]:
            verdict = judge(packet)
            if verdict is ACCEPT:
                continue
            if verdict.action is Action.DROP:
                self._drop(packet, verdict)
            return False
        return True

    def _drop(self, packet: NfPacket, verdict: Verdict) -> None:
        """Count a packet where it was, or was going."""
        device = packet.leaves if packet.entered is None else packet.entered
        device = packet.bridge_entered or device or self.namespace.loopback.device
        frame = packet.frame or _framed(device, packet)
        assert verdict.reason is not None
        device.drop(frame, verdict.reason, verdict.notes)


def _framed(device: NetDevice, packet: NfPacket) -> Frame:
    """A packet that no frame has brought, as captures and the trace show it."""
    kind = TYPE_IPV4 if packet.family == 4 else TYPE_IPV6
    return Frame(ether_frame(MAC_ZERO, device.mac, kind, packet.data), packet.meta)
