"""The flows and groups of recorded switches: taken, or refused with the recorded sentence."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.ovs.databases import configured
from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.names import Names
from vnet.ovs.flow.ports import OfpPort
from vnet.ovs.flow.protocols import P_ANY, P_OF10_ANY, P_OF15_OXM
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import FlowModCommand, GroupModCommand
from vnet.ovs.openflow.text.files import Source, parse_flows, parse_groups
from vnet.ovs.openflow.text.flow_mod import parse_flow
from vnet.ovs.openflow.text.group import parse_group
from vnet.ovs.openflow.version import protocols_of_versions
from vnet.ovs.vswitchd.config import SwitchConfig

ROOT = os.environ.get("VNET_ORACLE")
CASES = sorted(Path(ROOT, "ovs", "cases").glob("*.json")) if ROOT else []
TRACES = Path(ROOT, "ovs-tests", "trace-cases.json") if ROOT else None

pytestmark = pytest.mark.oracle


def cases() -> Iterator[dict[str, Any]]:
    if not CASES:
        pytest.skip("VNET_ORACLE does not lead to ovs/cases")
    return (json.loads(path.read_text()) for path in CASES)


def trace_setups() -> Iterator[list[dict[str, Any]]]:
    """What was typed in each test: of its cases, each goes on from the one before."""
    if TRACES is None or not TRACES.is_file():
        pytest.skip("VNET_ORACLE does not lead to ovs-tests/trace-cases.json")
    longest = {case["source"]: case["setup"] for case in json.loads(TRACES.read_text())}
    return iter(longest.values())


def test_all_that_was_added_is_taken() -> None:
    for case in cases():
        for text in case["flows"]:
            parse_flow(text, FlowModCommand.ADD, allowed=P_OF15_OXM)
        for text in case["openflow10_flows"]:
            parse_flow(text, FlowModCommand.ADD, allowed=P_OF10_ANY)
        for text in case["groups"]:
            parse_group(text, GroupModCommand.ADD, allowed=P_OF15_OXM)


def test_what_only_openflow_10_can_say_is_refused_to_15() -> None:
    for case in cases():
        for text in case["openflow10_flows"]:
            with pytest.raises((OvsTextError, OpenFlowError)):
                parse_flow(text, FlowModCommand.ADD, allowed=P_OF15_OXM)


def sentence(recorded: str) -> str:
    """What the recorder kept of the message, without what surrounded it: a prefix, a line of
    the log, and in a file of several lines the set of protocols that all of them share.
    """
    last = recorded.splitlines()[-1].removeprefix("ovs-ofctl: ")
    return last.partition(" (")[0] if last.startswith("none of the usable") else last


def test_what_was_refused_is_refused_with_the_same_sentence() -> None:
    for case in cases():
        for refused in case["refused"]:
            recorded = sentence(refused["error"])
            with pytest.raises((OvsTextError, OpenFlowError)) as refusal:
                parse_flow(refused["line"], FlowModCommand.ADD, allowed=P_OF15_OXM)
            if isinstance(refusal.value, OpenFlowError):
                assert refusal.value.name in recorded, refused["line"]
            else:
                assert sentence(refusal.value.what) == recorded, refused["line"]


REFUSED_BY_OVS_VSCTL = ["set", "Flow_Table", "t0", "prefixes=nw_dst,nw_src,tun_dst,tun_src"]
"""More prefixes than there may be; the recording goes on without."""

_COMMANDS = {
    "add-flow": None,
    "mod-flows": FlowModCommand.MODIFY,
    "del-flows": FlowModCommand.DELETE,
}


def names_of(config: SwitchConfig, bridge_name: str) -> Names:
    """The names of a bridge's ports. Those that asked for no number have any."""
    bridge = config.bridge(bridge_name)
    ports = bridge.ports if bridge is not None else ()
    interfaces = [interface for port in ports for interface in port.interfaces]
    return Names(
        {
            interface.name: OfpPort(interface.ofport_request or other)
            for other, interface in enumerate(interfaces, start=1000)
        }
    )


def take(arguments: Sequence[str], lines: Sequence[str], config: SwitchConfig) -> None:
    """Read what one ``ovs-ofctl`` command line was given."""
    rest = list(arguments)
    allowed = P_ANY
    if rest[0].startswith("-O"):
        versions = rest.pop(0).removeprefix("-O") or rest.pop(0)
        allowed = protocols_of_versions(versions)
    command = rest[0]
    names = names_of(config, rest[1])
    if command == "add-flows":
        parse_flows(Source("\n".join(lines)), names, allowed)
    elif command == "add-groups":
        parse_groups(Source("\n".join(lines)), names, allowed)
    elif command == "add-group":
        parse_group(rest[2], GroupModCommand.ADD, names, allowed)
    elif command in _COMMANDS:
        text = rest[2] if len(rest) > 2 else ""
        parse_flow(text, _COMMANDS[command] or FlowModCommand.ADD, names, allowed)


def test_all_flows_and_groups_of_recorded_traces_are_taken() -> None:
    for setup in trace_setups():
        done: list[Sequence[str]] = []
        for step in setup:
            program, *arguments = step["argv"]
            if program == "ovs-vsctl" and arguments != REFUSED_BY_OVS_VSCTL:
                done.append(arguments)
            elif program == "ovs-ofctl":
                take(arguments, step.get("lines", ()), configured(*done))
