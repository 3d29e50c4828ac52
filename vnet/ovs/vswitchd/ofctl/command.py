"""A command of ovs-ofctl(8), its options, and what its functions work with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.names import NO_NAMES, Names, parse_port
from vnet.ovs.flow.ports import OfpPort
from vnet.ovs.flow.protocols import P_ANY
from vnet.ovs.ofproto.names import names_of
from vnet.ovs.ofproto.ofproto import Ofproto
from vnet.ovs.openflow.messages import FlowMod, GroupMod, MeterMod, PacketOut
from vnet.ovs.openflow.version import OpenFlowVersion, protocols_of_versions, version_of
from vnet.ovs.vswitchd.reconcile import Vswitchd


@dataclass(frozen=True, slots=True)
class Options:
    """``allowed`` are the protocols of ``-O``; ``stdin`` is what a file called ``-`` holds."""

    allowed: int = P_ANY
    is_strict: bool = False
    shows_names: bool = False
    shows_statistics: bool = True
    stdin: str = ""

    def version(self, default: OpenFlowVersion) -> OpenFlowVersion:
        """The earliest version that may be spoken; ``default`` where all may."""
        return default if self.allowed == P_ANY else version_of(self.allowed & -self.allowed)


@dataclass(frozen=True, slots=True)
class Call:
    """A command to ``bridge``, with the ``words`` behind it."""

    vswitchd: Vswitchd
    bridge: Ofproto
    words: Sequence[str]
    options: Options

    @property
    def word(self) -> str:
        """The first word, empty where there is none."""
        return self.words[0] if self.words else ""

    @property
    def names(self) -> Names:
        """The names that texts may use."""
        return names_of(self.bridge)

    @property
    def shown_names(self) -> Names:
        """The names that dumps use, if they shall."""
        return self.names if self.options.shows_names else NO_NAMES

    def send(self, *mods: MeterMod | GroupMod | FlowMod | PacketOut) -> str:
        """Have the bridge carry out requests, but for meters all or none. Prints nothing."""
        for mod in mods:
            if isinstance(mod, MeterMod):
                self.bridge.meter_mod(mod)
        self.bridge.bundle(mod for mod in mods if not isinstance(mod, MeterMod))
        self.settle()
        return ""

    def settle(self) -> None:
        """What has changed is in force before the next frame."""
        self.vswitchd.backer.revalidator.settle()


Run: TypeAlias = Callable[[Call], str]
"""Returns what is printed, without the last newline. Raises :class:`OvsTextError` for what the
program refuses, and :class:`~vnet.ovs.openflow.errors.OpenFlowError` for what the switch does."""


@dataclass(frozen=True, slots=True)
class OfctlCommand:
    """A command. ``least`` and ``most`` count its words, the bridge included."""

    name: str
    usage: str
    summary: str
    least: int
    most: int
    run: Run

    def check_count(self, n_words: int) -> None:
        """Raise the program's sentence about too few or too many words."""
        if n_words < self.least:
            raise OvsTextError(f"'{self.name}' command requires at least {self.least} arguments")
        if n_words > self.most:
            raise OvsTextError(f"'{self.name}' command takes at most {self.most} arguments")


def reply(
    kind: str, version: OpenFlowVersion, lines: Iterable[str], *, xid: int = 2, between: str = "\n"
) -> str:
    """Lines below the heading that ovs-ofctl prints: ``OFPST_TABLE reply (OF1.3) (xid=0x2):``."""
    shown = "" if version is OpenFlowVersion.OF10 else f" (OF1.{version - 1})"
    return between.join([f"{kind} reply{shown} (xid={xid:#x}):", *lines])


def port_number(call: Call, text: str, unknown: str) -> OfpPort:
    """The number of a port by its name or number; ``unknown`` is said of one that is neither."""
    port = parse_port(text, call.names)
    if port is None:
        raise OvsTextError(f"{call.bridge.name}: {unknown} `{text}'")
    return port


def take_options(words: Sequence[str], options: Options) -> tuple[list[str], Options]:
    """Part words from options, which may stand anywhere. Raises :class:`OvsTextError`."""
    rest: list[str] = []
    waiting = list(words)
    while waiting:
        word = waiting.pop(0)
        match word:
            case "--strict":
                options = replace(options, is_strict=True)
            case "--names" | "--no-names":
                options = replace(options, shows_names=word == "--names")
            case "--stats" | "--no-stats":
                options = replace(options, shows_statistics=word == "--stats")
            case "--bundle":
                pass  # Files are all or nothing in any case.
            case "-O" | "--protocols":
                if not waiting:
                    raise OvsTextError(_wants_value(word))
                options = replace(options, allowed=protocols_of_versions(waiting.pop(0)))
            case _ if word.startswith(("-O", "--protocols=")):
                versions = word.removeprefix("-O").removeprefix("--protocols=")
                options = replace(options, allowed=protocols_of_versions(versions))
            case _ if word.startswith("--"):
                raise OvsTextError(f"unrecognized option '{word}'")
            case _ if word.startswith("-") and word != "-":
                raise OvsTextError(f"invalid option -- '{word[1]}'")
            case _:
                rest.append(word)
    return rest, options


def _wants_value(word: str) -> str:
    if word == "-O":
        return "option requires an argument -- 'O'"
    return f"option '{word}' requires an argument"
