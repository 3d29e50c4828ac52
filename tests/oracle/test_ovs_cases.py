"""Random bridges and what Open vSwitch did with each frame: flows, VLANs, groups, ct, learn.

Each case is judged by the oracle's own ``verify.py``, and by what it does not look at: the
forwarding database, port counters, connections, group statistics, and refusals.
"""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.oracle.path import oracle_path
from tests.ovs.command_switch import Switch
from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.protocols import P_OF15_OXM
from vnet.ovs.ofproto.dump.fdb import dump_fdb
from vnet.ovs.ofproto.dump.flows import dump_flows
from vnet.ovs.ofproto.dump.groups import dump_group_stats
from vnet.ovs.ofproto.dump.ports import dump_ports
from vnet.ovs.ofproto.ofproto import Ofproto
from vnet.ovs.openflow.errors import OpenFlowError

FOLDER = oracle_path("ovs", "cases")
VERIFY = oracle_path("ovs", "verify.py")
CASES = sorted(FOLDER.glob("*.json")) if FOLDER else []

pytestmark = [
    pytest.mark.oracle,
    pytest.mark.skipif(FOLDER is None, reason="VNET_ORACLE does not lead to ovs/cases"),
]

Case = dict[str, Any]


class SwitchUnderTest:
    """Our switch behind the interface that ``verify.py`` asks for."""

    def __init__(self, case: Case) -> None:
        self.switch = Switch()
        self.switch.run(["ovs-vsctl", *_set_up(case)])
        self.refusals: dict[str, str] = {}
        for port in case["bridge"]["ports"]:
            if "mod_port" in port:
                self.switch.ofctl(["mod-port", "br0", port["name"], port["mod_port"]])
            if "admin_state" in port:
                state = port["admin_state"]
                self.switch.appctl(["netdev-dummy/set-admin-state", port["name"], state])
        refused = [entry["line"] for entry in case["refused"]]
        for group in case["groups"]:
            self._try(["-OOpenFlow15", "add-group", "br0", group], group)
        for flow in [*case["flows"], *refused]:
            self._try(["-OOpenFlow15", "add-flow", "br0", flow], flow)
        for flow in case["openflow10_flows"]:
            self._try(["add-flow", "br0", flow], flow)

    def _try(self, words: list[str], line: str) -> None:
        try:
            self.switch.ofctl(words)
        except (OvsTextError, OpenFlowError) as error:
            self.refusals[line] = error.what

    @property
    def bridge(self) -> Ofproto:
        return self.switch.bridge("br0")

    def inject(self, port: str, frame: bytes) -> list[tuple[str, bytes]]:
        self.switch.inject(port, frame)
        # The recordings were made with every frame translated anew.
        self.switch.vswitchd.backer.revalidator.purge()
        return self.switch.take_sent()

    def flow_stats(self) -> Iterator[tuple[int, int, str]]:
        for line in dump_flows(self.bridge, P_OF15_OXM):
            n_packets, n_bytes = map(int, _COUNTERS.findall(line)[0])
            yield n_packets, n_bytes, _AGES.sub("", line).strip()


_COUNTERS = re.compile(r"n_packets=(\d+), n_bytes=(\d+)")
_AGES = re.compile(r"(duration|n_packets|n_bytes|idle_age|hard_age)=[^ ,]*,? ?")
_PORT = re.compile(r"port\s+(\S+): rx pkts=(\d+), bytes=(\d+).*?tx pkts=(\d+), bytes=(\d+)", re.S)


def _set_up(case: Case) -> list[str]:
    bridge = case["bridge"]
    words = ["--", "add-br", "br0", "--", "set", "bridge", "br0"]
    words += [f"datapath_type={bridge['datapath_type']}", f"fail-mode={bridge['fail_mode']}"]
    words += [f"other-config:datapath-id={bridge['datapath_id']}"]
    words += [f"other-config:hwaddr={bridge['hwaddr']}"]
    for port in bridge["ports"]:
        words += ["--", "add-port", "br0", port["name"]]
        words += [f"{key}={port[key]}" for key in ("tag", "vlan_mode") if key in port]
        lists = (key for key in ("trunks", "cvlans") if key in port)
        words += [f"{key}={','.join(map(str, port[key]))}" for key in lists]
        words += ["protected=true"] if port.get("protected") else []
        words += [f"other_config:{k}={v}" for k, v in port.get("other_config", {}).items()]
        words += ["--", "set", "interface", port["name"], "type=dummy"]
        words += [f"ofport_request={port['ofport']}"]
    return words


def _verify() -> ModuleType:
    assert VERIFY is not None
    spec = importlib.util.spec_from_file_location("ovs_oracle_verify", VERIFY)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def fdb(switch: SwitchUnderTest) -> list[list[str]]:
    return sorted(line.split()[:3] for line in list(dump_fdb(switch.bridge))[1:])


def flows(switch: SwitchUnderTest) -> list[tuple[int, int, str]]:
    return sorted(switch.flow_stats(), key=lambda row: (row[2], row[0], row[1]))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_frames_and_state_are_those_of_open_vswitch(path: Path) -> None:
    case: Case = json.loads(path.read_text(encoding="utf-8"))
    kept: list[SwitchUnderTest] = []

    def factory(document: Case) -> SwitchUnderTest:
        kept.append(SwitchUnderTest(document))
        return kept[0]

    differences = _verify().verify_case(case, factory, stats=True)
    assert differences == []
    switch = kept[0]
    assert flows(switch) == sorted(
        ((row["n_packets"], row["n_bytes"], row["flow"]) for row in case["dump_flows_after"]),
        key=lambda row: (row[2], row[0], row[1]),
    )
    assert fdb(switch) == sorted(case["fdb_after"])
    refused = {entry["line"]: sentence(entry["error"]) for entry in case["refused"]}
    assert {line: sentence(what) for line, what in switch.refusals.items()} == refused
    assert ports(switch) == {row["ofport"]: row for row in case["port_stats_after"]}
    assert sorted(switch.switch.datapath.ct_dump()) == case.get("conntrack_after", [])
    if "dump_group_stats_after" in case:
        assert group_stats(switch) == case["dump_group_stats_after"]


def sentence(error: str) -> str:
    """A refusal without what the client puts around it: its name, log lines, the request.

    The recorder sent bundles, which only OpenFlow 1.4 and later can, so a flow that none of
    these can say was refused with "(none)" whatever else could say it.
    """
    switch_error = re.match(r"Error (\w+) for:", error)
    if switch_error:
        return switch_error[1]
    undecodable = re.search(r"\*\*\*decode error: (\w+)\*\*\*", error)
    if undecodable:
        return undecodable[1]
    last = error.removeprefix("ovs-ofctl: ").split("\n")[-1]
    return re.sub(r"usable flow formats \(.*?\)", "usable flow formats (none)", last)


def ports(switch: SwitchUnderTest) -> dict[str, dict[str, Any]]:
    names = ("ofport", "rx_pkts", "rx_bytes", "tx_pkts", "tx_bytes")
    found = _PORT.findall("\n".join(dump_ports(switch.bridge)))
    rows = [dict(zip(names, (row[0], *map(int, row[1:])), strict=True)) for row in found]
    return {str(row["ofport"]): row for row in rows}


def group_stats(switch: SwitchUnderTest) -> list[str]:
    lines = (line for line in dump_group_stats(switch.bridge) if "group_id" in line)
    return sorted(re.sub(r"duration=[^,]*,", "", line).strip() for line in lines)
