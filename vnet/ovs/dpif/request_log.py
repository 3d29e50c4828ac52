"""The last messages between userspace and a datapath."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from vnet.ovs.dpif.dpif import Dpif
from vnet.ovs.dpif.requests import Request
from vnet.ovs.dpif.text.requests import request_text

KEPT_REQUESTS = 1000


class Said(NamedTuple):
    """A message: when it was said, whether it went up to userspace, and its text."""

    time_ns: int
    goes_up: bool
    text: str


class RequestLog:
    """Listens to a datapath from now on, until :meth:`stop`. The oldest are forgotten."""

    def __init__(self, dpif: Dpif, n_kept: int = KEPT_REQUESTS) -> None:
        self._dpif = dpif
        self._kept: deque[Said] = deque(maxlen=n_kept)
        self.n_seen = 0
        dpif.watch(self._hear)

    def stop(self) -> None:
        """Hear no more; what was heard stays."""
        self._dpif.unwatch(self._hear)

    def last(self, n_requests: int | None = None) -> Iterator[Said]:
        """The last so many, or all that are kept."""
        first = 0 if n_requests is None else max(0, len(self._kept) - n_requests)
        return iter(list(self._kept)[first:])

    def _hear(self, request: Request) -> None:
        # Written at once: the names of ports are those of now.
        self.n_seen += 1
        text = request_text(request, self._dpif)
        self._kept.append(Said(request.time_ns, request.command.goes_up, text))
