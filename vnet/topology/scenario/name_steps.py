"""Steps that look names up, once they are checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from vnet.topology.steps import Expectation, Step


@dataclass(frozen=True, slots=True)
class DnsStep(Step):
    """A question for ``kind`` of ``name``; ``server`` None is whom ``source`` asks for names.

    It has failed where nobody answered.
    """

    implied: ClassVar[tuple[Expectation, ...]] = (Expectation("received", "==", 1),)

    source: str
    name: str
    kind: int
    server: str | None = None
    tcp: bool = False
    edns: bool = True
    size_bytes: int = 1232
    tries: int = 3
    timeout_ns: int = 5_000_000_000

    @property
    def title(self) -> str:
        server = "" if self.server is None else f" @{self.server}"
        return f"dns {self.source} {self.name}{server}"
