"""Peers that came by themselves and say nothing any more."""

from __future__ import annotations

from collections.abc import Callable

from vnet.base.units import NS_PER_MS
from vnet.live.clock import WallClock
from vnet.live.openflow.service import MS_PER_S
from vnet.ovs.vlog.vlog import Vlog
from vnet.sim.scheduler import Timer


class Silence:
    """Of one connection, ``name`` in logs: after a while ``probe`` is called, and after as long
    again without an answer ``ended``."""

    def __init__(
        self,
        clock: WallClock,
        name: str,
        vlog: Vlog,
        probe: Callable[[], None],
        ended: Callable[[], None],
    ) -> None:
        self._clock = clock
        self._name = name
        self._log = vlog.module("rconn")
        self._probe = probe
        self._ended = ended
        self._limit_ms = 0
        self._since_ms = self._now_ms
        self._was_asked = False
        self._timer = Timer(clock, self._look)

    def configure(self, limit_ms: int) -> None:
        """Allow it for so long; 0: for ever."""
        self._limit_ms = limit_ms
        self._wait()

    def heard(self) -> None:
        """The peer has said something."""
        self._since_ms = self._now_ms
        self._was_asked = False

    def close(self) -> None:
        """The connection is no more."""
        self._timer.cancel()

    @property
    def _now_ms(self) -> int:
        return self._clock.real_now_ns // NS_PER_MS

    def _wait(self) -> None:
        self._timer.cancel()
        if self._limit_ms:
            left_ms = self._since_ms + self._limit_ms - self._now_ms
            self._timer.arm(max(left_ms, 0) * NS_PER_MS)

    def _look(self) -> None:
        """What has been heard meanwhile puts this off, which is cheaper than a timer for each."""
        now_ms = self._now_ms
        if now_ms < self._since_ms + self._limit_ms:
            self._wait()
        elif self._was_asked:
            self._log.err(
                f"{self._name}: no response to inactivity probe after "
                f"{(now_ms - self._since_ms) // MS_PER_S} seconds, disconnecting"
            )
            self._ended()
        else:
            self._was_asked = True
            self._since_ms = now_ms
            self._probe()
            self._wait()
