"""What is asked of the tracker for a packet (the ``ct`` action of ovs-actions(7))."""

from __future__ import annotations

from dataclasses import field
from enum import Enum

from vnet.base.record import record


class NatKind(Enum):
    """Which end of the connection is translated."""

    SOURCE = "src"
    DESTINATION = "dst"


@record(frozen=True, slots=True)
class NatRange:
    """Translate, or with ``kind`` None do to a packet what its connection says.

    ``first_address`` to ``last_address`` (packed; None: keep the address) and ``first_port`` to
    ``last_port`` (0: none asked for) are what may be picked from, ends included. Without a last
    one there is only the first.
    """

    kind: NatKind | None = None
    first_address: bytes | None = None
    last_address: bytes | None = None
    first_port: int = 0
    last_port: int = 0

    @property
    def keeps_address(self) -> bool:
        """Whether no address is asked for; all zeros ask for none."""
        return self.first_address is None or not any(self.first_address)

    @property
    def ports(self) -> range:
        """The ports to pick from; with none asked for only 0."""
        return range(self.first_port, (self.last_port or self.first_port) + 1)


@record(frozen=True, slots=True)
class CtAction:
    """``mark`` and ``label`` are (value, mask) or None; ``helper`` is empty, ``ftp`` or ``tftp``.

    ``commit`` remembers a new connection; ``force`` does, too, and forgets one that runs the
    other way. ``timeout_policy`` is the number of a timeout policy, 0 the default.
    ``zone_bytes`` is the zone as it stands in keys.
    """

    zone: int = 0
    commit: bool = False
    force: bool = False
    mark: tuple[int, int] | None = None
    label: tuple[int, int] | None = None
    helper: str = ""
    nat: NatRange | None = None
    timeout_policy: int = 0
    zone_bytes: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "zone_bytes", self.zone.to_bytes(2, "big"))
