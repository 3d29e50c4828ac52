"""A connection's three timers, as moments; who sets them says when the kernel's wheel turns."""

from __future__ import annotations

from enum import Enum

from vnet.linux.timer_wheel import expiry_ns


class Alarm(Enum):
    """What the timer of the sending side waits for; it waits for one thing at a time.

    The value is the word ``ss -o`` prints.
    """

    RETRANSMIT = "on"
    LOSS_PROBE = "tlp"
    REORDERING = "reo"
    WINDOW_PROBE = "persist"


class Timers:
    """``deadline_ns`` is when the owner wants to be woken; None while nothing is pending."""

    __slots__ = ("ack_ns", "alarm", "keepalive_ns", "sending_ns")

    def __init__(self) -> None:
        self.alarm: Alarm | None = None
        self.sending_ns: int | None = None
        self.ack_ns: int | None = None
        self.keepalive_ns: int | None = None

    @property
    def deadline_ns(self) -> int | None:
        due_ns = self.sending_ns
        if self.ack_ns is not None and (due_ns is None or self.ack_ns < due_ns):
            due_ns = self.ack_ns
        if self.keepalive_ns is not None and (due_ns is None or self.keepalive_ns < due_ns):
            due_ns = self.keepalive_ns
        return due_ns

    def set_sending(self, alarm: Alarm, now_ns: int, delay_us: int) -> None:
        """Have the sending side's timer go off for ``alarm``, and for nothing else."""
        self.alarm = alarm
        self.sending_ns = expiry_ns(now_ns, delay_us * 1000)

    def set_ack(self, now_ns: int, delay_us: int) -> None:
        """Acknowledge in ``delay_us``, unless that is due sooner."""
        due_ns = expiry_ns(now_ns, delay_us * 1000)
        self.ack_ns = due_ns if self.ack_ns is None else min(due_ns, self.ack_ns)

    def set_keepalive(self, now_ns: int, delay_us: int) -> None:
        self.keepalive_ns = expiry_ns(now_ns, delay_us * 1000)

    def clear_sending(self) -> None:
        self.alarm = None
        self.sending_ns = None

    def clear(self) -> None:
        """Nothing more is to happen."""
        self.clear_sending()
        self.ack_ns = self.keepalive_ns = None
