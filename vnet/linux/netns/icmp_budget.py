"""How many ICMP messages a machine sends: in all, and to one address (net/ipv4/icmp.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vnet.linux.netns.peers import Peers
from vnet.linux.timer_wheel import JIFFY_NS
from vnet.wire import icmp

if TYPE_CHECKING:
    from vnet.base.chance import Stream
    from vnet.linux.netns.namespace import Namespace

_NS_PER_S = 1_000_000_000
_LEAST_PAUSE_NS = _NS_PER_S // 50


class Icmp4Budget:
    """What may still be sent. Which types of messages count, icmp_ratemask says.

    A message takes none, one or two of the credits that all share, by chance, so that nobody can
    count from outside how many the machine sent to others.
    """

    __slots__ = ("_chance", "_credits", "_filled_ns", "_namespace")

    def __init__(self, namespace: Namespace) -> None:
        self._namespace = namespace
        self._credits = 0
        self._filled_ns = -_NS_PER_S
        self._chance: Stream | None = None

    def allows(self, kind: int, code: int, target: bytes, peers: Peers) -> bool:
        """Whether a message may go to ``target`` now; it counts if so."""
        knobs = self._namespace.sysctls.ipv4
        is_counted = knobs.icmp_ratemask >> kind & 1
        if not is_counted or (kind, code) == (icmp.UNREACHABLE, icmp.FRAGMENTATION_NEEDED):
            return True
        if not self._has_credit():
            return False
        interval_ns = knobs.icmp_ratelimit * 1_000_000
        now_ns = self._namespace.scheduler.now_ns
        if not self._namespace.owns(target) and not peers.allow(target, now_ns, interval_ns):
            return False
        self._credits -= self._dice.randrange(3)
        return True

    def _has_credit(self) -> bool:
        if self._credits > 0:
            return True
        knobs = self._namespace.sysctls.ipv4
        now_ns = self._namespace.scheduler.now_ns // JIFFY_NS * JIFFY_NS
        pause_ns = min(now_ns - self._filled_ns, _NS_PER_S)
        earned = knobs.icmp_msgs_per_sec * pause_ns // _NS_PER_S
        if pause_ns < _LEAST_PAUSE_NS or not earned:
            return False
        self._filled_ns = now_ns
        self._credits = min(self._credits + earned, knobs.icmp_msgs_burst)
        return True

    @property
    def _dice(self) -> Stream:
        if self._chance is None:
            self._chance = self._namespace.chance.stream(f"{self._namespace.name} icmp credits")
        return self._chance
