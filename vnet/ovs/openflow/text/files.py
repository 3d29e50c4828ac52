"""Files of flows and groups (ovs-ofctl(8), "add-flows", "add-groups" and "bundle").

A file is taken whole or not at all: the first line that is wrong raises, with its place, and
nothing is returned. What follows a ``#`` is a comment. One protocol is used for all lines.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

from vnet.base.errors import StorageError
from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.names import NO_NAMES, Names
from vnet.ovs.flow.protocols import P_ANY, P_OF13_UP, P_OF14_OXM, P_OF14_UP
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import FlowMod, GroupMod, PacketOut
from vnet.ovs.openflow.text.flow_mod import read_flow
from vnet.ovs.openflow.text.group import read_group
from vnet.ovs.openflow.text.packet_out import read_packet_out
from vnet.ovs.openflow.text.sending import (
    flow_as_sent,
    group_as_sent,
    packet_out_as_sent,
    protocol_for,
)

Mod = FlowMod | GroupMod | PacketOut
ModT = TypeVar("ModT", FlowMod, GroupMod, Mod)


class FileTextError(OvsTextError):
    """A line that cannot be used: ``sentence`` says why, and ``file`` and ``line`` (from 1) where.

    As text it is what ``ovs-ofctl`` prints, ``FILE:LINE: sentence``.
    """

    def __init__(self, file: str, line: int, sentence: str) -> None:
        self.file = file
        self.line = line
        self.sentence = sentence
        super().__init__(f"{file}:{line}: {sentence}")


class Source(NamedTuple):
    """A text and where it comes from. ``first_line`` is the number of its first line."""

    text: str
    file: str = "-"
    first_line: int = 1

    @classmethod
    def of(cls, path: Path) -> Source:
        """A file. Raises :class:`StorageError` if it cannot be read."""
        try:
            return cls(path.read_text(encoding="utf-8", errors="replace"), str(path))
        except OSError as error:
            raise StorageError(f"{path}: open failed ({error.strerror})") from None

    def lines(self) -> Iterator[tuple[int, str]]:
        """The lines with anything on them, comments removed, and their numbers."""
        for number, line in enumerate(self.text.split("\n"), start=self.first_line):
            uncommented = line.partition("#")[0]
            if uncommented.strip(" \t"):
                yield number, uncommented


def parse_flows(source: Source, names: Names = NO_NAMES, allowed: int = P_ANY) -> list[FlowMod]:
    """What a switch receives of a file of flows.

    A line may begin with a command, and without one adds a flow. ``allowed`` are the protocols
    to send by, as ``-O`` says. Raises :class:`FileTextError` for a line that the client refuses,
    and :class:`OpenFlowError` for one that the switch does.
    """
    read = _read(source, lambda text: read_flow(text, None, names))
    return _sent(read, allowed, partial(flow_as_sent, openflow_full=names.openflow_full))


def parse_groups(source: Source, names: Names = NO_NAMES, allowed: int = P_ANY) -> list[GroupMod]:
    """What a switch receives of a file of groups; all else as in :func:`parse_flows`."""
    read = _read(source, lambda text: read_group(text, None, names))
    return _sent(read, allowed, partial(group_as_sent, openflow_full=names.openflow_full))


def parse_bundle(source: Source, names: Names = NO_NAMES, allowed: int = P_ANY) -> list[Mod]:
    """What a switch receives of a bundle, whose lines begin with ``flow``, ``group`` or
    ``packet-out``; all else as in :func:`parse_flows`.

    Bundles came with OpenFlow 1.4, which is spoken unless ``allowed`` has other versions with
    them; 1.3 has them as an extension.
    """
    has_bundles = P_OF14_UP if allowed == P_ANY else allowed & P_OF13_UP or P_OF14_OXM
    read = _read(source, lambda text: _read_message(text, names), usable=P_OF13_UP)
    return _sent(read, has_bundles, partial(_message_as_sent, openflow_full=names.openflow_full))


class _Line(NamedTuple, Generic[ModT]):
    """One line that was read, and the protocols that can say it."""

    place: str
    mod: ModT
    usable: int


def _read(
    source: Source, read: Callable[[str], tuple[ModT, int]], usable: int = P_ANY
) -> Iterator[_Line[ModT]]:
    """The lines one by one; of the protocols that can say each, those that are ``usable``."""
    for number, text in source.lines():
        try:
            mod, sayable = read(text)
        except OvsTextError as wrong:
            raise FileTextError(source.file, number, wrong.what) from None
        yield _Line(f"{source.file}:{number}", mod, sayable & usable)


def _sent(
    lines: Iterable[_Line[ModT]], allowed: int, as_sent: Callable[[ModT, int], ModT]
) -> list[ModT]:
    """What arrives of all lines, sent by the one protocol that can say each of them."""
    read = list(lines)
    usable = P_ANY
    for line in read:
        usable &= line.usable
    protocol = protocol_for(usable, allowed)
    received = []
    for line in read:
        try:
            received.append(as_sent(line.mod, protocol))
        except OpenFlowError as refused:
            raise OpenFlowError(refused.name, line.place) from None
    return received


_KIND = re.compile(r"[ \t\r\n]*([^, \t\r\n]*)")


def _read_message(text: str, names: Names) -> tuple[Mod, int]:
    found = _KIND.match(text)
    assert found is not None, "every part of the pattern may be empty"
    rest = text[found.end() :]
    if "flow".startswith(found[1]):
        return read_flow(rest, None, names)
    if "group".startswith(found[1]):
        return read_group(rest, None, names)
    if "packet-out".startswith(found[1]):
        return read_packet_out(rest, names)
    raise OvsTextError(f"Unsupported bundle message type: {found[1]}")


def _message_as_sent(mod: Mod, protocol: int, *, openflow_full: bool) -> Mod:
    if isinstance(mod, FlowMod):
        return flow_as_sent(mod, protocol, openflow_full=openflow_full)
    if isinstance(mod, GroupMod):
        return group_as_sent(mod, protocol, openflow_full=openflow_full)
    return packet_out_as_sent(mod, protocol, openflow_full=openflow_full)
