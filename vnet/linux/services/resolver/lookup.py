"""From a name to addresses (getaddrinfo(3)): what to append to it, and what came of that."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING, TypeAlias

from vnet.base.ids import IpAddress
from vnet.linux.services.dns.query import AAAA, A, labels_of
from vnet.linux.services.resolver.exchange import Exchange
from vnet.linux.services.resolver.order import in_order

if TYPE_CHECKING:
    from vnet.linux.netns.namespace import Namespace


class LookupFailure(Enum):
    """Why there is no address, in the words of gai_strerror(3)."""

    NO_NAME = "Name or service not known"
    NO_ADDRESS = "No address associated with hostname"
    TRY_AGAIN = "Temporary failure in name resolution"


OnLookup: TypeAlias = Callable[["list[IpAddress] | LookupFailure"], None]
_KINDS = {None: (A, AAAA), 4: (A,), 6: (AAAA,)}
_NO_SUCH_NAME = 3


class Lookup:
    """One call of getaddrinfo. ``on_end`` is called once, never from inside :meth:`start`.

    ``family`` is 4, 6 or None for both.
    """

    def __init__(
        self, namespace: Namespace, name: str, on_end: OnLookup, family: int | None = None
    ) -> None:
        self.questions = 0
        self._namespace = namespace
        self._on_end = on_end
        self._kinds = _KINDS[family]
        self._left = self._candidates(name)
        self._exchange: Exchange | None = None
        self._worst: LookupFailure = LookupFailure.NO_NAME

    def start(self) -> None:
        """Ask for the first candidate."""
        if not self._namespace.resolv_conf.servers:
            self._left, self._worst = [], LookupFailure.TRY_AGAIN
        self._namespace.scheduler.after(0, self._next)

    def stop(self) -> None:
        """Ask no more, and tell nobody."""
        self._left = []
        self._on_end = _nobody
        if self._exchange is not None:
            self._exchange.stop()

    def _candidates(self, name: str) -> list[str]:
        """The names to try: with few dots first those below the domains of the search list."""
        conf = self._namespace.resolv_conf
        if name.endswith("."):
            return [name]
        below = [f"{name}.{domain}" for domain in conf.search]
        return [name, *below] if name.count(".") >= conf.ndots else [*below, name]

    def _next(self) -> None:
        while self._left:
            try:
                labels = labels_of(self._left.pop(0))
            except ValueError:
                continue
            self.questions += 1
            self._exchange = Exchange(self._namespace, labels, self._kinds, self._answered)
            return self._exchange.start()
        return self._on_end(self._worst)

    def _answered(self, exchange: Exchange) -> None:
        found = [
            IpAddress(bytes(record.rdata.data))
            for kind in self._kinds
            if kind in exchange.answers
            for record in exchange.answers[kind].rr
            if record.rtype == kind
        ]
        if found:
            return self._on_end(in_order(self._namespace, dict.fromkeys(found)))
        if exchange.timed_out and not exchange.answers and not exchange.failed:
            return self._on_end(LookupFailure.TRY_AGAIN)
        if any(a.header.rcode != _NO_SUCH_NAME for a in exchange.answers.values()):
            self._worst = LookupFailure.NO_ADDRESS
        elif exchange.failed and self._worst is LookupFailure.NO_NAME:
            self._worst = LookupFailure.TRY_AGAIN
        return self._next()


def _nobody(_found: list[IpAddress] | LookupFailure) -> None:
    return None
