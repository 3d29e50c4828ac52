"""The NAT tables of a lab: which connections go by other addresses or ports, and which ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from vnet.lab.network import Network


class NatRow(NamedTuple):
    """A connection that ``machine`` translates: as it comes, and as it goes on.

    The ends are written ``10.0.0.1:80``; that of a ping without a port, which has an identifier.
    """

    machine: str
    protocol: str
    source: str
    target: str
    new_source: str
    new_target: str

    def as_json(self) -> dict[str, Any]:
        """The row in ``run.json``."""
        return self._asdict()


def nat_rows(network: Network) -> list[NatRow]:
    """Every translated connection that lives, by machine and age."""
    looking = [
        (machine.name, netfilter)
        for machine in network.machines()
        if (netfilter := machine.namespace.netfilter) is not None
    ]
    if not looking:
        return []
    # Labs without rules do without all that knows of connections.
    from vnet.lab.nat_entries import translations

    return [
        NatRow(name, *words)
        for name, netfilter in looking
        for words in translations(netfilter, network.scheduler.now_ns)
    ]
