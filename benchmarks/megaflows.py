"""How many megaflows and masks some workloads leave, here and in the real Open vSwitch.

    python -m benchmarks.megaflows

A switch is as good as its megaflows are wide: a port scan should not leave one for each port, nor
many clients one for each client, unless the rules ask for that. Where ``ovs-vswitchd`` is
installed, the same rules and frames go through a private one, and its ``dpctl/dump-flows`` is
compared with ours. The exit code is 1 where they are not the same.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from benchmarks.dummy_switch import BRIDGE, DummySwitch, bridge_words
from tests.ovs.private_ovs import IS_INSTALLED, PrivateOvs, private_ovs
from vnet.ovs.dpif.text.flows import flow_text
from vnet.ovs.flow.compose import compose
from vnet.ovs.flow.match_parse import parse_exact_flow
from vnet.ovs.openflow.text.files import Source, parse_flows

N_PORTS = 3
N_FRAMES = 1_000

_DUMMY_QUEUE = 100
"""How many frames a dummy device keeps until somebody looks at them."""

_PATIENCE = 1_000

GATEWAY = "02:00:00:00:00:fe"

FIREWALL = (
    "table=0,priority=100,arp,actions=NORMAL",
    *(f"table=0,priority=50,tcp,tp_dst={port},actions=resubmit(,1)" for port in (22, 80, 443)),
    "table=0,priority=0,actions=drop",
    "table=1,priority=20,ip,nw_dst=10.0.0.0/24,actions=output:2",
    "table=1,priority=0,actions=drop",
)
ROUTER = (
    "table=0,priority=10,ip,nw_src=192.168.66.0/24,actions=drop",
    "table=0,priority=1,ip,actions=dec_ttl,resubmit(,1)",
    *(
        f"table=1,priority=24,ip,nw_dst=10.0.{n}.0/24,actions=mod_dl_src:{GATEWAY},output:2"
        for n in range(16)
    ),
    f"table=1,priority=16,ip,nw_dst=10.1.0.0/16,actions=mod_dl_src:{GATEWAY},output:3",
)
STATIONS = ("table=0,actions=NORMAL",)


class Workload(NamedTuple):
    """Flows, and packets that come in by port 1."""

    name: str
    flows: tuple[str, ...]
    packets: list[str]


def _scan() -> list[str]:
    """One machine knocks at all ports of another."""
    addresses = "dl_src=02:00:00:00:00:01,dl_dst=02:00:00:00:00:02,nw_src=10.9.9.9,nw_dst=10.0.0.2"
    return [
        f"tcp,{addresses},nw_ttl=64,tcp_src=40000,tcp_dst={port},tcp_flags=syn"
        for port in range(1, N_FRAMES + 1)
    ]


def _clients(target: str) -> list[str]:
    """Each from a machine and a port of its own, to a web server."""
    return [
        f"tcp,dl_src=02:00:00:01:{n >> 8:02x}:{n & 0xFF:02x},dl_dst={GATEWAY},nw_ttl=64,"
        f"nw_src=10.2.{n >> 8}.{n & 0xFF},nw_dst={target},tcp_src={20_000 + n},tcp_dst=80,"
        "tcp_flags=syn"
        for n in range(N_FRAMES)
    ]


WORKLOADS = (
    Workload("port scan, firewall", FIREWALL, _scan()),
    Workload("port scan, learning switch", STATIONS, _scan()),
    Workload("many clients, firewall", FIREWALL, _clients("10.0.0.2")),
    Workload("many clients, router", ROUTER, _clients("10.0.7.2")),
    Workload("many clients, learning switch", STATIONS, _clients("10.0.0.2")),
)


def frames_of(workload: Workload) -> list[bytes]:
    return [compose(parse_exact_flow(packet)) for packet in workload.packets]


def ours(workload: Workload) -> list[str]:
    """The megaflows that our switch is left with."""
    switch = DummySwitch()
    switch.add_bridge(N_PORTS)
    switch.bridge().bundle(parse_flows(Source("\n".join(workload.flows))))
    for frame in frames_of(workload):
        switch.inject("p1", frame)
    return [flow_text(flow.key, flow.mask) for flow in switch.datapath.flows()]


def theirs(workload: Workload, ovs: PrivateOvs) -> list[str]:
    """The megaflows that the real switch is left with."""
    # Else those that it takes long to look at again, or that nobody used for long, would go.
    ovs.appctl("time/stop")
    ovs.vsctl("--if-exists", "del-br", BRIDGE)
    ovs.vsctl(*bridge_words(N_PORTS))
    flows = ovs.directory / "flows.txt"
    flows.write_text("\n".join(workload.flows), encoding="utf-8")
    ovs.ofctl("add-flows", BRIDGE, str(flows))
    frames = [frame.hex() for frame in frames_of(workload)]
    for first in range(0, len(frames), _DUMMY_QUEUE):
        batch = frames[first : first + _DUMMY_QUEUE]
        ovs.appctl("netdev-dummy/receive", "p1", *batch)
        _wait_for_lookups(ovs, first + len(batch))
    dump, _errors = ovs.appctl("dpctl/dump-flows")
    lines = (line.partition(", packets:")[0] for line in dump.splitlines())
    return [line for line in lines if line.startswith("recirc_id")]


def _wait_for_lookups(ovs: PrivateOvs, count: int) -> None:
    """Until the datapath has looked at so many frames; its threads take their time."""
    for _ in range(_PATIENCE):
        shown, _errors = ovs.appctl("dpctl/show")
        if sum(map(int, re.findall(r"(?:hit|missed):(\d+)", shown))) >= count:
            return
    raise TimeoutError(f"Open vSwitch does not look at {count} frames: {shown}")


_VALUE = re.compile(r"(?<=[=(])[^()=,/]+(?=[/,)])")


def n_masks(flows: Iterable[str]) -> int:
    """How many masks the flows have, each of which costs a lookup: what is left of their texts
    without the values.
    """
    return len({_VALUE.sub("", flow) for flow in flows})


def main() -> int:
    with TemporaryDirectory() as folder:
        if not IS_INSTALLED:
            return _report(None)
        with private_ovs(Path(folder)) as ovs:
            return _report(ovs)


def _report(ovs: PrivateOvs | None) -> int:
    beside = "" if ovs is None else "  Open vSwitch's  masks  the same"
    print(f"{'workload':30}frames  megaflows  masks{beside}")
    n_different = 0
    for workload in WORKLOADS:
        found = ours(workload)
        line = f"{workload.name:30}{N_FRAMES:6,}  {len(found):9,}  {n_masks(found):5}"
        if ovs is not None:
            wanted = theirs(workload, ovs)
            same = len(set(found) & set(wanted))
            n_different += len(found) + len(wanted) - 2 * same
            line += f"  {len(wanted):14,}  {n_masks(wanted):5}  {same:8,}"
        print(line)
    return int(n_different > 0)


if __name__ == "__main__":
    sys.exit(main())
