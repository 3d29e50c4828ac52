"""What a daemon is, besides what all daemons have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from vnet.live.daemon.errors import FatalError
from vnet.live.daemon.getopt import Option

if TYPE_CHECKING:
    from vnet.live.daemon.running import RunningDaemon

OVS_VERSION = "3.1.0"
"""The version of Open vSwitch that the daemons answer like."""


class Program:
    """A daemon to be. Its class says what options it has; an object of it is one run.

    First come options, then the words that are none, then :meth:`start`, in the background already
    where that was asked for.
    """

    name: ClassVar[str]
    modules: ClassVar[Sequence[str]]
    """Those of its log."""
    events: ClassVar[Sequence[str]]
    """Those it counts (``coverage/show``)."""
    options: ClassVar[Sequence[Option]]
    """All it has, in the order in which ambiguous ones are listed."""

    @property
    def version(self) -> str:
        """As ``--version`` shows it."""
        return f"{self.name} (Open vSwitch) {OVS_VERSION}"

    def usage(self) -> str:
        """What ``--help`` shows."""
        raise NotImplementedError

    def take_option(self, name: str, value: str | None) -> None:
        """An option of its own. Raises :class:`FatalError` where it cannot be."""
        raise NotImplementedError(f"--{name} {value}")

    def take_words(self, words: Sequence[str]) -> None:
        """The words that are no options."""
        if words:
            raise FatalError("no non-option arguments accepted; use --help for usage")

    def start(self, daemon: RunningDaemon) -> None:
        """Begin: open sockets, register commands; call ``daemon.ready()`` once it is of use, now or
        from the loop. Raises :class:`FatalError`."""
        raise NotImplementedError
