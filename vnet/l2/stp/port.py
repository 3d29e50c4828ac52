"""A port in a spanning tree: its variables, states and timers (802.1D-1998, 8.4 and 8.5)."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from vnet.l2.stp.offer import Offer


class StpState(Enum):
    """What a port does (802.1D-1998, 8.4); the value is its word."""

    DISABLED = "disabled"
    BLOCKING = "blocking"
    LISTENING = "listening"
    LEARNING = "learning"
    FORWARDING = "forwarding"

    @property
    def forwards(self) -> bool:
        """Whether frames are relayed."""
        return self is StpState.FORWARDING

    @property
    def learns(self) -> bool:
        """Whether stations are learned."""
        return self in (StpState.LEARNING, StpState.FORWARDING)


class StpRole(Enum):
    """What a port is for; the value is its word."""

    ROOT = "root"
    DESIGNATED = "designated"
    ALTERNATE = "alternate"
    DISABLED = "disabled"


class StpTimer:
    """Counts up, in nanoseconds, while it runs.

    ``lasts_ns`` says for how long it runs, ``expire`` what happens then; whose timer it is asks and
    calls them.
    """

    __slots__ = ("expire", "lasts_ns", "value_ns")

    def __init__(self, lasts_ns: Callable[[], int], expire: Callable[[], None]) -> None:
        self.lasts_ns = lasts_ns
        self.expire = expire
        self.value_ns: int | None = None
        """None: it does not run."""

    def start(self, value_ns: int = 0) -> None:
        """Begin, or begin anew."""
        self.value_ns = value_ns

    def stop(self) -> None:
        """Run no more."""
        self.value_ns = None

    @property
    def is_running(self) -> bool:
        """Whether it counts."""
        return self.value_ns is not None


class StpPort:
    """A port. ``number`` orders ports, ``id`` is what BPDUs say. Its bridge gives it its timers.

    ``best`` is the best way to the root that is known on the LAN behind it; its own, where the
    port is designated.
    """

    __slots__ = (
        "best",
        "config_is_pending",
        "detects_changes",
        "forward_delay",
        "has_changed",
        "hold",
        "id",
        "message_age",
        "must_acknowledge",
        "n_errors",
        "n_received",
        "n_sent",
        "number",
        "path_cost",
        "state",
    )

    message_age: StpTimer
    forward_delay: StpTimer
    hold: StpTimer

    def __init__(self, number: int, port_id: int, path_cost: int, best: Offer) -> None:
        self.number = number
        self.id = port_id
        self.path_cost = path_cost
        self.best = best
        self.state = StpState.DISABLED
        self.has_changed = False
        self.detects_changes = True
        """Whether it tells others when it begins or ceases to forward (8.5.5.10)."""
        self.must_acknowledge = False
        self.config_is_pending = False
        self.n_sent = self.n_received = 0
        self.n_errors = 0
        """What could not be read, for whoever reads BPDUs to count."""

    def reset_counters(self) -> None:
        """The port takes part anew."""
        self.n_sent = self.n_received = self.n_errors = 0

    def stop_timers(self) -> None:
        """Forget the age of what is known, and how long the port has been in its state."""
        self.message_age.stop()
        self.forward_delay.stop()

    @property
    def way_to_root(self) -> tuple[int, int, int, int, int]:
        """The root's identifier, what the way to it by this port costs, and what settles a tie."""
        best = self.best
        return best.root_id, best.cost + self.path_cost, best.bridge_id, best.port_id, self.id
