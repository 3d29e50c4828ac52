"""What ``dpctl`` and ``ofproto/trace`` of the real Open vSwitch make of datapath texts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.ovs.dpif.strategies import ACTIONS, flows
from tests.ovs.dpif.test_action_text import LINES as ACTION_LINES
from tests.ovs.dpif.test_flow_text import LINES as FLOW_LINES
from tests.ovs.flow.frames import FRAMES
from tests.ovs.private_ovs import IS_INSTALLED, PrivateOvs, private_ovs
from vnet.ovs.dpif.actions import OdpActions
from vnet.ovs.dpif.text.actions import actions_text
from vnet.ovs.dpif.text.flows import flow_text, key_text, parse_flow, parse_key
from vnet.ovs.dpif.text.miniflow_bits import miniflow_bits_text
from vnet.ovs.dpif.text.parse_actions import parse_actions
from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.extract import extract
from vnet.ovs.flow.flow import Flow
from vnet.ovs.flow.match_text import flow_text as openflow_text

pytestmark = [
    pytest.mark.ovs,
    pytest.mark.skipif(not IS_INSTALLED, reason="ovs-vswitchd is not installed"),
]

BRIDGE = (
    *("add-br", "br0", "--", "set", "bridge", "br0", "datapath_type=dummy", "fail_mode=secure"),
    *("--", "add-port", "br0", "p1", "--", "set", "interface", "p1", "type=dummy"),
    *("ofport_request=1", "--", "set", "Open_vSwitch", ".", "other_config:vlan-limit=2"),
)
PORT_NAMES = {0: "ovs-dummy", 1: "p1", 100: "br0"}
PORT_NUMBERS = {name: number for number, name in PORT_NAMES.items()}
ANOTHER_FLOW = "in_port(1),eth(),eth_type(0x1234)"

few = settings(max_examples=examples(40), phases=(Phase.explicit, Phase.generate), derandomize=True)


@pytest.fixture(scope="module")
def ovs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateOvs]:
    directory: Path = tmp_path_factory.mktemp("ovs")
    with private_ovs(directory) as ovs:
        ovs.vsctl(*BRIDGE)
        # Else flows that no OpenFlow flow explains would vanish at any time.
        ovs.appctl("revalidator/pause")
        yield ovs


def installed(ovs: PrivateOvs, text: str) -> tuple[str, str] | str:
    """A flow as a dump shows it, short and in full, or what is wrong with it."""
    ovs.appctl("dpctl/del-flows")
    _out, refusal = ovs.appctl("dpctl/add-flow", text, "drop")
    if refusal:
        return refusal.removeprefix("ovs-vswitchd: ")
    dumps = (ovs.appctl("dpctl/dump-flows", *how)[0] for how in (("--no-names",), ("-m",)))
    short, full = (re.findall(r"^(.*), packets:0, ", dump, re.MULTILINE)[0] for dump in dumps)
    return short, full.split(", ", 1)[1]


def ours(text: str) -> tuple[str, str] | str:
    try:
        key, mask = parse_flow(text, port_numbers=PORT_NUMBERS, vlan_limit=2)
    except OvsTextError as refused:
        return refused.what
    names = PORT_NAMES
    return (
        flow_text(key, mask, vlan_limit=2),
        flow_text(key, mask, port_names=names, verbose=True, vlan_limit=2),
    )


@few
@given(flow=flows())
def test_flows_are_dumped_alike(ovs: PrivateOvs, flow: tuple[int, int]) -> None:
    key, mask = flow
    if Flow.dl_type.of(key) == 0x894F:
        return  # Open vSwitch cannot read back the headers that it prints
    text = flow_text(Flow.in_port.set(key, 1), mask, verbose=True, vlan_limit=2)
    assert installed(ovs, text) == ours(text)


@pytest.mark.parametrize("line", FLOW_LINES)
def test_lines_are_dumped_alike(ovs: PrivateOvs, line: str) -> None:
    assert installed(ovs, line) == ours(line)


@pytest.mark.parametrize("line", FLOW_LINES)
def test_as_much_of_a_flow_is_looked_at(ovs: PrivateOvs, line: str) -> None:
    if isinstance(installed(ovs, line), str):
        return  # it is no flow
    dump, _ = ovs.appctl("dpctl/dump-flows", "-m")
    (theirs,) = re.findall(r"dp-extra-info:(.*)$", dump, re.MULTILINE)
    key, mask = parse_flow(line, port_numbers=PORT_NUMBERS, vlan_limit=2)
    assert miniflow_bits_text(key, mask) == theirs


@few
@given(
    line=st.sampled_from(FLOW_LINES),
    at=st.integers(min_value=0),
    typed=st.sampled_from("(),=/x0:.-|"),
    is_more=st.booleans(),
)
def test_mistyped_lines_are_judged_alike(
    ovs: PrivateOvs, line: str, at: int, typed: str, is_more: bool
) -> None:
    at %= len(line)
    text = line[:at] + typed + line[at + (not is_more) :]
    assert installed(ovs, text) == ours(text)


def read_actions(ovs: PrivateOvs, text: str) -> str | None:
    """Actions as Open vSwitch prints what it read, None if it could not read them."""
    out, _refusal = ovs.appctl("dpctl/normalize-actions", "-m", ANOTHER_FLOW, text)
    found = re.search("^input actions: (.*)$", out, re.MULTILINE)
    return found and found[1]


@few
@given(actions=ACTIONS)
def test_actions_are_read_alike(ovs: PrivateOvs, actions: OdpActions) -> None:
    text = actions_text(actions)
    theirs = read_actions(ovs, text)
    assert theirs in (None, text)


_ONLY_HERE = re.compile(r"drop|hash\(|_mpls|_eth|recirc\(0x|nsh|slow_path\(cfm,")
"""What Open vSwitch prints and does not read."""


@pytest.mark.parametrize("line", [line for line in ACTION_LINES if not _ONLY_HERE.search(line)])
def test_action_lines_are_read_alike(ovs: PrivateOvs, line: str) -> None:
    assert read_actions(ovs, line) == actions_text(parse_actions(line))


def test_keys_are_traced_alike(ovs: PrivateOvs) -> None:
    for frame in FRAMES[::6]:
        key = extract(frame, 1, vlan_limit=2)
        if Flow.dl_type.of(key) == 0x894F:
            continue
        text = key_text(key, vlan_limit=2)
        trace, refusal = ovs.appctl("ofproto/trace", text)
        theirs = re.findall("^Flow: (.*)$", trace, re.MULTILINE)
        assert theirs == [openflow_text(Flow(parse_key(text, vlan_limit=2)))], refusal
