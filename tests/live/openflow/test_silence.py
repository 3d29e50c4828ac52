"""Peers that came by themselves are asked for a sign of life, and go where they give none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.live.openflow.test_bridge_sockets import caller, heard, talk
from tests.live.openflow.test_controllers import GREETING
from tests.ovs.connmgr.managers import manager
from tests.ovs.vswitchd.row_switch import logged
from vnet.live.clock import WallClock
from vnet.live.openflow.bridge_sockets import BridgeSockets
from vnet.live.openflow.wish import Wish
from vnet.ovs.vswitchd.controller_config import ControllerConfig

RunUntil = Callable[[Callable[[], object]], None]
Later = Callable[[float], None]
PROBE = bytes.fromhex("0402000800000000")


def test_a_silent_peer_is_asked_and_then_cut_off(
    clock: WallClock, run_until: RunUntil, later: Later, tmp_path: Path
) -> None:
    vlog, lines = logged()
    sockets = BridgeSockets(clock, str(tmp_path), vlog)
    row = ControllerConfig(f"punix:{tmp_path}/br0.extra", inactivity_probe=2000)
    sockets.follow({"br0": Wish(manager(clock, vlog=vlog), controllers=(row,))})
    with caller(tmp_path / "br0.extra") as peer:
        peer.sendall(GREETING)
        talk(run_until, peer, 8)
        later(3)
        assert heard(peer) == b"", "five seconds are the least"
        later(3)
        assert heard(peer) == PROBE
        peer.sendall(bytes.fromhex("0403000800000000"))
        later(0)
        later(4.5)
        assert heard(peer) == b"", "an answer is a sign of life"
        later(1)
        assert heard(peer) == PROBE
        later(5.1)
        assert heard(peer) is None
    sockets.close()
    (line,) = [line for line in lines.lines if line.startswith("rconn|ERR")]
    assert line.endswith("no response to inactivity probe after 5 seconds, disconnecting")


def test_ovs_ofctl_may_be_silent_for_a_minute(
    clock: WallClock, run_until: RunUntil, later: Later, tmp_path: Path
) -> None:
    sockets = BridgeSockets(clock, str(tmp_path))
    sockets.follow({"br0": Wish(manager(clock))})
    with caller(tmp_path / "br0.mgmt") as peer:
        peer.sendall(GREETING)
        talk(run_until, peer, 8)
        later(55)
        assert heard(peer) == b""
        later(6)
        assert heard(peer) == PROBE
    sockets.close()
