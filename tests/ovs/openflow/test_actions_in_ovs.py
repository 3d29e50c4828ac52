"""The real ``ovs-ofctl`` reads, refuses, sends and prints actions in the same way."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.ovs.action_strategies import instructions
from tests.ovs.openflow.kit import needs_ovs
from tests.ovs.openflow.test_action_checks import CONSISTENT, FORGIVEN, REFUSED
from tests.ovs.openflow.test_action_refusals import refusals
from tests.ovs.openflow.test_action_text import REWRITTEN, SAME
from tests.ovs.openflow.test_actions_as_sent import PROTOCOLS, Sent, journey, sent
from vnet.ovs.flow.match import MatchBuilder
from vnet.ovs.flow.match_parse import finish_match, parse_match_part
from vnet.ovs.flow.tokens import key_values
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.text.actions import actions_text, check_actions, parse_instructions
from vnet.ovs.openflow.version import OpenFlowVersion

pytestmark = needs_ovs

MATCHES = ("", "tcp", "udp6", "mpls", "icmp", "ip,vlan_tci=0x1000/0x1000", "ct_state=+trk+est,ip")


def ofctl(
    version: OpenFlowVersion, command: str, argument: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["ovs-ofctl", "-O", f"OpenFlow1{version - 1}", command, argument],
        capture_output=True,
        text=True,
        check=False,
    )


def real_verdicts(flows: list[str], version: OpenFlowVersion, directory: Path) -> list[str]:
    """What arrives of each flow's actions, or the error that refuses them, in one run."""
    file = directory / "flows.txt"
    file.write_text("".join(f"{flow}\n" for flow in flows))
    done = ofctl(version, "parse-flows", str(file))
    assert done.returncode == 0, done.stderr
    messages = [line for line in done.stdout.splitlines() if "_FLOW_MOD" in line]
    found = [re.search(r"decode error: (\w+)|actions=(.*)", message) for message in messages]
    return [each[1] or each[2] for each in found if each is not None]


def flow_text(match: str, actions: str) -> str:
    return f"table=0,{match},actions={actions}"


def can_be_sent(match: str, actions: str, version: OpenFlowVersion) -> bool:
    """Whether ``ovs-ofctl`` should be able to send it by ``version``."""
    builder = MatchBuilder()
    for name, value in key_values(match):
        parse_match_part(builder, name, value)
    read = parse_instructions(actions)
    try:
        checked = check_actions(read.actions, finish_match(builder), table_id=0)
    except OpenFlowError:
        return False
    return bool(builder.usable & read.usable & checked.usable & PROTOCOLS[version])


# Each starts a program; our own reading is held against the same table in any case.
@pytest.mark.slow
@pytest.mark.parametrize(("text", "sentence"), refusals())
def test_the_real_one_refuses_with_the_same_sentence(text: str, sentence: str) -> None:
    done = ofctl(OpenFlowVersion.OF15, "parse-flow", f"actions={text}")
    assert done.stderr.splitlines()[-1] == f"ovs-ofctl: {sentence}".rstrip() + (
        " " if sentence.endswith(":") else ""
    )


@pytest.mark.parametrize("row", [(match, actions, error) for match, actions, error in REFUSED])
def test_the_real_one_refuses_the_same_actions(row: tuple[str, str, str]) -> None:
    match, actions, error = row
    done = ofctl(OpenFlowVersion.OF15, "parse-flow", flow_text(match, actions))
    assert f"actions are invalid with specified match ({error})" in done.stderr


@pytest.mark.parametrize("version", OpenFlowVersion, ids=lambda version: version.name)
def test_the_same_arrives_by_every_version(version: OpenFlowVersion, tmp_path: Path) -> None:
    rows = [row for row in sent() if row.version is version]
    flows = [flow_text(row.match, row.actions) for row in rows]
    assert real_verdicts(flows, version, tmp_path) == [row.arrives for row in rows]


@pytest.mark.parametrize("version", OpenFlowVersion, ids=lambda version: version.name)
def test_every_spelling_of_the_tables_arrives_alike(
    version: OpenFlowVersion, tmp_path: Path
) -> None:
    texts = [*SAME, *(written for written, printed in REWRITTEN.items() if printed)]
    pairs = [(match, text) for text in texts for match in MATCHES if "debug" not in text]
    pairs += [(match, text) for match, text in (*CONSISTENT, *FORGIVEN)]
    rows = [Sent(*pair, version, "") for pair in pairs if can_be_sent(*pair, version)]
    flows = [flow_text(row.match, row.actions) for row in rows]
    assert real_verdicts(flows, version, tmp_path) == [journey(row) for row in rows]


@pytest.mark.parametrize("version", OpenFlowVersion, ids=lambda version: version.name)
# To shrink a failure would take minutes: each step runs a program.
@settings(
    max_examples=examples(4), phases=[Phase.generate], suppress_health_check=list(HealthCheck)
)
@given(
    drawn=st.lists(
        st.tuples(st.sampled_from(MATCHES), instructions().map(actions_text)),
        min_size=30,
        max_size=60,
    )
)
def test_random_actions_arrive_alike(
    version: OpenFlowVersion, drawn: list[tuple[str, str]], tmp_path: Path
) -> None:
    rows = [Sent(*pair, version, "") for pair in drawn if can_be_sent(*pair, version)]
    flows = [flow_text(row.match, row.actions) for row in rows]
    assert real_verdicts(flows, version, tmp_path) == [journey(row) for row in rows]
