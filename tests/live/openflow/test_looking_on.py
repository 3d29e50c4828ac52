"""What whoever comes to ``.snoop`` sees, as ovs-vswitchd 3.1 shows it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.live.openflow.test_bridge_sockets import GREETING, caller, heard, talk
from tests.live.openflow.test_controllers import Wishes, accepted, listening
from tests.ovs.vswitchd.row_switch import logged
from vnet.live.clock import WallClock
from vnet.live.openflow.bridge_sockets import BridgeSockets

RunUntil = Callable[[Callable[[], object]], None]
Later = Callable[[float], None]
CONTROLLERS_GREETING = bytes.fromhex("0400000800000001")
ECHO = bytes.fromhex("0402000900000006aa")
OTHER_VERSION = bytes.fromhex("0305000800000009")
REPLY = bytes.fromhex("0403000900000006aa")


def test_who_looks_on_sees_what_is_said_after_the_greetings(
    clock: WallClock, run_until: RunUntil, later: Later, tmp_path: Path
) -> None:
    vlog, lines = logged()
    sockets, wish = BridgeSockets(clock, str(tmp_path), vlog), Wishes(clock, vlog)
    with listening() as server:
        target = f"tcp:127.0.0.1:{server.getsockname()[1]}"
        sockets.follow(wish(target))
        with (
            accepted(run_until, server) as controller,
            caller(tmp_path / "br0.snoop") as onlooker,
            caller(tmp_path / "br0.snoop") as silent,
        ):
            controller.sendall(CONTROLLERS_GREETING)
            onlooker.sendall(GREETING)
            assert talk(run_until, onlooker, 8)[:2] == b"\6\0"
            later(0)  # He has been greeted, and his greeting is there to be read.
            run_until(lambda: sockets.status("br0", target).is_connected)
            controller.sendall(ECHO)
            assert talk(run_until, onlooker, 18) == ECHO + REPLY
            controller.sendall(OTHER_VERSION + ECHO)
            assert talk(run_until, onlooker, 18) == ECHO + REPLY, (
                "what is not understood is not shown"
            )
            onlooker.sendall(ECHO)
            controller.sendall(ECHO)
            assert talk(run_until, onlooker, 18) == ECHO + REPLY, "what he says is not heard"
            assert talk(run_until, silent, 8)[:2] == b"\6\0"
            assert heard(silent) == b"", "who does not greet sees nothing"
            sockets.follow(wish())
            run_until(lambda: heard(onlooker) is None)
    sockets.close()
    (wrong,) = [line for line in lines.lines if line.startswith("vconn|ERR")]
    assert wrong == f"vconn|ERR|{target}: received OpenFlow version 0x03 != expected 04"
    came = [line for line in lines.lines if "monitor" in line]
    assert [line.partition(" from ")[0] for line in came] == [
        "rconn|INFO|new monitor connection"
    ] * 2
