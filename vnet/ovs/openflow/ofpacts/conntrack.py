"""Actions on connections: ``ct`` with its ``nat``, and ``ct_clear``."""

from __future__ import annotations

from vnet.base.record import record
from vnet.ovs.flow.fields import Subfield
from vnet.ovs.openflow.ofpacts.ofpact import Ofpact, Ofpacts


@record(frozen=True, slots=True)
class Nat(Ofpact):
    """``nat`` in ``ct``. ``is_source`` None for a bare ``nat``. Addresses are packed (4 or 16
    bytes) or None, ports 0 where not given, as ``*_max`` is for a single one.
    """

    is_source: bool | None = None
    address_min: bytes | None = None
    address_max: bytes | None = None
    port_min: int = 0
    port_max: int = 0
    is_persistent: bool = False
    is_hash: bool = False
    is_random: bool = False


@record(frozen=True, slots=True)
class Ct(Ofpact):
    """``ct(...)``. ``zone_source`` None means the number ``zone``; ``table_id`` None means no
    recirculation; ``alg`` is a port: 21 for ftp, 69 for tftp, 0 for none. ``actions`` are those of
    ``exec(...)``, and a :class:`Nat`.
    """

    commit: bool = False
    force: bool = False
    zone: int = 0
    zone_source: Subfield | None = None
    table_id: int | None = None
    alg: int = 0
    actions: Ofpacts = ()


@record(frozen=True, slots=True)
class CtClear(Ofpact):
    """``ct_clear``"""
