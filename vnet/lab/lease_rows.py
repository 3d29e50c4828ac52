"""The leases of a lab's DHCP servers, as they stand."""

from __future__ import annotations

from typing import Any, NamedTuple

from vnet.base.ids import ip_text, mac_text
from vnet.lab.network import Network


class LeaseRow(NamedTuple):
    """An address that the server on device ``server`` has lent; ``left_s`` None is for ever."""

    server: str
    address: str
    mac: str
    name: str
    left_s: int | None

    def as_json(self) -> dict[str, Any]:
        """The row in ``run.json``."""
        return self._asdict()


def lease_rows(network: Network) -> list[LeaseRow]:
    """Every lease that holds, by server and address."""
    rows = []
    for machine in network.machines():
        for server in machine.namespace.dhcp_servers.values():
            now_s, label = server.now_s(), server.interface.device.label
            for lease in sorted(server.leases, key=lambda each: each.ip):
                left_s = lease.expires_s - now_s if lease.expires_s else None
                mac = mac_text(lease.hwaddr)
                rows.append(LeaseRow(label, ip_text(lease.ip), mac, lease.hostname, left_s))
    return rows
