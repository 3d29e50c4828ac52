"""How a line is put together: the patterns of ovs-appctl(8), such as ``%D{%H:%M}|%c|%p|%m``."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple, Protocol, TypeAlias

from vnet.ovs.vlog.level import Level

_FACILITIES_IN_ORDER = (
    *("kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "clock"),
    *("authpriv", "ftp", "ntp", "audit", "alert", "clock2"),
    *(f"local{n}" for n in range(8)),
)
SYSLOG_FACILITIES = {
    name: number << 3 for number, name in enumerate(_FACILITIES_IN_ORDER) if name != "authpriv"
}
"""By the names that ``FACILITY:`` takes: the value of RFC 5424, times 8."""

_SEVERITIES = {Level.EMER: 1, Level.ERR: 3, Level.WARN: 4, Level.INFO: 5, Level.DBG: 7}


class Surroundings(Protocol):
    """What a line may say of the process, which only a live one knows."""

    program: str

    @property
    def pid(self) -> int:
        """Its number."""

    @property
    def host(self) -> str:
        """Its machine's name."""

    def wall_ms(self) -> int:
        """Milliseconds since 1970, UTC."""

    def monotonic_ms(self) -> int:
        """Milliseconds since the program began."""


class Message(NamedTuple):
    """What is to be written. ``number`` counts messages; ``thread`` is empty for the main one."""

    module: str
    level: Level
    text: str
    number: int
    thread: str
    facility: int


Piece: TypeAlias = "str | Field"
_Write: TypeAlias = "Callable[[Message, Surroundings, str], str]"


class Field(NamedTuple):
    """One ``%`` of a pattern: what it stands for and how wide it is at least."""

    write: _Write
    argument: str
    width: int
    is_left: bool
    pad: str

    def text(self, message: Message, around: Surroundings) -> str:
        """What takes its place."""
        text = self.write(message, around, self.argument)
        return (
            text.ljust(self.width, self.pad) if self.is_left else text.rjust(self.width, self.pad)
        )


_FIELD = re.compile(r"%(-?)(0?)([0-9]*)(?:([cdD])\{([^}]*)\}?|(.))", re.DOTALL)
_MOST_WIDTH, _MOST_WIDTH_DIGITS = 500, 4
_DEFAULT_TIME = "%Y-%m-%d %H:%M:%S.###"


def parse_pattern(pattern: str) -> tuple[Piece, ...]:
    """A pattern in pieces: text, and fields. A letter that means nothing stands for itself."""
    pieces: list[Piece] = []
    end = 0
    for found in _FIELD.finditer(pattern):
        left, zero, width, braced, argument, plain = found.groups()
        if found.start() > end:
            pieces.append(pattern[end : found.start()])
        end = found.end()
        letter = braced or plain
        write = _WRITERS.get(letter)
        pad = "0" if zero else " "
        pieces.append(
            Field(
                write or _itself,
                argument or "" if write else letter,
                min(int(width[:_MOST_WIDTH_DIGITS] or 0), _MOST_WIDTH),
                bool(left),
                pad,
            )
        )
    rest = pattern[end:].partition("%")[0]  # A lone `%` at the end stands for nothing.
    return (*pieces, rest) if rest else tuple(pieces)


def write_line(pieces: Sequence[Piece], message: Message, around: Surroundings) -> str:
    """A line, without its newline."""
    return "".join(
        [piece if isinstance(piece, str) else piece.text(message, around) for piece in pieces]
    )


def _itself(_message: Message, _around: Surroundings, letter: str) -> str:
    return letter


def _time(moment: datetime, spelling: str, wall_ms: int) -> str:
    milliseconds = f"{wall_ms % 1000:03d}"
    return moment.strftime((spelling or _DEFAULT_TIME).replace("###", milliseconds))


def _utc(_message: Message, around: Surroundings, spelling: str) -> str:
    wall_ms = around.wall_ms()
    return _time(datetime.fromtimestamp(wall_ms // 1000, UTC), spelling, wall_ms)


def _local(_message: Message, around: Surroundings, spelling: str) -> str:
    wall_ms = around.wall_ms()
    return _time(datetime.fromtimestamp(wall_ms // 1000).astimezone(), spelling, wall_ms)


_WRITERS: dict[str, _Write] = {
    "A": lambda _message, around, _: around.program,
    "B": lambda message, _around, _: str(
        (message.facility or SYSLOG_FACILITIES["local0"]) + _SEVERITIES[message.level]
    ),
    "c": lambda message, _around, _: message.module,
    "d": _local,
    "D": _utc,
    "E": lambda _message, around, _: around.host,
    "m": lambda message, _around, _: message.text.rstrip("\n"),
    "N": lambda message, _around, _: str(message.number),
    "n": lambda _message, _around, _: "\n",
    "p": lambda message, _around, _: message.level.name,
    "P": lambda _message, around, _: str(around.pid),
    "r": lambda _message, around, _: str(around.monotonic_ms()),
    "t": lambda message, _around, _: message.thread or "main",
    "T": lambda message, _around, _: f"({message.thread})" if message.thread else "",
}
