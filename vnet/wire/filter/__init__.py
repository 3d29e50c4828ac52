"""The filter language of tcpdump, pcap-filter(7), as a predicate over Ethernet frames.

``compile_filter`` reads a text once and gives a function of a frame's bytes; what it
accepts is what ``tcpdump -r`` shows of a capture with those frames (libpcap 1.10). A frame
too short for what the filter reads of it is refused, whatever the rest says, as by BPF.
There tcpdump may take more: libpcap's optimizer leaves out reads whose outcome changes
nothing, of which only those under a mask of zeros are left out here.

Two refusals of libpcap's are not repeated: of a divisor or shift whose first instruction
loads an unfit constant (``len / ip[0]``), and of a list that starts with a list,
``host ((a or b) or c)``. And ``proto 256``, which it takes, can match nothing and is told.

Left out: names of hosts and networks, ``gateway``, ``protochain``, ``mpls``, ``pppoe``,
``geneve``, ``llc``, IS-IS, and what only other link types or live captures have. They
are refused by name.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from vnet.wire.filter.checks import OUT_OF_FRAME, Layer
from vnet.wire.filter.compiler import compile_test
from vnet.wire.filter.errors import FilterError
from vnet.wire.filter.parser import parse

__all__ = ["FilterError", "compile_filter"]


@lru_cache(maxsize=128)
def compile_filter(text: str) -> Callable[[bytes], bool]:
    """A predicate over whole Ethernet frames, which never raises; empty text takes all.

    Raises :class:`FilterError` where the text is not a filter. Remembered, because a file's
    filters are read when it is checked, and again for each round of a step that is repeated.
    """
    tree = parse(text)
    if tree is None:
        return _accept_all
    check = compile_test(tree, Layer())

    def accepts(data: bytes) -> bool:
        try:
            return check(data)
        except (*OUT_OF_FRAME, ZeroDivisionError):
            return False

    return accepts


def _accept_all(_: bytes) -> bool:
    return True
