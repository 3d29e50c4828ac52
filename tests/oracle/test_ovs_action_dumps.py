"""Actions as Open vSwitch dumped them, after it had received them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from vnet.ovs.flow.protocols import P_OF10_ANY, P_OF15_OXM
from vnet.ovs.openflow.text.actions import actions_text
from vnet.ovs.openflow.text.flow_mod import parse_flow
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.actions import as_sent

CASES = sorted(Path(os.environ.get("VNET_ORACLE", ""), "ovs", "cases").glob("*.json"))

pytestmark = [
    pytest.mark.oracle,
    pytest.mark.skipif(not CASES, reason="VNET_ORACLE does not lead to ovs/cases"),
]


def dumped(text: str, protocols: int) -> str:
    """The actions of a flow as ``dump-flows -O OpenFlow15`` shows them."""
    received = parse_flow(text, None, allowed=protocols).actions
    return actions_text(as_sent(received, OpenFlowVersion.OF15))


def test_flows_are_dumped_with_the_actions_that_a_switch_received() -> None:
    compared = 0
    for path in CASES:
        case = json.loads(path.read_text())
        flows = [(text, P_OF15_OXM) for text in case["flows"]]
        flows += [(text, P_OF10_ANY) for text in case["openflow10_flows"]]
        if any("learn(" in text for text, _ in flows):
            continue  # some of what was dumped was learned
        known = {dumped(*flow) for flow in flows}
        shown = {flow["flow"].partition("actions=")[2] for flow in case["dump_flows_after"]}
        assert shown <= known, path.name
        compared += len(case["dump_flows_after"])
    assert compared > 1000
