"""The controllers that a database names: gone to, waited for, and told of."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.ovs.connmgr.managers import manager
from tests.ovs.vswitchd.row_switch import logged
from vnet.live.clock import WallClock
from vnet.live.openflow.bridge_sockets import BridgeSockets
from vnet.live.openflow.wish import Wish
from vnet.ovs.ofproto.ofproto import Ofproto
from vnet.ovs.vlog.vlog import SILENT, LogModule, Vlog
from vnet.ovs.vswitchd.controller_config import ControllerConfig
from vnet.ovs.vswitchd.fail_open import FailOpen

RunUntil = Callable[[Callable[[], object]], None]
GREETING = bytes.fromhex("0400000800000001")


def listening() -> socket.socket:
    server = socket.create_server(("127.0.0.1", 0))
    server.setblocking(False)
    return server


def accepted(run_until: RunUntil, server: socket.socket) -> socket.socket:
    found: list[socket.socket] = []

    def came() -> bool:
        try:
            found.append(server.accept()[0])
        except BlockingIOError:
            return False
        return True

    run_until(came)
    return found[0]


class Wishes:
    """Of one bridge."""

    def __init__(self, clock: WallClock, vlog: Vlog = SILENT) -> None:
        self._connmgr = manager(clock, vlog=vlog)

    def __call__(self, *targets: str) -> dict[str, Wish]:
        controllers = tuple(ControllerConfig(target) for target in targets)
        return {"br0": Wish(self._connmgr, (4,), controllers)}


def test_a_socket_is_there_while_its_row_is(
    clock: WallClock, run_until: RunUntil, tmp_path: Path
) -> None:
    sockets, wish = BridgeSockets(clock, str(tmp_path)), Wishes(clock)
    sockets.follow(wish(f"punix:{tmp_path}/br0.extra"))
    with socket.socket(socket.AF_UNIX) as peer:
        peer.connect(str(tmp_path / "br0.extra"))
        peer.setblocking(False)
        peer.sendall(GREETING + bytes.fromhex("040200080000000a"))
        said = b""

        def answered() -> bool:
            nonlocal said
            try:
                said += peer.recv(100)
            except BlockingIOError:
                return False
            return len(said) >= 24

        run_until(answered)
        assert said.endswith(bytes.fromhex("040300080000000a"))
        sockets.follow(wish())
        assert not (tmp_path / "br0.extra").exists()
        assert peer.recv(100) == b""
    sockets.close()


def test_sockets_elsewhere_are_not_for_whoever_writes_the_database(
    clock: WallClock, tmp_path: Path
) -> None:
    vlog, lines = logged()
    sockets, wish = BridgeSockets(clock, str(tmp_path), vlog), Wishes(clock, vlog)
    sockets.follow(wish(f"punix:{tmp_path}/br0.x/../evil", "unix:/tmp/evil", "nonsense:3"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["br0.mgmt", "br0.snoop"]
    mgmt = f'"unix:{tmp_path}/br0.mgmt" (which is always available without special configuration).'
    assert lines.lines == [
        f'bridge|ERR|bridge br0: Not adding Unix domain socket controller "punix:{tmp_path}/br0.x/'
        '../evil" due to possibility of overwriting local files. Instead, specify path in '
        f'permitted format "punix:{tmp_path}/br0.*" or connect to {mgmt}',
        'bridge|ERR|bridge br0: Not connecting to socket controller "unix:/tmp/evil" due to '
        "possibility for remote exploit.  Instead, specify socket in permitted directory "
        f'"unix:{tmp_path}/" or connect to {mgmt}',
        f'connmgr|INFO|br0: added service controller "punix:{tmp_path}/br0.mgmt"',
        'connmgr|WARN|br0: unsupported controller "nonsense:3"',
    ]
    assert sockets.status("br0", "nonsense:3") == (False, None, {})
    sockets.close()


def test_a_controller_is_gone_to_and_its_row_says_how_it_stands(
    clock: WallClock, run_until: RunUntil, tmp_path: Path
) -> None:
    vlog, lines = logged()
    sockets, wish = BridgeSockets(clock, str(tmp_path), vlog), Wishes(clock, vlog)
    with listening() as server:
        target = f"tcp:127.0.0.1:{server.getsockname()[1]}"
        sockets.follow(wish(target))
        with accepted(run_until, server) as peer:
            assert sockets.status("br0", target) == (False, None, {"state": "CONNECTING"})
            peer.sendall(GREETING)
            run_until(lambda: sockets.status("br0", target).is_connected)
            connected = {"state": "ACTIVE", "sec_since_connect": "0"}
            assert sockets.status("br0", target) == (True, "other", connected)
            sockets.reconnect("br0")
    away = {"state": "BACKOFF", "sec_since_connect": "0", "sec_since_disconnect": "0"}
    assert sockets.status("br0", target) == (False, None, away)
    sockets.follow(wish())
    sockets.close()
    name = f"br0<->{target}"
    assert [line for line in lines.lines if "mgmt" not in line] == [
        f'connmgr|INFO|br0: added primary controller "{target}"',
        f"rconn|INFO|{name}: connecting...",
        f"rconn|INFO|{name}: connected",
        f"rconn|INFO|{name}: disconnecting",
        f'connmgr|INFO|br0: removed primary controller "{target}"',
    ]


def test_who_is_not_there_is_told_of_each_time(
    clock: WallClock, run_until: RunUntil, tmp_path: Path
) -> None:
    vlog, lines = logged()
    sockets, wish = BridgeSockets(clock, str(tmp_path), vlog), Wishes(clock, vlog)
    target = f"unix:{tmp_path}/nobody"
    sockets.follow(wish(target, "tcp:1.2.3.4x"))
    run_until(lambda: sockets.status("br0", target).pairs.get("last_error"))
    refused = {"state": "BACKOFF", "last_error": "No such file or directory"}
    assert sockets.status("br0", target) == (False, None, refused)
    no_address = {"state": "BACKOFF", "last_error": "Address family not supported by protocol"}
    assert sockets.status("br0", "tcp:1.2.3.4x") == (False, None, no_address)
    sockets.close()
    assert [line for line in lines.lines if line.startswith(f"rconn|WARN|br0<->{target}")] == [
        f"rconn|WARN|br0<->{target}: connection failed (No such file or directory)"
    ]


class Listening(FailOpen):
    """Notes what it is told."""

    def __init__(self, clock: WallClock, ofproto: Ofproto, log: LogModule) -> None:
        super().__init__(clock, ofproto, log)
        self.told: list[str] = []

    def reached(self, target: str) -> None:
        self.told.append(f"reached {target}")

    def admitted(self, target: str) -> None:
        self.told.append(f"admitted by {target}")

    def dropped(self, target: str) -> None:
        self.told.append(f"dropped by {target}")


def test_a_controller_admits_a_bridge_by_what_it_says_and_not_by_asking_what_it_is(
    clock: WallClock, run_until: RunUntil, tmp_path: Path
) -> None:
    connmgr = manager(clock)
    fail_open = Listening(clock, connmgr.ofproto, SILENT.module("fail_open"))
    told = fail_open.told
    sockets = BridgeSockets(clock, str(tmp_path))
    with listening() as server:
        target = f"tcp:127.0.0.1:{server.getsockname()[1]}"
        wish = Wish(connmgr, (4,), (ControllerConfig(target),), fail_open)
        sockets.follow({"br0": wish})
        with accepted(run_until, server) as peer:
            peer.sendall(GREETING)
            run_until(lambda: told == [f"reached {target}"])
            features, group_features = "0405000800000002", "04120010000000030008000000000000"
            (ofconn,) = connmgr.connections
            n_bytes = ofconn.n_sent_bytes
            peer.sendall(bytes.fromhex(features + group_features))
            run_until(lambda: ofconn.n_sent_bytes >= n_bytes + 32 + 56)
            assert told == [f"reached {target}"], "it is there, and has not shown more"
            peer.sendall(bytes.fromhex("0414000800000004"))
            run_until(lambda: told == [f"reached {target}", f"admitted by {target}"])
    sockets.close()


def test_a_controller_that_is_gone_to_with_other_versions_has_to_admit_the_bridge_anew(
    clock: WallClock, run_until: RunUntil, tmp_path: Path
) -> None:
    connmgr = manager(clock)
    fail_open = Listening(clock, connmgr.ofproto, SILENT.module("fail_open"))
    sockets = BridgeSockets(clock, str(tmp_path))
    with listening() as server:
        target = f"tcp:127.0.0.1:{server.getsockname()[1]}"
        wish = Wish(connmgr, (4,), (ControllerConfig(target),), fail_open)
        sockets.follow({"br0": wish})
        with accepted(run_until, server) as peer:
            peer.sendall(GREETING + bytes.fromhex("0414000800000004"))
            run_until(lambda: f"admitted by {target}" in fail_open.told)
            sockets.follow({"br0": wish._replace(versions=(1, 4))})
            assert fail_open.told[-1] == f"dropped by {target}"
    sockets.close()


LOADED_BEFORE_IT_GOES = """
import sys
from tests.live.openflow.test_controllers import Wishes
from vnet.live.clock import WallClock
from vnet.live.openflow.bridge_sockets import BridgeSockets

clock = WallClock()
wish, sockets = Wishes(clock), BridgeSockets(clock, sys.argv[1])
sockets.follow(wish())
before = set(sys.modules)
sockets.follow(wish("tcp:127.0.0.1:1"))
print(*set(sys.modules) - before)
"""


@pytest.mark.slow
def test_what_speaks_openflow_is_loaded_before_a_controller_has_a_second_to_greet(
    tmp_path: Path,
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED_BEFORE_IT_GOES, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert {"vnet.ovs.connmgr.ofconn", "vnet.ovs.connmgr.news"} <= set(done.stdout.split())
