"""What the log says of each message (``vlog/set vconn:dbg``)."""

from __future__ import annotations

from tests.ovs.connmgr.managers import manager
from tests.ovs.vswitchd.row_switch import logged
from vnet.ovs.openflow.wire.connection.hello import hello
from vnet.ovs.vlog.level import Destination, Level
from vnet.sim.scheduler import Scheduler


def test_whoever_wants_to_can_read_what_is_said() -> None:
    vlog, lines = logged("%c|%m")
    vlog.set_levels(vlog.module("vconn"), Destination.FILE, Level.DBG)
    vlog.set_levels(vlog.module("connmgr"), Destination.FILE, Level.OFF)
    connection = manager(Scheduler(), vlog=vlog).connect(
        lambda _data: None, name="br0<->unix#7", is_primary=False, versions=range(1, 7)
    )
    connection.start()
    connection.take(hello((4,), 9) + bytes.fromhex("0414000800000003"))
    connection.run()
    said = "\n".join(lines.lines).split("\n")
    assert said == [
        "vconn|unix#7: sent (Success): OFPT_HELLO (OF1.5) (xid=0x1):",
        " version bitmap: 0x01, 0x02, 0x03, 0x04, 0x05, 0x06",
        "vconn|unix#7: received: OFPT_HELLO (OF1.3) (xid=0x9):",
        " version bitmap: 0x04",
        "vconn|unix#7: negotiated OpenFlow version 0x04 "
        "(we support version 0x06 and earlier, peer supports version 0x04)",
        "vconn|unix#7: received: OFPT_BARRIER_REQUEST (OF1.3) (xid=0x3):",
        "vconn|unix#7: sent (Success): OFPT_BARRIER_REPLY (OF1.3) (xid=0x3):",
    ]


def test_who_sends_rubbish_does_not_fill_the_log() -> None:
    vlog, lines = logged("%c|%m")
    connection = manager(Scheduler(), vlog=vlog).connect(
        lambda _data: None, name="br0<->unix#7", is_primary=False, versions=range(1, 7)
    )
    bad = bytes.fromhex("0410002800000009 fffffe00 00000000 000000000000 0000" + "00" * 16)
    connection.take(hello((4,), 9) + bad * 40)
    connection.run()
    by_module = [line.partition("|")[0] for line in lines.lines]
    assert by_module.count("ofp_port") == 5
    assert by_module.count("connmgr") == 10
