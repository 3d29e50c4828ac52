"""A switch in a process of its own, asked by the real ovs-appctl beside the real switch."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.daemon.daemons import Daemons
from tests.live.vswitchd.test_on_a_real_database import Switch
from tests.ovs.private_ovs import IS_INSTALLED

pytestmark = [
    pytest.mark.ovs,
    pytest.mark.skipif(not IS_INSTALLED, reason="Open vSwitch is not installed"),
]

SET_UP = (
    "add-br br0 -- set bridge br0 datapath_type=dummy other_config:hwaddr=aa:55:aa:55:00:00 -- "
    "add-port br0 p1 -- set interface p1 type=dummy ofport_request=1 -- "
    "add-port br0 p2 -- set interface p2 type=dummy ofport_request=2"
)
FRAME = (
    "'in_port(1),eth(src=50:54:00:00:00:09,dst=50:54:00:00:00:0a),eth_type(0x0800),"
    "ipv4(src=10.0.0.2,dst=10.0.0.1,proto=1,tos=0,ttl=64,frag=no),icmp(type=8,code=0)'"
)
ASKED = (
    "dpif/show",
    "dpctl/show",
    "time/stop",
    f"netdev-dummy/receive p1 {FRAME}",
    "revalidator/wait",
    "fdb/show br0",
    "time/warp 5000",
    "fdb/show br0",
    "time/warp 20000 1000",
    "dpctl/dump-flows",
    "fdb/show br0",
    "fdb/stats-show br0",
    "time/warp 300000 100000",
    "fdb/stats-show br0",
    "dpctl/show -s",
    "netdev-dummy/set-admin-state p2 down",
    "time/warp x",
    "fdb/show",
    "no-such/command",
)

POLLED = (
    "dpctl/show",
    "dpif-netdev/pmd-rxq-show",
    "dpif-netdev/pmd-rxq-show -secs 7",
    "dpif-netdev/dpif-impl-get",
    "dpif-netdev/miniflow-parser-get",
)
_WHOSE = re.compile(r"(core_id |numa_id |pmds: |queues=|port )[0-9]+")
"""Which core polls is every machine's own, and how many queues follow from that; ports that come
together have their numbers in no order."""

_THREADS = re.compile(r"(handlers|revalidators):[0-9]+")
"""Open vSwitch has as many as there are processors for."""


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[Switch, Switch]]:
    switches = Switch(tmp_path / "ours", ours=True), Switch(tmp_path / "real", ours=False)
    yield switches
    for switch in switches:
        switch.switch.end_all()
        switch.server.end_all()


def test_answers_are_the_real_daemon_s_and_time_moves_when_told(
    pair: tuple[Switch, Switch],
) -> None:
    for switch in pair:
        switch.vsctl(SET_UP)
    for line in ASKED:
        ours, real = (_ask(switch.switch, line) for switch in pair)
        assert ours == real, line


def test_what_is_set_of_devices_is_shown_and_who_polls_their_queues(
    pair: tuple[Switch, Switch],
) -> None:
    shown = []
    for switch in pair:
        switch.vsctl(SET_UP)
        switch.vsctl(
            "add-port br0 d3 -- set interface d3 type=dummy options:ifindex=1010 -- "
            "add-port br0 m4 -- set interface m4 type=dummy-pmd options:n_rxq=2 -- "
            "add-port br0 m5 -- set interface m5 type=dummy-pmd"
        )
        answers = [_ask(switch.switch, line) for line in POLLED]
        shown.append([_WHOSE.sub(r"\1N", text) for answer in answers for text in answer[1:]])
    ours, real = ([sorted(text.splitlines()) for text in texts] for texts in shown)
    assert ours == real


def test_a_clock_that_stands_still_keeps_nobody_waiting(pair: tuple[Switch, Switch]) -> None:
    ours, _real = pair
    assert _ask(ours.switch, "time/stop") == (0, "", "")
    assert ours.vsctl(SET_UP)[0] == 0
    assert _ask(ours.switch, "time/warp 86400000")[1] == "warped\n"


def test_both_tell_of_as_many_things_in_memory(pair: tuple[Switch, Switch]) -> None:
    asked = ("memory/show", f"netdev-dummy/receive p1 {FRAME}", "memory/show")
    steps = (
        SET_UP,
        "add-br br1 -- set bridge br1 datapath_type=dummy fail_mode=secure -- "
        "add-port br1 q -- set interface q type=patch options:peer=nobody",
        "del-br br0",
        "del-br br1",
    )
    said = []
    for switch in pair:
        shown = [_ask(switch.switch, "memory/show")]
        for step in steps:
            switch.vsctl(step)
            shown += [
                _ask(switch.switch, line) for line in (asked if step is SET_UP else asked[:1])
            ]
        said.append([_THREADS.sub(r"\1:N", text) for _status, text, _error in shown])
    assert said[0] == said[1]
    assert "ports:3" in said[0][1]
    assert "udpif keys:1" in said[0][3]


def _ask(daemons: Daemons, line: str) -> tuple[int, str, str]:
    done = daemons.appctl("ovs-vswitchd", *shlex.split(line))
    return done.returncode, done.stdout, done.stderr
