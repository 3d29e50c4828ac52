"""The sockets of each bridge: what whoever comes there hears."""

from __future__ import annotations

import socket
import stat
from collections.abc import Callable
from pathlib import Path

from tests.ovs.connmgr.managers import manager
from vnet.live.clock import WallClock
from vnet.live.openflow.bridge_sockets import BridgeSockets
from vnet.live.openflow.wish import Wish

RunUntil = Callable[[Callable[[], object]], None]
GREETING = bytes.fromhex("0600000800000001")


def heard(peer: socket.socket) -> bytes | None:
    """What has come; None at the end."""
    try:
        return peer.recv(4096) or None
    except BlockingIOError:
        return b""
    except ConnectionResetError:
        return None


def caller(path: Path) -> socket.socket:
    peer = socket.socket(socket.AF_UNIX)
    peer.connect(str(path))
    peer.setblocking(False)
    return peer


def talk(run_until: RunUntil, peer: socket.socket, n_bytes: int) -> bytes:
    """So many bytes of what is said, or what was said when the connection ended."""
    said = b""

    def enough() -> bool:
        nonlocal said
        part = heard(peer)
        said += part or b""
        return part is None or len(said) >= n_bytes

    run_until(enough)
    return said


def test_bridges_have_two_sockets_each_while_they_are(clock: WallClock, tmp_path: Path) -> None:
    sockets = BridgeSockets(clock, str(tmp_path))
    managers = {name: manager(clock, name) for name in ("br0", "br1")}
    sockets.follow({name: Wish(managers[name]) for name in managers})
    names = ["br0.mgmt", "br0.snoop", "br1.mgmt", "br1.snoop"]
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}
    sockets.follow({"br1": Wish(managers["br1"])})
    assert sorted(path.name for path in tmp_path.iterdir()) == names[2:]
    sockets.close()
    assert not list(tmp_path.iterdir())


def test_a_bridge_greets_echoes_and_refuses(
    clock: WallClock, run_until: RunUntil, tmp_path: Path
) -> None:
    sockets, connmgr = BridgeSockets(clock, str(tmp_path)), manager(clock)
    sockets.follow({"br0": Wish(connmgr, (4,))})
    with caller(tmp_path / "br0.mgmt") as peer:
        peer.sendall(bytes.fromhex("06000008000000010402000a00000002aabb"))
        said = talk(run_until, peer, 26)
        assert said.hex() == "040000100000000100010008000000100403000a00000002aabb"
        peer.sendall(bytes.fromhex("0463000800000003"))
        assert talk(run_until, peer, 20).hex() == "0401001400000003000100010463000800000003"
        sockets.follow({"br0": Wish(connmgr, (1,))})
        assert talk(run_until, peer, 1) == b"", "who has agreed on another version has to go"
    with caller(tmp_path / "br0.mgmt") as peer:
        assert talk(run_until, peer, 8).hex() == "0100000800000002"
    sockets.close()


def test_who_breaks_the_protocol_is_cut_off_and_nobody_else(
    clock: WallClock, run_until: RunUntil, tmp_path: Path
) -> None:
    sockets = BridgeSockets(clock, str(tmp_path))
    sockets.follow({"br0": Wish(manager(clock))})
    with caller(tmp_path / "br0.mgmt") as good, caller(tmp_path / "br0.mgmt") as bad:
        bad.sendall(bytes.fromhex("0400000400000001"))
        good.sendall(GREETING)
        run_until(lambda: heard(bad) is None)
        talk(run_until, good, 8)
        good.sendall(bytes.fromhex("0602000800000002"))
        assert talk(run_until, good, 8).hex() == "0603000800000002"
    sockets.close()


def test_nobody_can_look_on_while_there_is_no_controller(
    clock: WallClock, run_until: RunUntil, tmp_path: Path
) -> None:
    sockets = BridgeSockets(clock, str(tmp_path))
    sockets.follow({"br0": Wish(manager(clock))})
    with caller(tmp_path / "br0.snoop") as peer:
        run_until(lambda: heard(peer) is None)
    sockets.close()
