"""Peers that say too much, or read too little, and many of them: each gets its share."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from tests.live.openflow.test_bridge_sockets import GREETING, caller, heard, talk
from tests.live.openflow.test_controllers import accepted, listening
from tests.ovs.connmgr.managers import manager
from tests.ovs.vswitchd.row_switch import logged
from vnet.live.clock import WallClock
from vnet.live.openflow.bridge_sockets import BridgeSockets
from vnet.live.openflow.wish import Wish
from vnet.ovs.flow.match import Match
from vnet.ovs.openflow.messages import IN_PORT_MASK, FlowModCommand, PacketIn
from vnet.ovs.openflow.ofpacts import PacketInReason
from vnet.ovs.openflow.text.flow_mod import parse_flow
from vnet.ovs.vswitchd.controller_config import ControllerConfig

ADD = FlowModCommand.ADD
RunUntil = Callable[[Callable[[], object]], None]
ECHO = bytes.fromhex("06020008")
WANTS_PACKETS = bytes.fromhex("0609000c0000000100000080")
PACKET_IN_TYPE = 10
LARGE_ECHO = bytes.fromhex("0602fff800000001") + bytes(0xFFF8 - 8)
LARGE_FLOW = "in_port={}," + f"actions=note:{'77' * 8000}"
ALL_FLOWS = bytes.fromhex(
    "0612003800000007 0001000000000000 ff000000 ffffffff ffffffff 00000000"
    + "00" * 16
    + "0001000400000000"
)
TURNS = 20
"""Of the loop, in which whoever is read from at all would have been."""
PACKET_IN = PacketIn(bytes(1000), PacketInReason.ACTION, pipeline=Match(1, IN_PORT_MASK))


def send_what_fits(peer: socket.socket, data: bytes) -> int:
    """How many bytes the other side took in."""
    n_sent = 0
    while n_sent < len(data):
        try:
            n_sent += peer.send(data[n_sent:])
        except BlockingIOError:
            break
    return n_sent


def greeted(run_until: RunUntil, path: Path) -> socket.socket:
    peer = caller(path)
    peer.sendall(GREETING)
    talk(run_until, peer, 8)
    return peer


def test_who_floods_keeps_nobody_from_being_answered(
    clock: WallClock, run_until: RunUntil, tmp_path: Path
) -> None:
    sockets, connmgr = BridgeSockets(clock, str(tmp_path)), manager(clock)
    sockets.follow({"br0": Wish(connmgr)})
    path = tmp_path / "br0.mgmt"
    with greeted(run_until, path) as flooding, greeted(run_until, path) as other:
        echoes = b"".join(ECHO + number.to_bytes(4, "big") for number in range(5000))
        n_sent = send_what_fits(flooding, echoes)
        other.sendall(ECHO + b"\0\0\0\7")
        assert talk(run_until, other, 8) == bytes.fromhex("0603000800000007")
        busy = connmgr.connections[0]
        assert busy.is_behind, "the other one did not have to wait for all of it"
        said = talk(run_until, flooding, n_sent // 8 * 8)
        assert said[4::8] == echoes[4 : len(said) : 8], "in order, and none is missing"
    sockets.close()


def test_who_asks_and_does_not_read_is_read_from_no_further(
    clock: WallClock, run_until: RunUntil, tmp_path: Path
) -> None:
    sockets, connmgr = BridgeSockets(clock, str(tmp_path)), manager(clock)
    sockets.follow({"br0": Wish(connmgr)})
    with greeted(run_until, tmp_path / "br0.mgmt") as peer:
        (ofconn,) = connmgr.connections
        n_sent = n_in_vain = 0

        def is_stuck() -> bool:
            nonlocal n_sent, n_in_vain
            more = send_what_fits(peer, LARGE_ECHO * 8 if not n_sent % len(LARGE_ECHO) else b"")
            n_sent += more
            n_in_vain = 0 if more else n_in_vain + 1
            return n_in_vain > TURNS

        run_until(is_stuck)
        assert n_sent < 16 << 20
        assert ofconn.backlog() < 2 << 20
        n_read = 0

        def is_through() -> bool:
            nonlocal n_read
            n_read += len(heard(peer) or b"")
            return n_read >= n_sent // len(LARGE_ECHO) * len(LARGE_ECHO)

        run_until(is_through)
    sockets.close()


def test_a_long_answer_waits_for_who_reads_it_slowly_and_for_nobody_else(
    clock: WallClock, run_until: RunUntil, tmp_path: Path
) -> None:
    sockets, connmgr = BridgeSockets(clock, str(tmp_path)), manager(clock)
    sockets.follow({"br0": Wish(connmgr)})
    connmgr.ofproto.bundle(parse_flow(LARGE_FLOW.format(n), ADD) for n in range(1, 401))
    with (
        greeted(run_until, tmp_path / "br0.mgmt") as peer,
        greeted(run_until, tmp_path / "br0.mgmt") as other,
    ):
        peer.sendall(ALL_FLOWS + ECHO + b"\0\0\0\7")
        (ofconn, _) = connmgr.connections
        run_until(lambda: ofconn.backlog() > 1 << 20)
        other.sendall(ECHO + b"\0\0\0\7")
        assert talk(run_until, other, 8).hex() == "0603000800000007"
        assert ofconn.backlog() <= (1 << 20) + (64 << 10)
        said = bytearray()

        def is_answered() -> bool:
            said.extend(heard(peer) or b"")
            return said.endswith(bytes.fromhex("0603000800000007"))

        run_until(is_answered)
        assert said.count(b"\x77" * 8000) == 400
    sockets.close()


def test_a_controller_that_reads_nothing_costs_as_many_packets_as_may_wait(
    clock: WallClock, run_until: RunUntil, tmp_path: Path
) -> None:
    vlog, lines = logged()
    sockets, connmgr = BridgeSockets(clock, str(tmp_path), vlog), manager(clock, vlog=vlog)
    with listening() as server:
        target = f"tcp:127.0.0.1:{server.getsockname()[1]}"
        row = ControllerConfig(target, controller_queue_size=5)
        sockets.follow({"br0": Wish(connmgr, controllers=(row,))})
        with accepted(run_until, server) as peer:
            peer.sendall(GREETING)
            run_until(lambda: sockets.status("br0", target).is_connected)
            (ofconn,) = connmgr.connections
            for _ in range(20_000):
                if connmgr.packet_in(PACKET_IN) is not None:
                    break
            assert ofconn.packet_ins.n_dropped == 1
            assert ofconn.packet_ins.n_waiting == 5
            assert ofconn.backlog() < 6 * 1100
    overflow = f"connmgr|INFO|br0<->{target}: dropping packet-in due to queue overflow"
    assert lines.lines.count(overflow) == 1
    sockets.close()


def test_a_row_limits_the_rate_and_shows_what_came_of_it(
    clock: WallClock, run_until: RunUntil, tmp_path: Path
) -> None:
    sockets, connmgr = BridgeSockets(clock, str(tmp_path)), manager(clock)
    with listening() as server:
        target = f"tcp:127.0.0.1:{server.getsockname()[1]}"
        row = ControllerConfig(target, controller_rate_limit=100, controller_burst_limit=2)
        sockets.follow({"br0": Wish(connmgr, controllers=(row,))})
        with accepted(run_until, server) as peer:
            peer.sendall(GREETING)
            run_until(lambda: sockets.status("br0", target).is_connected)
            for _ in range(5):
                connmgr.packet_in(PACKET_IN)
            pairs = sockets.status("br0", target).pairs
            shown = [
                pairs[f"packet-in-action-{word}"] for word in ("bypassed", "queued", "dropped")
            ]
            assert shown == ["2", "3", "1"]
            assert pairs["packet-in-miss-bypassed"] == "0"
    sockets.close()


def test_a_hundred_controllers_are_served_at_once(
    clock: WallClock, run_until: RunUntil, tmp_path: Path
) -> None:
    sockets, connmgr = BridgeSockets(clock, str(tmp_path)), manager(clock)
    sockets.follow({"br0": Wish(connmgr)})
    with ExitStack() as stack:
        peers = [stack.enter_context(caller(tmp_path / "br0.mgmt")) for _ in range(100)]
        for number, peer in enumerate(peers):
            peer.sendall(GREETING + WANTS_PACKETS + ECHO + number.to_bytes(4, "big"))
        for number, peer in enumerate(peers):
            said = talk(run_until, peer, 16)
            assert said[8:] == bytes.fromhex("06030008") + number.to_bytes(4, "big")
        assert connmgr.packet_in(PACKET_IN) is None
        assert {talk(run_until, peer, 1000)[1] for peer in peers} == {PACKET_IN_TYPE}
        assert sockets.n_connections == 100
    sockets.close()
