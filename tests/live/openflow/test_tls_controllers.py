"""Controllers by TLS: bridges greet each other where the certificates are good, and there only."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.live.ports import Reserve
from tests.live.streams.test_tls import authorities, files  # noqa: F401 - a fixture
from tests.ovs.connmgr.managers import manager
from tests.ovs.vswitchd.row_switch import logged
from vnet.live.clock import WallClock
from vnet.live.openflow.bridge_sockets import BridgeSockets
from vnet.live.openflow.wish import Wish
from vnet.live.streams.tls_files import TlsFiles
from vnet.ovs.openflow.messages import ControllerRole
from vnet.ovs.vlog.vlog import SILENT, Vlog
from vnet.ovs.vswitchd.controller_config import ControllerConfig

RunUntil = Callable[[Callable[[], object]], None]


class TwoSwitches:
    """One that waits by ``pssl:``, and one that goes there."""

    def __init__(
        self,
        clock: WallClock,
        folder: Path,
        port: int,
        *,
        waits: TlsFiles,
        goes: TlsFiles,
        vlog: Vlog = SILENT,
    ) -> None:
        self.target = f"ssl:127.0.0.1:{port}"
        self.sockets = []
        for name, tls, target in (
            ("waiting", waits, f"pssl:{port}:127.0.0.1"),
            ("going", goes, self.target),
        ):
            (folder / name).mkdir()
            sockets = BridgeSockets(clock, str(folder / name), vlog, tls=tls)
            row = ControllerConfig(target)
            connmgr = manager(clock, vlog=vlog)
            sockets.follow({"br0": Wish(connmgr, controllers=(row,))})
            self.sockets.append(sockets)
        self.connmgr = connmgr

    @property
    def is_connected(self) -> bool:
        return self.sockets[1].status("br0", self.target).is_connected

    def close(self) -> None:
        for sockets in self.sockets:
            sockets.close()


def test_who_shows_a_good_certificate_is_spoken_with(
    clock: WallClock,
    run_until: RunUntil,
    reserve_port: Reserve,
    tmp_path: Path,
    authorities: Path,  # noqa: F811
) -> None:
    good = files(authorities)
    switches = TwoSwitches(clock, tmp_path, reserve_port(), waits=good, goes=good)
    run_until(lambda: switches.is_connected)
    (ofconn,) = switches.connmgr.connections
    assert (ofconn.version, ofconn.role) == (6, ControllerRole.EQUAL)
    switches.close()


def test_who_is_not_trusted_is_gone_to_in_vain(
    clock: WallClock,
    run_until: RunUntil,
    reserve_port: Reserve,
    tmp_path: Path,
    authorities: Path,  # noqa: F811
) -> None:
    vlog, lines = logged()
    good, foreign = files(authorities), files(authorities, shows="foreign")
    switches = TwoSwitches(clock, tmp_path, reserve_port(), waits=foreign, goes=good, vlog=vlog)
    run_until(lambda: [line for line in lines.lines if "certificate verify failed" in line])
    run_until(lambda: switches.sockets[1].status("br0", switches.target).pairs.get("last_error"))
    assert not switches.is_connected
    switches.close()
