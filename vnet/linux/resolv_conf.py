"""What a machine's resolver is told (resolv.conf(5)): by its file, or by a lease."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vnet.base.ids import IpAddress, ip_text

MOST_SERVERS = 3
"""MAXNS: the resolver asks no more than the first three."""


@dataclass(frozen=True, slots=True)
class ResolvConf:
    """``/etc/resolv.conf``. Without name servers a machine resolves no names.

    ``servers`` are packed addresses, in the order in which they are asked. A name with fewer
    dots than ``ndots`` is first looked for below the domains of ``search``. Each server is given
    ``timeout_s``, and all of them are asked ``attempts`` times.
    """

    servers: Sequence[IpAddress] = ()
    search: Sequence[str] = ()
    ndots: int = 1
    timeout_s: int = 5
    attempts: int = 2

    def text(self) -> str:
        """The file as it would stand there."""
        lines = [f"nameserver {ip_text(server)}" for server in self.servers]
        if self.search:
            lines.append(f"search {' '.join(self.search)}")
        usual = ResolvConf()
        options = [
            f"{word}:{value}"
            for word, value, default in (
                ("ndots", self.ndots, usual.ndots),
                ("timeout", self.timeout_s, usual.timeout_s),
                ("attempts", self.attempts, usual.attempts),
            )
            if value != default
        ]
        if options:
            lines.append(f"options {' '.join(options)}")
        return "\n".join(lines)


NO_RESOLVER = ResolvConf()
