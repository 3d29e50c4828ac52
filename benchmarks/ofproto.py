"""What decides in a switch of Open vSwitch: upcalls a second, loading flows, what they weigh.

An upcall is a frame that no megaflow matches: it is translated, the megaflow installed, and the
frame sent. Flows are loaded as from a file: text, checks, and all of them or none.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from time import process_time

from benchmarks.dummy_switch import DummySwitch
from benchmarks.harness import Cost, Speed, Work, in_fresh_process, resident_mb
from benchmarks.yardstick import hot_path
from vnet.ovs.flow.compose import compose
from vnet.ovs.flow.match_parse import parse_exact_flow
from vnet.ovs.openflow.text.files import Source, parse_flows

STATIONS = 2_000
RULES = 100_000


def _mac(number: int) -> str:
    return f"02:00:00:00:{number >> 8:02x}:{number & 0xFF:02x}"


def _ip(number: int) -> str:
    return f"10.{number >> 16}.{number >> 8 & 0xFF}.{number & 0xFF}"


def one_table() -> list[str]:
    """A rule for each station."""
    return [f"dl_dst={_mac(number)},actions=output:2" for number in range(STATIONS)]


def five_tables() -> list[str]:
    """Admission, spoofing, a list of what may pass, stations and output, each a table."""
    stations = range(STATIONS)
    return [
        "table=0,in_port=1,actions=load:1->NXM_NX_REG1[],resubmit(,1)",
        *(f"table=1,reg1=1,ip,nw_src={_ip(number)},actions=resubmit(,2)" for number in stations),
        *(f"table=2,priority=10,udp,tp_dst={port},actions=drop" for port in range(100, 150)),
        "table=2,priority=1,udp,actions=resubmit(,3)",
        *(
            f"table=3,dl_dst={_mac(number)},actions=load:2->NXM_NX_REG0[],dec_ttl,goto_table:4"
            for number in stations
        ),
        "table=4,actions=output:NXM_NX_REG0[]",
    ]


def upcalls(flows: list[str]) -> Work:
    """Frames to all stations, none of which has a megaflow yet."""
    switch = DummySwitch()
    switch.add_bridge(2)
    add(switch, flows)
    frames = [
        compose(parse_exact_flow(f"udp,dl_dst={_mac(n)},nw_src={_ip(n)},nw_ttl=9"))
        for n in range(STATIONS)
    ]

    def work() -> int:
        for frame in frames:
            switch.inject("p1", frame)
        assert switch.datapath.stats().n_missed == STATIONS
        assert len(switch.devices["p2"].sent) == STATIONS
        return STATIONS

    return work


def rules(count: int) -> Iterator[str]:
    """Flows as an access list has them: prefixes, ports, rewriting, three tables."""
    for number in range(count):
        table, of_table = number % 3, number // 3
        yield (
            f"table={table},priority={100 + number % 7},tcp,nw_src={_ip(of_table)},"
            f"nw_dst=10.0.0.0/8,tp_dst={number % 1000},"
            f"actions=mod_dl_dst:{_mac(number & 0xFFFF)},dec_ttl,output:{1 + number % 2}"
        )


def add(switch: DummySwitch, lines: list[str]) -> None:
    """All of these flows, or none."""
    switch.bridge().bundle(parse_flows(Source("\n".join(lines))))


def _loaded(count: int) -> tuple[float, float]:
    """CPU seconds that it takes to load flows, and MiB that they add."""
    switch = DummySwitch()
    switch.add_bridge(2)
    add(switch, list(rules(100)))  # what only a first flow builds
    lines = list(rules(count))
    before_mb, begin = resident_mb(), process_time()
    add(switch, lines)
    return process_time() - begin, resident_mb() - before_mb


def load_10_000_seconds() -> float:
    """How long 10,000 flows take."""
    return _loaded(10_000)[0]


def load_100_000_seconds() -> float:
    """How long ten times as many take."""
    return _loaded(RULES)[0]


def rule_kilobytes() -> float:
    """What one of 100,000 rules weighs, with its match and its actions."""
    return _loaded(RULES)[1] * 1024 / RULES


def _upcalls(name: str, flows: list[str]) -> Speed:
    return Speed(
        f"OVS upcalls: {name}", "upcalls/s", partial(upcalls, flows), hot_path, "yardstick"
    )


def _cost(name: str, unit: str, function: str, limit: float | None) -> Cost:
    return Cost(name, unit, partial(in_fresh_process, "benchmarks.ofproto", function), limit)


BENCHMARKS = (
    _upcalls("one table", one_table()),
    _upcalls("five tables", five_tables()),
    _cost("OVS: load 10,000 flows from text", "s", "load_10_000_seconds", 2.0),
    _cost("OVS: load 100,000 flows from text", "s", "load_100_000_seconds", None),
    _cost("OVS: memory of a rule", "KiB", "rule_kilobytes", 2.0),
)
