"""The real ``ovs-ofctl`` writes actions with the same bytes, and refuses the same."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.ovs.action_strategies import instructions
from tests.ovs.openflow.kit import needs_ovs
from tests.ovs.openflow.test_action_text import REWRITTEN, SAME
from tests.ovs.openflow.test_actions_in_ovs import MATCHES, can_be_sent, flow_text
from tests.ovs.openflow.wire.listening_switch import sent_actions
from tests.ovs.openflow.wire.test_actions import refused
from vnet.ovs.flow.match_parse import parse_match
from vnet.ovs.openflow.text.actions import actions_text, check_actions, parse_instructions
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.actions import encode_instructions

pytestmark = needs_ovs

Pair = tuple[str, str]


def bytes_of(match: str, text: str, version: OpenFlowVersion) -> bytes:
    actions = parse_instructions(text).actions
    checked = check_actions(actions, parse_match(match), table_id=0).actions
    return encode_instructions(checked, version)


def compare(pairs: list[Pair], version: OpenFlowVersion, directory: Path) -> None:
    sendable = [pair for pair in pairs if can_be_sent(*pair, version)]
    flows = [flow_text(*pair) for pair in sendable]
    real = sent_actions(flows, version, directory)
    ours = [bytes_of(*pair, version) for pair in sendable]
    differing = [pair for pair, *both in zip(sendable, real, ours, strict=True) if len({*both}) > 1]
    assert differing == []


@pytest.mark.parametrize("version", OpenFlowVersion, ids=lambda version: version.name)
def test_every_spelling_of_the_tables_has_the_same_bytes(
    version: OpenFlowVersion, tmp_path: Path
) -> None:
    texts = [*SAME, *(text for text, printed in REWRITTEN.items() if printed)]
    pairs = [(match, text) for text in texts for match in MATCHES if "debug" not in text]
    compare(pairs, version, tmp_path)


@pytest.mark.parametrize("version", OpenFlowVersion, ids=lambda version: version.name)
@settings(max_examples=2, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(
    drawn=st.lists(
        st.tuples(st.sampled_from(MATCHES), instructions().map(actions_text)),
        min_size=30,
        max_size=60,
    )
)
def test_random_actions_have_the_same_bytes(
    version: OpenFlowVersion, drawn: list[Pair], tmp_path: Path
) -> None:
    compare(drawn, version, tmp_path)


def test_the_real_one_refuses_the_same_bytes() -> None:
    for version in OpenFlowVersion:
        for what in ("actions", "instructions"):
            rows = [row for row in refused() if row.version is version and row.what == what]
            done = subprocess.run(
                ["ovs-ofctl", f"parse-{what}", f"OpenFlow1{version - 1}"],
                input="".join(f"{row.data.hex()}\n" for row in rows),
                capture_output=True,
                text=True,
                check=True,
            )
            said = re.findall(r"^bad OpenFlow\d+ \w+: (\w+)", done.stdout, re.MULTILINE)
            assert said == [row.error for row in rows]
