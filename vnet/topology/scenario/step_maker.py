"""What makers of steps have in common."""

from __future__ import annotations

from typing import NamedTuple

from vnet.topology.checks.validate import Directory
from vnet.topology.devices import NLMON
from vnet.topology.model import Endpoint
from vnet.topology.reading.explain import Cut
from vnet.topology.reading.report import Path, Report
from vnet.topology.scenario.step_names import StepNames
from vnet.topology.steps import Expectation


class Common(NamedTuple):
    """What every step has, in the order of :class:`~vnet.topology.steps.Step`."""

    at_ns: int | None
    expect: tuple[Expectation, ...]
    line: int


class StepMaker:
    """Has a method ``make_VERB`` for each verb; those give None for a step that is not sound."""

    def __init__(self, directory: Directory) -> None:
        self.directory = directory
        self.names = StepNames(directory)
        self.report: Report = directory.report
        self.cut: Cut = directory.cut

    def has_real_device(self, device: Endpoint, path: Path) -> bool:
        """Whether a device will be there that frames pass."""
        if device.device == NLMON:
            self.report.add(path, f"{device} is no device", "it records rtnetlink messages")
            return False
        return self.directory.has_device(device, path)
