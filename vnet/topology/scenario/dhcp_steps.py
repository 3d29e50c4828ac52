"""Steps of DHCP clients, once they are checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from vnet.topology.steps import Expectation, Step


@dataclass(frozen=True, slots=True)
class DhcpStep(Step):
    """What the DHCP client of ``machine`` is told; ``device`` None is its first card's.

    It has failed where the client ends without an address that it asked for.
    """

    implied: ClassVar[tuple[Expectation, ...]] = (Expectation("errors", "==", 0),)

    machine: str
    action: str = "start"
    device: str | None = None

    @property
    def title(self) -> str:
        where = "" if self.device is None else f":{self.device}"
        return f"dhcp {self.action} {self.machine}{where}"
