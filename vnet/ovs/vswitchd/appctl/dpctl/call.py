"""One call of a ``dpctl/...`` command: its options and words, and what it has printed so far.

These commands are a program of their own inside the daemon: they take options, print as they go
on, and put the daemon's name in front of what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from typing import TypeAlias

from vnet.ovs.dpif.dpif import Dpif
from vnet.ovs.dpif.text.show import datapath_text
from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.vswitchd.appctl.command import Run, datapaths
from vnet.ovs.vswitchd.reconcile import Vswitchd

_PROGRAM = "ovs-vswitchd"


class Errno(StrEnum):
    """Why an operation failed, in the words of strerror(3)."""

    EPERM = "Operation not permitted"
    ENOENT = "No such file or directory"
    EBUSY = "Device or resource busy"
    EEXIST = "File exists"
    ENODEV = "No such device"
    EINVAL = "Invalid argument"
    EAFNOSUPPORT = "Address family not supported by protocol"
    EOPNOTSUPP = "Operation not supported"


class DpctlError(Exception):
    """A command ends here: ``what`` failed, and ``why`` if that is known. Without ``what``, all
    that is wrong has been told."""

    def __init__(self, what: str = "", why: Errno | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.why = why


class DpctlCall:
    """Options and words of a call, and its output.

    ``words`` are those behind the options. ``verbosity`` counts the ``-m``.
    """

    def __init__(self, vswitchd: Vswitchd, words: Sequence[str]) -> None:
        self.vswitchd = vswitchd
        self.words = list(words)
        self.verbosity = 0
        self.shows_statistics = False
        self.zeroes_statistics = False
        self.may_create = False
        self._names: bool | None = None
        self._printed: list[str] = []
        while self.words and len(self.words[0]) > 1 and self.words[0].startswith("-"):
            self._take_option(self.words.pop(0))
        self._given = tuple(self.words)

    def _take_option(self, word: str) -> None:
        match word:
            case "--statistics":
                self.shows_statistics = True
            case "--clear":
                self.zeroes_statistics = True
            case "--may-create":
                self.may_create = True
            case "--more":
                self.verbosity += 1
            case "--names" | "--no-names":
                self._names = word == "--names"
            case _ if word.startswith("--"):
                raise OvsTextError(f"Unrecognized option {word}")
            case _:
                for letter in word[1:]:
                    self._take_letter(letter)

    def _take_letter(self, letter: str) -> None:
        match letter:
            case "m":
                self.verbosity += 1
            case "s":
                self.shows_statistics = True
            case _:
                raise OvsTextError(f"Unrecognized option -{letter}")

    @property
    def shows_names(self) -> bool:
        """Whether ports go by their names: by default in full dumps only."""
        return self.verbosity > 0 if self._names is None else self._names

    # -- output

    @property
    def text(self) -> str:
        """What has been printed."""
        return "".join(self._printed)

    def put(self, text: str) -> None:
        """Print, without a newline at the end."""
        self._printed.append(text)

    def say(self, *lines: str) -> None:
        """Print lines."""
        self._printed += [f"{line}\n" for line in lines]

    def complain(self, what: str, why: Errno | None = None) -> None:
        """Print what is wrong, and go on."""
        self.say(f"{_PROGRAM}: {what}" + ("" if why is None else f" ({why})"))

    # -- the datapath

    def datapath(self, most: int | None) -> Dpif:
        """The datapath that the first word names, which goes, or the only one there is.

        ``most`` is how many words the command takes, the datapath among them: just so many, and
        none that names it, are refused. None: any number.
        """
        found = self.datapaths()
        if self.words and self.words[0] in found:
            return found[self.words.pop(0)]
        if len(self.words) != most:
            if len(found) == 1:
                return next(iter(found.values()))
            self.complain("multiple datapaths, specify one" if found else "no datapaths exist")
        raise DpctlError("datapath not found", Errno.EINVAL)

    def last_words(self, count: int) -> tuple[str, ...]:
        """The last words, be the datapath's name among them: where something is missing, that name
        is taken for it."""
        return self._given[-count:]

    def datapaths(self) -> dict[str, Dpif]:
        """All datapaths by their full names."""
        return {datapath_text(dpif): dpif for dpif in datapaths(self.vswitchd)}

    def open(self, name: str, what: str) -> Dpif:
        """A datapath by its full name; ``what`` is said to fail where there is none."""
        found = self.datapaths().get(name)
        if found is None:
            raise DpctlError(what, why_not_there(name))
        return found


def why_not_there(name: str) -> Errno:
    """Why a datapath cannot be opened that is not there: nobody has the kernel's, or it is none."""
    kind = name.partition("@")[0] if "@" in name else "system"
    return Errno.ENODEV if kind in ("netdev", "dummy") else Errno.EAFNOSUPPORT


Handler: TypeAlias = Callable[[DpctlCall], None]


def dpctl(name: str, least: int, handler: Handler) -> Run:
    """A command of dpctl as one of the daemon's, that needs ``least`` words besides options."""

    def run(vswitchd: Vswitchd, words: Sequence[str]) -> str:
        call = DpctlCall(vswitchd, words)
        if len(call.words) < least:
            raise OvsTextError(f'"{name}" command requires at least {least} arguments')
        try:
            handler(call)
        except DpctlError as error:
            if error.what:
                call.complain(error.what, error.why)
            raise OvsTextError(call.text.removesuffix("\n")) from None
        return call.text.removesuffix("\n")

    return run


def lines_text(lines: Iterable[str]) -> str:
    """Lines with their newlines."""
    return "".join(f"{line}\n" for line in lines)
