"""The real ``ovs-ofctl`` writes actions with the same bytes, and refuses the same."""

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
from tests.ovs.openflow.test_action_text import REWRITTEN, SAME
from tests.ovs.openflow.test_actions_in_ovs import MATCHES, can_be_sent, flow_text
from tests.ovs.openflow.wire.listening_switch import sent_actions
from tests.ovs.openflow.wire.test_actions import Refused, refused
from vnet.ovs.flow.match_parse import parse_match
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.text.actions import actions_text, check_actions, parse_instructions
from vnet.ovs.openflow.version import OpenFlowVersion
from vnet.ovs.openflow.wire.actions import (
    decode_actions,
    decode_instructions,
    encode_instructions,
)

pytestmark = needs_ovs

Pair = tuple[str, str]

LOGGED = ("-vPATTERN:console:%c|%p|%m", "-vconsole:warn")


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
def test_random_actions_have_the_same_bytes(
    version: OpenFlowVersion, drawn: list[Pair], tmp_path: Path
) -> None:
    compare(drawn, version, tmp_path)


@pytest.mark.parametrize("row", refused(), ids=lambda row: f"{row.version.name} {row.data.hex()}")
def test_the_real_one_refuses_the_same_bytes_with_the_same_words(row: Refused) -> None:
    done = subprocess.run(
        ["ovs-ofctl", *LOGGED, f"parse-{row.what}", f"OpenFlow1{row.version - 1}"],
        input=f"{row.data.hex()}\n",
        capture_output=True,
        text=True,
        check=True,
    )
    assert re.findall(r"^bad OpenFlow\d+ \w+: (\w+)", done.stdout) == [row.error]
    decode = decode_actions if row.what == "actions" else decode_instructions
    with pytest.raises(OpenFlowError) as caught:
        decode(row.data, row.version)
    logged = "".join(f"{module}|WARN|{text}\n" for module, text in caught.value.warnings)
    assert logged == done.stderr
