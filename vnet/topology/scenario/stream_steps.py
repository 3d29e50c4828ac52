"""Steps over TCP, once they are checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from vnet.base.text import with_port
from vnet.topology.steps import Expectation, Server, Step


@dataclass(frozen=True, slots=True)
class StreamStep(Step):
    """Transfers something, which has failed where an error came up.

    ``server`` None has the target serve.
    """

    implied: ClassVar[tuple[Expectation, ...]] = (Expectation("errors", "==", 0),)


@dataclass(frozen=True, slots=True)
class TcpStep(StreamStep):
    """A connection to an echo server, which the step starts unless ``serve`` is False."""

    source: str
    target: str
    port: int = 7
    size_bytes: int = 64
    serve: bool = True
    timeout_ns: int = 60_000_000_000
    server: Server | None = None

    @property
    def title(self) -> str:
        return f"tcp {self.source} → {with_port(self.target, self.port)}"


@dataclass(frozen=True, slots=True)
class IperfStep(StreamStep):
    """iperf3 for ``duration_ns``, or ``size_bytes``; ``reverse`` has the target send."""

    source: str
    target: str
    port: int = 5201
    duration_ns: int = 10_000_000_000
    size_bytes: int | None = None
    reverse: bool = False
    parallel: int = 1
    server: Server | None = None

    @property
    def title(self) -> str:
        arrow = "←" if self.reverse else "→"
        times = f" ×{self.parallel}" if self.parallel > 1 else ""
        return f"iperf3 {self.source} {arrow} {self.target}{times}"


@dataclass(frozen=True, slots=True)
class HttpStep(StreamStep):
    """A GET from a server that has ``size_bytes`` at ``path``, or nothing."""

    source: str
    target: str
    port: int = 80
    path: str = "/"
    size_bytes: int | None = None
    timeout_ns: int = 60_000_000_000
    server: Server | None = None

    @property
    def title(self) -> str:
        target = self.target if self.port == 80 else with_port(self.target, self.port)
        return f"http {self.source} → {target}{self.path}"
