"""Who manages the database from elsewhere, and the certificates that connections are made with."""

from __future__ import annotations

from vnet.base.record import record
from vnet.ovs.vswitchd.row import Row


@record(frozen=True, slots=True)
class ManagerConfig(Row):
    """Manager table: who manages the database. The switch itself only keeps the way there open."""

    target: str
    connection_mode: str | None = None


@record(frozen=True, slots=True)
class SslConfig(Row):
    """SSL table: the files that ``ssl:`` and ``pssl:`` take keys, certificates and trust from."""

    private_key: str
    certificate: str
    ca_cert: str
    bootstrap_ca_cert: bool = False
