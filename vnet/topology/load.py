"""Reading a topology file: text in, a checked :class:`Topology` or every problem out.

The reading goes through six stations, each of which adds to one report:

1. bytes to text (:mod:`~vnet.topology.reading.topology_file`): the file exists, is not huge, is
   UTF-8;
2. text to values with positions (:mod:`~vnet.topology.reading.tree`);
3. values against the schema (:mod:`~vnet.topology.reading.explain`);
4. templates and defaults to machines (:mod:`~vnet.topology.expansion.expand`);
5. names that lead somewhere (:mod:`~vnet.topology.checks.validate`,
   :mod:`~vnet.topology.scenario.scenario`);
6. flows that Open vSwitch takes (:mod:`~vnet.topology.checks.openflow`).

Whatever a file holds, the outcome is a topology or a :class:`TopologyError` with one
line for each problem.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from vnet.base.errors import Problem, TopologyError
from vnet.base.text import escaped
from vnet.topology.checks.linux_places import check_linux_ports
from vnet.topology.checks.validate import Directory, check_machines, make_captures, make_links
from vnet.topology.expansion.expand import expand
from vnet.topology.model import Topology
from vnet.topology.reading.explain import judge
from vnet.topology.reading.report import Report
from vnet.topology.reading.topology_file import MAX_FILE_BYTES, topology_text
from vnet.topology.reading.tree import read_tree
from vnet.topology.scenario.scenario import make_scenario
from vnet.topology.schema.topology import TopologyFile

if TYPE_CHECKING:
    from vnet.topology.checks.openflow import Openflow


def load_topology(path: str | Path) -> Topology:
    """Read the topology file at ``path``. Raises :class:`TopologyError`."""
    return parse_topology(topology_text(path), str(path))


def parse_topology(text: str, file: str = "<text>") -> Topology:
    """Read a topology from ``text``; ``file`` is its name in messages.

    Raises :class:`TopologyError`.
    """
    shown = escaped(file)
    if len(text) > MAX_FILE_BYTES:
        what = f"the text is longer than {MAX_FILE_BYTES // 1_000_000} MB"
        raise TopologyError([Problem(shown, 1, 1, what)])
    root, problems = read_tree(text.removeprefix("\ufeff"), shown)
    if root is None:
        raise TopologyError(problems)
    report = Report(shown, root, problems)
    given, cut = judge(root.value, report)
    nodes = expand(given, report, cut)
    directory = Directory(nodes, report, cut)
    links = make_links(directory)
    check_machines(given, directory, links)
    check_linux_ports(directory)
    openflow = _openflow(given, directory, Path(file).parent)
    captures = make_captures(given, directory)
    scenario = make_scenario(given, directory, links, openflow)
    report.raise_if_any()
    return Topology(
        name=given.name or default_name(file),
        seed=given.seed,
        epoch_ns=given.epoch,
        hosts=nodes.hosts,
        vms=nodes.vms,
        switches=nodes.switches,
        routers=nodes.routers,
        links=tuple(links),
        captures=tuple(captures),
        scenario=tuple(scenario),
        file=file,
        templates=nodes.templates.made(nodes.origin),
        openflow={} if openflow is None else openflow.mods,
    )


def _openflow(given: TopologyFile, directory: Directory, folder: Path) -> Openflow | None:
    nodes = directory.nodes
    bridges = [switch.ovs for host in nodes.hosts.values() for switch in host.switches.values()]
    bridges += [switch.ovs for switch in nodes.switches.values()]
    if not any(bridges):
        return None
    # Files without Open vSwitch do without all that it is made of.
    from vnet.topology.checks.openflow import Openflow

    return Openflow(given, directory, folder)


def default_name(file: str) -> str:
    """The name of a lab that does not say: its file's, made tame enough to be a folder."""
    stem = re.sub("[^A-Za-z0-9._-]+", "-", Path(file).stem).strip("._-")
    return stem[:63] or "lab"
