"""rtnetlink to many namespaces, through pyroute2: one socket in each, and errors that say what."""

from __future__ import annotations

from types import TracebackType
from typing import Any

from vnet.live.kernel import namespaces
from vnet.live.kernel.errors import KernelError

IFF_NOARP = 0x80
IFF_MULTICAST = 0x1000


class Netlink:
    """The namespaces of ``lab`` by node. A refusal of the kernel's raises :class:`KernelError`."""

    def __init__(self, lab: str, names: dict[str, str]) -> None:
        self.lab = lab
        self._names = names
        self._sockets: dict[str, Any] = {}

    def __enter__(self) -> Netlink:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all sockets; they are opened again when needed."""
        for socket in self._sockets.values():
            socket.close()
        self._sockets.clear()

    def socket(self, node: str) -> Any:
        """The ``IPRoute`` of a node's namespace."""
        if node not in self._sockets:
            from pyroute2 import IPRoute

            # pyroute2 could go there itself, but forks for it: a child that fails comes back here.
            with namespaces.inside(self._names[node]):
                self._sockets[node] = IPRoute()
        return self._sockets[node]

    def ask(self, node: str, what: str, call: str, *words: str, **values: Any) -> None:
        """``socket.call(*words, **values)``; ``what`` is said where it is refused."""
        from pyroute2.netlink.exceptions import NetlinkError

        try:
            getattr(self.socket(node), call)(*words, **values)
        except NetlinkError as error:
            reason = error.args[1] if len(error.args) > 1 else error
            raise KernelError(f"{node}: {what}: {reason}") from None

    def link(self, node: str, what: str, *words: str, **values: Any) -> None:
        """``ip link``."""
        self.ask(node, what, "link", *words, **values)

    def namespace(self, node: str) -> str:
        """The name of a node's namespace."""
        return self._names[node]
