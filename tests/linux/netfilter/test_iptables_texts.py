"""What iptables, iptables-save and nft say of rules is what the real ones say, letter by letter."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.linux.netfilter.iptables_answers import (
    OurTools,
    Said,
    answers,
    compare,
    differences,
)
from vnet.linux.netfilter.xtables.errors import VERSION

_RECORDED = json.loads(
    (Path(__file__).parent / "recorded" / "rules.json").read_text(encoding="utf-8")
)


def test_the_recording_is_of_the_version_that_ours_says_it_is() -> None:
    assert _RECORDED["version"] == f"iptables v{VERSION}"


@pytest.mark.parametrize("number", range(len(_RECORDED["cases"])))
def test_rules_are_shown_as_they_were_recorded(number: int) -> None:
    case: dict[str, Any] = _RECORDED["cases"][number]
    recorded = {name: Said(*said) for name, said in case["said"].items()}
    assert differences(recorded, answers(OurTools(case["family"]), case["rules"])) == []


@pytest.mark.kernel
@pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("iptables") or not shutil.which("nft"),
    reason="needs root, iptables and nft",
)
@pytest.mark.parametrize("family", [4, 6])
def test_rules_are_shown_as_by_the_programs_here(family: int) -> None:
    for seed in (101, 102):
        assert compare(seed, family) == []
