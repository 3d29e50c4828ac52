"""How many packet-ins a controller gets in a second (``controller_rate_limit``).

Those above the rate wait, for each port of the bridge by itself, and are sent in turn; when too
many wait, one goes of the port that has most. So a port that floods keeps nobody else's packets
from the controller. Source: Open vSwitch's pinsched; ovs-vswitchd.conf.db(5), Controller.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable

from vnet.base.units import NS_PER_MS
from vnet.ovs.flow.ports import OfpPort
from vnet.sim.scheduler import Scheduler, Timer

_TOKENS_A_MESSAGE = 1000
"""As many come in a second for each message of the rate."""
_DEFAULT_RATE = 1000
_BURST_PART = 4
_SHARE = 50
"""How many are sent at once of those that have waited."""


class PacketInRate:
    """One scheduler of one connection: ``deliver`` gets each message when it is its turn.

    ``rate`` is messages a second, ``burst`` how many may come at once after a pause, and as many
    may wait; 0 for either is what is usual.
    """

    def __init__(
        self, scheduler: Scheduler, deliver: Callable[[bytes], object], rate: int, burst: int
    ) -> None:
        self.n_normal = 0
        self.n_limited = 0
        self.n_dropped = 0
        self.n_queued = 0
        self._scheduler = scheduler
        self._deliver = deliver
        self._queues: OrderedDict[OfpPort, deque[bytes]] = OrderedDict()
        self._timer = Timer(scheduler, self._run)
        self._filled_ms: int | None = None
        self._tokens = 0
        self.configure(rate, burst)

    def configure(self, rate: int, burst: int) -> None:
        """Have other limits from now on."""
        self._rate = rate if rate > 0 else _DEFAULT_RATE
        self._burst = max(burst if burst > 0 else self._rate // _BURST_PART, 1)
        self._tokens = min(self._tokens, self._most_tokens)
        while self.n_queued > self._burst:
            self._drop_one()

    def send(self, port: OfpPort, message: bytes) -> None:
        """Send a message about a packet that came in by ``port``, now or later."""
        if not self.n_queued and self._has_token():
            self.n_normal += 1
            self._deliver(message)
            return
        if self.n_queued >= self._burst:
            self._drop_one()
        self._queues.setdefault(port, deque()).append(message)
        self.n_queued += 1
        self.n_limited += 1
        self._wait()

    def close(self) -> None:
        """What waits is not sent any more."""
        self._timer.cancel()
        self._queues.clear()
        self.n_queued = 0

    def _drop_one(self) -> None:
        self.n_dropped += 1
        port = max(self._queues, key=lambda port: len(self._queues[port]))
        self._take(port)

    def _take(self, port: OfpPort) -> bytes:
        queue = self._queues[port]
        message = queue.popleft()
        self.n_queued -= 1
        if not queue:
            del self._queues[port]
        return message

    def _run(self) -> None:
        for _ in range(_SHARE):
            if not self.n_queued or not self._has_token():
                break
            port = next(iter(self._queues))
            self._queues.move_to_end(port)
            self._deliver(self._take(port))
        if self.n_queued:
            self._wait()

    # -- tokens, which come by the millisecond

    @property
    def _most_tokens(self) -> int:
        return self._burst * _TOKENS_A_MESSAGE

    def _has_token(self) -> bool:
        if self._tokens < _TOKENS_A_MESSAGE:
            now_ms = self._scheduler.now_ns // NS_PER_MS
            if self._filled_ms is None:
                self._tokens = self._most_tokens
            else:
                more = self._rate * (now_ms - self._filled_ms)
                self._tokens = min(self._tokens + more, self._most_tokens)
            self._filled_ms = now_ms
        if self._tokens < _TOKENS_A_MESSAGE:
            return False
        self._tokens -= _TOKENS_A_MESSAGE
        return True

    def _wait(self) -> None:
        if self._timer.due_ns is not None:
            return
        now_ns = self._scheduler.now_ns
        lacking = max(_TOKENS_A_MESSAGE - self._tokens, 0)
        filled_ms = now_ns // NS_PER_MS if self._filled_ms is None else self._filled_ms
        due_ns = (filled_ms + -(-lacking // self._rate)) * NS_PER_MS
        self._timer.arm(max(due_ns - now_ns, 0))
