"""RFC 9293's states and what leads from one to the next (section 3.3.2, figure 5)."""

from __future__ import annotations

from enum import Enum


class State(Enum):
    """The value is the name that ``ss`` prints."""

    CLOSED = "UNCONN"
    LISTEN = "LISTEN"
    SYN_SENT = "SYN-SENT"
    SYN_RECEIVED = "SYN-RECV"
    ESTABLISHED = "ESTAB"
    FIN_WAIT_1 = "FIN-WAIT-1"
    FIN_WAIT_2 = "FIN-WAIT-2"
    CLOSE_WAIT = "CLOSE-WAIT"
    CLOSING = "CLOSING"
    LAST_ACK = "LAST-ACK"
    TIME_WAIT = "TIME-WAIT"


class Event(Enum):
    """What can move a connection: the program's calls, what the peer sent, and time."""

    PASSIVE_OPEN = "listen()"
    ACTIVE_OPEN = "connect()"
    CLOSE = "close() or shutdown()"
    SYN = "a SYN came"
    SYN_ACK = "a SYN came that acknowledges ours"
    ACK_OF_SYN = "our SYN was acknowledged"
    FIN = "the peer's FIN is in order"
    ACK_OF_FIN = "our FIN was acknowledged"
    RESET = "a RST came, the program aborted, or too many timeouts"
    TWO_MSL = "two maximum segment lifetimes have passed"


_S, _E = State, Event

TRANSITIONS: dict[State, dict[Event, State]] = {
    _S.CLOSED: {_E.PASSIVE_OPEN: _S.LISTEN, _E.ACTIVE_OPEN: _S.SYN_SENT},
    _S.LISTEN: {_E.SYN: _S.SYN_RECEIVED, _E.CLOSE: _S.CLOSED},
    _S.SYN_SENT: {
        _E.SYN_ACK: _S.ESTABLISHED,
        _E.SYN: _S.SYN_RECEIVED,  # both opened at once
        _E.CLOSE: _S.CLOSED,
        _E.RESET: _S.CLOSED,
    },
    _S.SYN_RECEIVED: {
        _E.ACK_OF_SYN: _S.ESTABLISHED,
        _E.CLOSE: _S.FIN_WAIT_1,
        _E.RESET: _S.CLOSED,
    },
    _S.ESTABLISHED: {
        _E.CLOSE: _S.FIN_WAIT_1,
        _E.FIN: _S.CLOSE_WAIT,
        _E.RESET: _S.CLOSED,
    },
    _S.FIN_WAIT_1: {
        _E.ACK_OF_FIN: _S.FIN_WAIT_2,
        _E.FIN: _S.CLOSING,  # both closed at once
        _E.RESET: _S.CLOSED,
    },
    _S.FIN_WAIT_2: {_E.FIN: _S.TIME_WAIT, _E.RESET: _S.CLOSED},
    _S.CLOSE_WAIT: {_E.CLOSE: _S.LAST_ACK, _E.RESET: _S.CLOSED},
    _S.CLOSING: {_E.ACK_OF_FIN: _S.TIME_WAIT, _E.RESET: _S.CLOSED},
    _S.LAST_ACK: {_E.ACK_OF_FIN: _S.CLOSED, _E.RESET: _S.CLOSED},
    _S.TIME_WAIT: {_E.TWO_MSL: _S.CLOSED, _E.RESET: _S.CLOSED},
}
"""An event that a state's row lacks cannot happen in it."""

SYNCHRONIZED = frozenset(State) - {_S.CLOSED, _S.LISTEN, _S.SYN_SENT, _S.SYN_RECEIVED}
MAY_SEND = frozenset({_S.ESTABLISHED, _S.CLOSE_WAIT})
"""States in which the program may write."""

MAY_RECEIVE = frozenset({_S.ESTABLISHED, _S.FIN_WAIT_1, _S.FIN_WAIT_2})
"""States in which the peer may still send data."""


def after(state: State, event: Event) -> State:
    """The state that ``event`` leads to. Raises ``KeyError`` for one that cannot happen."""
    return TRANSITIONS[state][event]
