"""What bridges are to speak, with whom, and by what means."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, NamedTuple

from vnet.live.clock import WallClock
from vnet.live.streams.tls_files import TlsFiles
from vnet.ovs.vlog.vlog import Vlog
from vnet.ovs.vswitchd.controller_config import ControllerConfig

if TYPE_CHECKING:
    from vnet.ovs.connmgr.manager import ConnectionManager
    from vnet.ovs.vswitchd.fail_open import FailOpen


class Wish(NamedTuple):
    """What a bridge speaks (no versions: all), and with whom. ``connmgr`` is the bridge's, and
    ``fail_open`` hears of it. ``queue_size`` is how many packet-ins may wait for a controller
    whose row does not say so; None: as many as usual."""

    connmgr: ConnectionManager
    versions: Collection[int] = ()
    controllers: tuple[ControllerConfig, ...] = ()
    fail_open: FailOpen | None = None
    queue_size: int | None = None


class Around(NamedTuple):
    """What the services of all bridges share."""

    clock: WallClock
    directory: str
    vlog: Vlog
    tls: TlsFiles | None
