"""Rules, connections and programs in a namespace of this kernel."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from contextlib import suppress

from tests.kernel.play import Look, Seen, Send
from tests.kernel.setup import Lab
from tests.kernel.shown import connections_shown, rules_shown
from vnet.live.kernel import namespaces


def restore(namespace: str, lab: Lab) -> None:
    """Give a machine its rules."""
    for command, rules in (("iptables-restore", lab.rules), ("ip6tables-restore", lab.rules6)):
        if rules:
            run(namespace, command, given=rules)


def look(namespace: str, lab: Lab, look: Look) -> Iterator[Seen]:
    """Its rules and connections."""
    for prefix, family, rules in (("ip", "ipv4", lab.rules), ("ip6", "ipv6", lab.rules6)):
        if rules:
            if not look.timeouts:
                yield from rules_shown(run(namespace, f"{prefix}tables-save", "-c"))
            listed = run(namespace, "conntrack", "-L", "-f", family)
            yield from connections_shown(listed, timeouts=look.timeouts)


def run(namespace: str, *words: str, given: str = "") -> str:
    """What a command prints in a namespace; ``given`` is its input."""
    with namespaces.inside(namespace):
        done = subprocess.run(words, input=given, capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(f"{' '.join(words)}: {done.stderr.strip()}\n{given}")
    return done.stdout


class Programs:
    """The sockets of a namespace's programs."""

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace
        self._sockets: dict[tuple[int, int], socket.socket] = {}

    def send(self, datagram: Send) -> None:
        """A datagram; what the kernel answers the program does not care about."""
        family = socket.AF_INET6 if ":" in datagram.target else socket.AF_INET
        key = (family, datagram.port)
        if key not in self._sockets:
            self._sockets[key] = self._open(*key)
        with suppress(OSError):
            self._sockets[key].sendto(datagram.payload, (datagram.target, datagram.target_port))

    def close(self) -> None:
        for one in self._sockets.values():
            one.close()

    def _open(self, family: int, port: int) -> socket.socket:
        with namespaces.inside(self._namespace):
            opened = socket.socket(family, socket.SOCK_DGRAM)
        if family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        opened.bind(("", port))
        return opened
