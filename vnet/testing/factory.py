"""Labs for one test: found, started, and ended with it.

Scapy and the rest of the house are imported when the first lab is asked for, so that a test
run without labs does not wait for them.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vnet.base.errors import StorageError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from vnet.lab.lab import Lab
    from vnet.topology.model import Endpoint, Host, Router, Topology

MOST_DEFAULT_POINTS = 64
"""How many cards are captured where the topology does not say which."""

_WRITTEN_BY_LABS = ("*.pcapng", "*.pcap", "run.json")


class LabFactory:
    """What the fixture ``vnet_lab`` gives a test.

    Call it with a topology file for a running :class:`~vnet.lab.lab.Lab`, as often as you
    like; the labs are closed when the test is over. Captures go to folders below ``folder``,
    one for each lab. Relative paths are looked up beside the test, then below the root.
    """

    def __init__(self, folder: Path, *, beside: Path, root: Path, seed: int | None = None) -> None:
        self.labs: list[Lab] = []
        self.failed = False
        """Whether the test failed, in any phase, and so keeps its captures."""
        self._folder = folder
        self._places = (beside, root)
        self._seed = seed
        self._names: dict[str, int] = {}

    def __call__(
        self, file: str | Path | None = None, *, text: str | None = None, **options: Any
    ) -> Lab:
        """Start the lab of a topology ``file``, of a shipped one (``@name``) or of ``text``.

        ``options`` are those of :class:`~vnet.lab.lab.Lab`. Left out, ``seed`` is the one of
        the marker ``vnet_seeds`` or else the topology's, ``pcap_dir`` a folder of the test's
        own, and ``follow`` true. A topology without ``captures`` gets some.

        Raises :class:`~vnet.base.errors.TopologyError` with every problem of the file.
        """
        __tracebackhide__ = True
        from vnet.lab.lab import Lab

        topology = self._topology(file, text)
        if not topology.captures:
            points = tuple(islice(_cards(topology), MOST_DEFAULT_POINTS))
            topology = replace(topology, captures=points)
        if self._seed is not None:
            options.setdefault("seed", self._seed)
        options.setdefault("pcap_dir", self._folder / self._name(topology.name))
        options.setdefault("follow", True)
        lab = Lab(topology, **options)
        self.labs.append(lab)
        return lab

    def _topology(self, file: str | Path | None, text: str | None) -> Topology:
        from vnet.lab.shipped import resolve
        from vnet.topology.load import load_topology, parse_topology

        if (file is None) == (text is None):
            raise UsageError(
                "a lab needs one topology", 'say vnet_lab("file.yaml"), ("@name") or (text=...)'
            )
        if text is not None:
            return parse_topology(text)
        if not isinstance(file, str | Path):
            raise UsageError(f"{file!r} is not the path of a topology")
        if str(file).startswith("@"):
            return load_topology(resolve(file))
        return load_topology(self._find(Path(file)))

    def _find(self, path: Path) -> Path:
        candidates = list(dict.fromkeys(place / path for place in self._places))
        for candidate in candidates:
            if candidate.exists():
                return candidate
        looked = " and ".join(str(candidate) for candidate in candidates)
        raise UsageError(f"there is no topology {path}", f"looked for {looked}")

    def _name(self, lab: str) -> str:
        """A folder name of its own for each lab of the test."""
        self._names[lab] = number = self._names.get(lab, 0) + 1
        return lab if number == 1 else f"{lab}-{number}"

    def close(self) -> list[StorageError]:
        """End all labs, the newest first. Returns what could not be written, if anything."""
        errors = []
        for lab in reversed(self.labs):
            try:
                lab.close()
            except StorageError as error:
                errors.append(error)
        return errors

    def sweep(self) -> None:
        """Remove what labs have written below the folder, and the folders that leaves empty."""
        sweep(self._folder)

    def __repr__(self) -> str:
        return f"<vnet_lab with {len(self.labs)} labs>"


def sweep(folder: Path) -> None:
    """Remove capture files and reports of labs below ``folder``, and nothing of others."""
    if not folder.is_dir():
        return
    for part in sorted(path for path in folder.iterdir() if path.is_dir()):
        for pattern in _WRITTEN_BY_LABS:
            for path in sorted(part.glob(pattern)):
                path.unlink()
        _remove_if_empty(part)
    _remove_if_empty(folder)


def _remove_if_empty(folder: Path) -> None:
    if not any(folder.iterdir()):
        folder.rmdir()


def _cards(topology: Topology) -> Iterator[Endpoint]:
    """The cards of all VMs; where there are none, those of routers and hosts."""
    from vnet.topology.devices import node_devices
    from vnet.topology.model import Endpoint

    for vm in topology.vms.values():
        for device in node_devices(vm):
            yield Endpoint(vm.name, device)
    if not topology.vms:
        nodes: Iterable[Router | Host] = (*topology.routers.values(), *topology.hosts.values())
        for node in nodes:
            for device in node.nics:
                yield Endpoint(node.name, device)
