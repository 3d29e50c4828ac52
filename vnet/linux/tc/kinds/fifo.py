"""``pfifo`` and ``bfifo``: a limit."""

from __future__ import annotations

from vnet.linux.tc.errors import TcError
from vnet.linux.tc.numbers import parse_size, size_text
from vnet.linux.tc.words import WordReader
from vnet.sim.qdisc.fifo import BFIFO, Fifo

_USAGE = "Usage: ... <[p|b]fifo | pfifo_head_drop> [ limit NUMBER ]"


def parse(kind: str, words: WordReader) -> int | None:
    """The limit, in frames or bytes; None where it is left out."""
    limit = None
    while words:
        word = words.take()
        if word == "limit":
            value = words.take()
            try:
                limit = parse_size(value)
            except ValueError:
                raise TcError(f'{kind}: Illegal value for "limit": "{value}"') from None
        elif word == "help":
            raise TcError(_USAGE)
        else:
            raise TcError(f'{kind}: unknown parameter "{word}"\n{_USAGE}')
    return limit


def text(queue: Fifo) -> str:
    """The options as ``tc qdisc show`` has them."""
    shown = size_text(queue.limit) if queue.kind == BFIFO else f"{queue.limit}p"
    return f"limit {shown}"
