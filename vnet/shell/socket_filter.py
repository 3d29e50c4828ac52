"""The filters of ss(8): ``state established``, and ``( sport = :80 or dst 10.0.0.0/8 )``."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from typing import Any

from vnet.base.errors import UsageError
from vnet.base.ids import ip_from_text, prefix_from_text
from vnet.linux.tcp.states import State
from vnet.shell.views.sockets import SERVICES, UNCONNECTED, Row

Test = Callable[[Row], bool]

CONNECTED = frozenset(state.value for state in State) - {State.LISTEN.value, State.CLOSED.value}
LISTENING = frozenset((State.LISTEN.value, UNCONNECTED))
EVERY = CONNECTED | LISTENING | {State.CLOSED.value}

_NAMES = {
    "established": {State.ESTABLISHED.value},
    "syn-sent": {State.SYN_SENT.value},
    "syn-recv": {State.SYN_RECEIVED.value},
    "fin-wait-1": {State.FIN_WAIT_1.value},
    "fin-wait-2": {State.FIN_WAIT_2.value},
    "time-wait": {State.TIME_WAIT.value},
    "closed": {UNCONNECTED, State.CLOSED.value},
    "unconnected": {UNCONNECTED, State.CLOSED.value},
    "close-wait": {State.CLOSE_WAIT.value},
    "last-ack": {State.LAST_ACK.value},
    "listening": {State.LISTEN.value},
    "listen": {State.LISTEN.value},
    "closing": {State.CLOSING.value},
    "all": EVERY,
    "connected": CONNECTED,
    "synchronized": CONNECTED - {State.SYN_SENT.value},
    "bucket": {State.SYN_RECEIVED.value, State.TIME_WAIT.value},
    "big": EVERY - {State.SYN_RECEIVED.value, State.TIME_WAIT.value},
}
_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    **dict.fromkeys(("=", "==", "eq"), operator.eq),
    **dict.fromkeys(("!=", "ne", "neq"), operator.ne),
    **dict.fromkeys((">", "gt"), operator.gt),
    **dict.fromkeys((">=", "ge", "geq"), operator.ge),
    **dict.fromkeys(("<", "lt"), operator.lt),
    **dict.fromkeys(("<=", "le", "leq"), operator.le),
}
_SIGNS = re.compile(r"(==|!=|>=|<=|=|>|<|\(|\)|!|&&?|\|\|?)")
_PORTS = {name: port for port, name in SERVICES.items()}


def split_states(words: Sequence[str], before: frozenset[str]) -> tuple[frozenset[str], list[str]]:
    """The states that ``state`` and ``exclude`` leave of those ``before``, and the other words."""
    states, rest, named = before, list[str](), frozenset[str]()
    waiting = list(words)
    while waiting:
        word = waiting.pop(0)
        if word not in ("state", "exclude", "excl"):
            rest.append(word)
            continue
        name = waiting.pop(0) if waiting else ""
        found = _NAMES.get(name)
        if found is None:
            raise UsageError(f"ss: wrong state name: {name}")
        if word == "state":
            named |= found
            states = named
        else:
            states -= found
    return states, rest


def parse_filter(words: Sequence[str]) -> Test:
    """An expression over the ends of a socket; an empty one takes all."""
    tokens = [part for word in words for part in _SIGNS.split(word) if part and not part.isspace()]
    reader = _Reader(tokens)
    test: Test = lambda _row: True  # noqa: E731
    while reader.tokens:
        # What stands side by side must hold together.
        test = _both(test, reader.either())
    return test


def _both(one: Test, other: Test) -> Test:
    return lambda row: one(row) and other(row)


class _Reader:
    """Reads an expression by descending into it."""

    def __init__(self, tokens: Sequence[str]) -> None:
        self.tokens = list(tokens)

    def _take(self) -> str:
        if not self.tokens:
            raise UsageError('ss: bison bellows (while parsing filter): "syntax error!" Sorry.')
        return self.tokens.pop(0)

    def _next_is(self, *words: str) -> bool:
        if self.tokens and self.tokens[0] in words:
            del self.tokens[0]
            return True
        return False

    def either(self) -> Test:
        one = self.together()
        while self._next_is("or", "|", "||"):
            one = self._or(one, self.together())
        return one

    @staticmethod
    def _or(one: Test, other: Test) -> Test:
        return lambda row: one(row) or other(row)

    def together(self) -> Test:
        one = self.single()
        while self._next_is("and", "&", "&&"):
            one = _both(one, self.single())
        return one

    def single(self) -> Test:
        if self._next_is("not", "!"):
            refused = self.single()
            return lambda row: not refused(row)
        if self._next_is("("):
            inner = self.either()
            if not self._next_is(")"):
                self.tokens.clear()
                self._take()
            return inner
        word = self._take()
        if word in ("sport", "dport"):
            return self._port(word == "sport")
        if word in ("src", "dst"):
            return self._address(word == "src")
        self.tokens.clear()
        self._take()
        raise AssertionError("nothing is left to take")

    def _operator(self) -> Callable[[Any, Any], bool]:
        if self.tokens and self.tokens[0] in _OPERATORS:
            return _OPERATORS[self.tokens.pop(0)]
        return operator.eq

    def _port(self, ours: bool) -> Test:
        compare, port = self._operator(), _port(self._take().removeprefix(":"))
        return lambda row: compare((row.local if ours else row.remote)[1], port)

    def _address(self, ours: bool) -> Test:
        compare, text = self._operator(), self._take()
        address, port = _host_and_port(text)
        holds = compare is not operator.ne

        def test(row: Row) -> bool:
            ip, at = row.local if ours else row.remote
            fits = (port is None or at == port) and (address is None or _is_in(ip, *address))
            return fits == holds

        return test


def _port(text: str) -> int:
    if text.isascii() and text.isdecimal() and int(text) < 1 << 16:
        return int(text)
    if text in _PORTS:
        return _PORTS[text]
    raise UsageError(f'Error: "{text}" does not look like a port.\nCannot parse dst/src address.')


def _host_and_port(text: str) -> tuple[tuple[bytes, int] | None, int | None]:
    """``10.0.0.1:80``, ``10.0.0.0/8``, ``[::1]:80``, ``:80``."""
    bare = re.fullmatch(r"\[([^]]*)\](?::(.*))?", text)
    if bare is not None:
        host, port = bare[1], bare[2]
    elif text.count(":") > 1:
        host, port = text, None
    else:
        host, _, port = text.partition(":")
    number = None if not port or port == "*" else _port(port)
    if host in ("", "*"):
        return None, number
    try:
        if "/" in host:
            return prefix_from_text(host), number
        ip = ip_from_text(host)
    except ValueError:
        what = f'Error: an inet prefix is expected rather than "{host}".'
        raise UsageError(f"{what}\nCannot parse dst/src address.") from None
    return (ip, len(ip) * 8), number


def _is_in(ip: bytes, network: bytes, length: int) -> bool:
    if len(ip) != len(network):
        return False
    shift = len(ip) * 8 - length
    return int.from_bytes(ip, "big") >> shift == int.from_bytes(network, "big") >> shift
