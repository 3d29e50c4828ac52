"""What steps look at, and change, that is no traffic: stations, counters, queues, links."""

from __future__ import annotations

import json
import socket
from typing import Any

from vnet.base.errors import VnetError
from vnet.base.ids import mac_text
from vnet.lab.scenario import NotJudgedError
from vnet.linux.tc.command import words_about
from vnet.live.kernel import namespaces
from vnet.live.kernel.machine import LiveMachine
from vnet.live.kernel.programs import run_program
from vnet.topology.steps import CountersStep, FdbStep, TcStep

_NUD_PERMANENT = 0x80
_LACKS = ("kind is unknown", "classifier not found", "Failed to load TC action module")
"""What tc says where the kernel was built without something."""

COUNTERS = ("rx_packets", "rx_bytes", "tx_packets", "tx_bytes")


def stations(machine: LiveMachine, step: FdbStep) -> dict[str, Any]:
    """``bridge fdb show br BRIDGE``: how many have been learned, and where one is."""
    bridge = machine.device_index(step.bridge or step.node)
    netlink = machine.netlink
    found: dict[str, Any] = {} if step.mac is None else {"port": "none"}
    entries = 0
    for entry in netlink.get_neighbours(socket.AF_BRIDGE):
        if entry.get_attr("NDA_MASTER") != bridge or entry["state"] & _NUD_PERMANENT:
            continue
        entries += 1
        if step.mac is not None and entry.get_attr("NDA_LLADDR") == mac_text(step.mac):
            link = netlink.get_links(entry["ifindex"])[0]
            found["port"] = link.get_attr("IFLA_IFNAME")
    return {**found, "entries": entries}


def counters(machine: LiveMachine, step: CountersStep) -> dict[str, Any]:
    """``ip -s link show``. Why frames were dropped the kernel does not say."""
    link = machine.netlink.get_links(machine.device_index(step.device.device))[0]
    stats = link.get_attr("IFLA_STATS64")
    return {name: stats[name] for name in COUNTERS}


def change_queues(machine: LiveMachine, step: TcStep) -> dict[str, Any]:
    """A command of tc(8), and the counters of a queue, as ``tc -s -j qdisc`` has them."""
    device = step.device.device
    if step.command is not None:
        _tc(machine, words_about(device, step.command))
    shown = json.loads(_tc(machine, ["-s", "-j", "qdisc", "show", "dev", device]))
    handle = f"{step.handle >> 16:x}:"
    for queue in shown:
        if queue.get("root") if step.handle == 0 else queue.get("handle") == handle:
            return {
                "kind": queue["kind"],
                "sent_bytes": queue["bytes"],
                "sent_packets": queue["packets"],
                "dropped": queue["drops"],
                "overlimits": queue["overlimits"],
                "requeues": queue["requeues"],
                "backlog_bytes": queue["backlog"],
                "backlog_packets": queue["qlen"],
            }
    raise VnetError(f"{step.device} has no queue {handle if step.handle else 'at its root'}")


def _tc(machine: LiveMachine, words: list[str]) -> str:
    with namespaces.inside(machine.namespace):
        done = run_program(["tc", *words])
    if done.returncode:
        complaint = done.stderr.strip()
        if any(lack in complaint for lack in _LACKS):
            raise NotJudgedError(f"this kernel cannot: {complaint.splitlines()[0]}")
        raise VnetError(complaint)
    return done.stdout
