"""What makes runs of very many tests shorter, and nothing else about them.

Before its first test, every worker of pytest-xdist collects all tests for itself: it imports them,
and most of vnet with them, and where there is no bytecode of those yet it first makes some.
"""

from __future__ import annotations

import gc
from collections.abc import Generator

import pytest

from vnet.base.collector import collector_paused

_YOUNG_OBJECTS = 20_000
"""So many new objects make Python look for cycles among them."""


def pytest_configure(config: pytest.Config) -> None:
    """Give each worker tests that stand together: what they share, such as a daemon for a whole
    module, is then not made by every worker."""
    if getattr(config.option, "dist", "no") == "load":
        config.option.dist = "worksteal"


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is collected stays: there is nothing to find in it yet."""
    with collector_paused():
        return (yield)


def pytest_collection_finish() -> None:
    """Modules and tests stay to the end: no collection of garbage need look through them again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS, *gc.get_threshold()[1:])


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Workers begin in different places, so that each makes bytecode of its own share of the files
    and finds that of the others made."""
    report = yield
    worker = getattr(collector.config, "workerinput", None)
    if worker is not None and isinstance(collector, pytest.Dir) and report.result:
        number = int(worker["workerid"].removeprefix("gw"))
        first = len(report.result) * number // int(worker["workercount"])
        report.result = report.result[first:] + report.result[:first]
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Wherever a worker has begun, the order of tests is one."""
    items.sort(key=lambda item: item.path)
