"""Reading a topology file: text in, a checked :class:`Topology` or every problem out.

The reading goes through five stations, each of which adds to one report:

1. bytes to text (:func:`load_topology`): the file exists, is not huge, is UTF-8;
2. text to values with positions (:mod:`~vnet.topology.tree`);
3. values against the schema (:mod:`~vnet.topology.explain`);
4. templates and defaults to machines (:mod:`~vnet.topology.expand`);
5. names that lead somewhere (:mod:`~vnet.topology.validate`,
   :mod:`~vnet.topology.scenario`).

Whatever a file holds, the outcome is a topology or a :class:`TopologyError` with one
line for each problem.
"""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import NoReturn

from vnet.base.errors import Problem, TopologyError
from vnet.base.text import escaped
from vnet.topology.expand import expand
from vnet.topology.explain import judge
from vnet.topology.model import Topology
from vnet.topology.report import Report
from vnet.topology.scenario import make_scenario
from vnet.topology.tree import read_tree
from vnet.topology.validate import Directory, check_machines, make_captures, make_links

MAX_FILE_BYTES = 10_000_000
"""Ten megabytes: a hundred thousand machines written out one by one."""


def load_topology(path: str | Path) -> Topology:
    """Read the topology file at ``path``. Raises :class:`TopologyError`."""
    name = str(path)
    try:
        with open(path, "rb", opener=_open_at_once) as stream:
            if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                _refuse(name, "this is not a regular file", "save the topology in a file")
            data = stream.read(MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        _refuse(name, "there is no such file")
    except IsADirectoryError:
        _refuse(name, "this is a directory", "name the file in it")
    except (OSError, ValueError) as error:
        # ValueError: a NUL in the path.
        reason = getattr(error, "strerror", None) or str(error)
        _refuse(name, f"the file cannot be read: {escaped(reason)}")
    if len(data) > MAX_FILE_BYTES:
        hint = "many like machines are written with 'count'"
        _refuse(name, f"the file is longer than {MAX_FILE_BYTES // 1_000_000} MB", hint)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line = before.count(b"\n") + 1
        column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")) + 1
        what = f"byte 0x{data[error.start]:02x} is not UTF-8"
        _refuse(name, what, "save the file as UTF-8 text", line, column)
    return parse_topology(text, name)


def _open_at_once(path: str, flags: int) -> int:
    """Open without waiting for somebody to write into a pipe."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def parse_topology(text: str, file: str = "<text>") -> Topology:
    """Read a topology from ``text``; ``file`` is its name in messages.

    Raises :class:`TopologyError`.
    """
    shown = escaped(file)
    if len(text) > MAX_FILE_BYTES:
        _refuse(file, f"the text is longer than {MAX_FILE_BYTES // 1_000_000} MB")
    root, problems = read_tree(text.removeprefix("\ufeff"), shown)
    if root is None:
        raise TopologyError(problems)
    report = Report(shown, root, problems)
    given, cut = judge(root.value, report)
    nodes = expand(given, report, cut)
    directory = Directory(nodes, report, cut)
    links = make_links(directory)
    check_machines(directory, links)
    captures = make_captures(given, directory)
    scenario = make_scenario(given, directory, links)
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
    )


def default_name(file: str) -> str:
    """The name of a lab that does not say: its file's, made tame enough to be a folder."""
    stem = re.sub("[^A-Za-z0-9._-]+", "-", Path(file).stem).strip("._-")
    return stem[:63] or "lab"


def _refuse(file: str, what: str, hint: str = "", line: int = 1, column: int = 1) -> NoReturn:
    raise TopologyError([Problem(escaped(file), line, column, what, hint)])
