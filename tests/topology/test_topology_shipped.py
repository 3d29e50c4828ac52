"""The topologies that come with vnet, and the schema that editors read."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from vnet.topology.load import load_topology
from vnet.topology.schema.step import VERBS
from vnet.topology.schema.topology import TopologyFile, json_schema, schema_text

FOLDER = Path(__file__).parents[2] / "topologies"
SHIPPED = sorted(FOLDER.glob("*.yaml"))


def test_the_four_are_there() -> None:
    names = {path.stem for path in SHIPPED}
    assert {"two-vms", "two-hosts", "three-tenants", "ipv6-only"} <= names


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_topology_loads_and_shows_something(path: Path) -> None:
    topology = load_topology(path)
    assert topology.name == path.stem
    assert topology.captures
    assert any(step.expect for step in topology.scenario)
    lines = path.read_text().splitlines()
    assert lines[0] == "# yaml-language-server: $schema=vnet.schema.json"
    assert len([line for line in lines[1:8] if line.startswith("# ")]) >= 3


def test_two_machines_on_a_bridge_fit_in_fifteen_lines() -> None:
    lines = (FOLDER / "two-vms.yaml").read_text().splitlines()
    assert len([line for line in lines if line and not line.startswith("#")]) <= 15


def test_the_kept_schema_is_the_models() -> None:
    kept = (FOLDER / "vnet.schema.json").read_text()
    assert kept == schema_text(), "write schema_text() to topologies/vnet.schema.json"


def test_every_key_of_the_schema_is_described() -> None:
    schema = json_schema()
    for model in [schema, *schema["$defs"].values()]:
        assert model["description"]
        assert model["additionalProperties"] is False
        for key, value in model["properties"].items():
            assert value.get("description"), f"{model['title']}.{key}"
    assert list(schema["properties"]) == list(TopologyFile.model_fields)
    assert "null" not in json.dumps([p.get("default", 0) for p in schema["properties"].values()])


def test_defaults_in_the_schema_are_spelt_as_in_a_file() -> None:
    definitions = json_schema()["$defs"]
    assert definitions["PingFile"]["properties"]["interval"]["default"] == "1s"
    assert definitions["LinkFile"]["properties"]["latency"]["default"] == "0s"
    assert json_schema()["properties"]["epoch"]["default"] == "2025-01-01T00:00:00Z"
    one_verb = [{"required": [verb]} for verb in VERBS]
    assert definitions["StepFile"]["oneOf"][:-1] == one_verb
    assert definitions["StepFile"]["oneOf"][-1]["not"] == {"anyOf": one_verb}


def test_loading_imports_neither_scapy_nor_networkx() -> None:
    code = (
        "import sys; from vnet.topology.load import load_topology;"
        f"load_topology({str(FOLDER / 'two-hosts.yaml')!r});"
        "print([m for m in sys.modules if m.split('.')[0] in ('scapy', 'networkx', 'pyroute2')])"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
