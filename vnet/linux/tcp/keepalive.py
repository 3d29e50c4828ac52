"""How long a connection is kept: keep-alive (RFC 9293 section 3.8.4), retries, and FIN-WAIT-2."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vnet.linux.tcp.rtt import LEAST_RTO_US, MOST_RTO_US, US_PER_S
from vnet.linux.tcp.settings import TcpSettings
from vnet.linux.tcp.states import MAY_SEND, State

if TYPE_CHECKING:
    from vnet.linux.tcp.connection import Connection


class Keepalive:
    """Probes of a silent peer; off unless the program asks for them (SO_KEEPALIVE).

    The same timer ends FIN-WAIT-2 where no program waits for the peer's FIN any more.
    """

    __slots__ = ("enabled", "idle_s", "interval_s", "most", "probes")

    def __init__(self, settings: TcpSettings) -> None:
        self.enabled = False
        self.idle_s = settings.keepalive_time_s
        self.interval_s = settings.keepalive_interval_s
        self.most = settings.keepalive_probes
        self.probes = 0
        """Probes since the peer was last heard."""

    def schedule(self, connection: Connection) -> None:
        """Look after the peer, from now on."""
        if self.enabled and connection.state in MAY_SEND | {State.FIN_WAIT_1, State.FIN_WAIT_2}:
            delay_us = self.idle_s * US_PER_S
            connection.timers.set_keepalive(connection.now_ns, delay_us)

    def answered(self) -> None:
        """The peer was heard."""
        self.probes = 0

    def watch_orphan(self, connection: Connection) -> None:
        """The program has closed: the peer's FIN has a minute to come once ours is there."""
        if connection.state is State.FIN_WAIT_2:
            delay_us = connection.settings.fin_timeout_s * US_PER_S
            connection.timers.set_keepalive(connection.now_ns, delay_us)

    def fire(self, connection: Connection) -> None:
        """The timer went off."""
        if connection.orphaned and connection.state is State.FIN_WAIT_2:
            return connection.end()
        if not self.enabled:
            return None
        sender = connection.sender
        wait_us = self.idle_s * US_PER_S
        if not sender.board.segments and not sender.has_new:
            silent_us = (connection.now_ns - connection.last_heard_ns) // 1000
            if silent_us >= wait_us:
                if self.probes >= self.most:
                    return connection.time_out()
                sender.ask()
                self.probes += 1
                wait_us = self.interval_s * US_PER_S
            else:
                wait_us -= silent_us
        connection.timers.set_keepalive(connection.now_ns, wait_us)
        return None


def gives_up(connection: Connection) -> bool:
    """Whether the timer of the sending side has gone off often enough."""
    sender, settings = connection.sender, connection.settings
    if connection.state is State.SYN_SENT:
        return sender.retries >= settings.syn_retries + settings.syn_linear_timeouts
    if connection.state is State.SYN_RECEIVED:
        return sender.retries >= settings.synack_retries
    retries = settings.orphan_retries if connection.orphaned else settings.retries2
    if sender.window_probe.sent:
        return sender.window_probe.sent > retries and _is_silent(connection, retries)
    if not sender.retries:
        return False
    return _is_silent(connection, retries)


def _is_silent(connection: Connection, retries: int) -> bool:
    """Whether the time is over that so many timeouts take, the first being the least there is."""
    limit_us, wait_us = 0, LEAST_RTO_US
    for _ in range(retries):
        limit_us += wait_us
        wait_us = min(wait_us << 1, MOST_RTO_US)
    silent_ns = connection.now_ns - connection.last_heard_ns
    return silent_ns >= (limit_us + wait_us) * 1000
