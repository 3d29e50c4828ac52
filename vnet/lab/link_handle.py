"""What a Python user holds of a cable: its settings, its plug, its counters."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict, Unpack

from vnet.base.errors import UsageError
from vnet.lab.report import LinkRow, link_rows
from vnet.sim.link import Link
from vnet.topology.reading.explain import judge_wire
from vnet.topology.schema.wire import change_of

if TYPE_CHECKING:
    from vnet.lab.lab import Lab


class LinkSettings(TypedDict, total=False):
    """What can be set on a link, spelt as in topology files; None takes a limit away."""

    latency: str
    bandwidth: str | None
    queue: int
    mtu: int | None
    jitter: str
    loss: str | dict[str, str]
    duplicate: str
    reorder: str
    corrupt: str


class LinkHandle:
    """A cable between two devices. What changes it raises :class:`UsageError` in a closed lab."""

    def __init__(self, lab: Lab, link: Link) -> None:
        self._lab = lab
        self.link = link

    @property
    def name(self) -> str:
        return self.link.name

    def set(self, **settings: Unpack[LinkSettings]) -> None:
        """Change some settings for frames sent from now on, and leave the others.

        ``loss="5%"``, or ``loss={"p": "1%", "r": "30%"}`` for bursts; ``jitter="2ms"``.
        Raises :class:`UsageError`, and then has changed nothing.
        """
        self._lab.check_open()
        if "up" in settings:
            raise UsageError("set() does not plug cables", "call up() or down()")
        self.link.change(**change_of(judge_wire(settings)))

    def up(self) -> None:
        """Plug the cable in."""
        self._lab.check_open()
        self.link.set_up(True)

    def down(self) -> None:
        """Unplug the cable; what is on it is lost."""
        self._lab.check_open()
        self.link.set_up(False)

    @property
    def directions(self) -> tuple[LinkRow, LinkRow]:
        """The counters of both directions as they stand, in the order of the ends."""
        one, other = link_rows([self.link.ends])
        return one, other

    def __repr__(self) -> str:
        return f"<LinkHandle {self.name}>"
