"""What the pages below ``docs/`` show is what works."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from vnet import Lab
from vnet.topology.scenario.expectations import REPORTS
from vnet.topology.schema.step import VERBS

DOCS = Path(__file__).parent.parent / "docs"
TOPOLOGIES = (DOCS / "topologies.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("text", re.findall(r"```yaml\n(.*?)```", TOPOLOGIES, re.DOTALL))
def test_every_example_of_a_topology_holds(text: str) -> None:
    with Lab.from_text(text) as lab:
        report = lab.run()
    assert report.held, [str(failure) for step in report.steps for failure in step.failures]


def test_every_verb_is_in_the_table_with_what_it_reports() -> None:
    rows = dict(re.findall(r"^\| `([a-z0-9]+): .*\|(.*)\|$", TOPOLOGIES, re.MULTILINE))
    assert set(rows) == set(VERBS)
    for verb, reports in rows.items():
        assert set(REPORTS[verb]) <= set(re.findall(r"`([a-z_]+)`", reports)), verb
