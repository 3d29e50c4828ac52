"""What all tests share."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Generator

import pytest

from tests.examples import register_profiles

pytest_plugins = ["pytester", "tests.whole_runs"]

# Hundreds of processes are started here: what one of them compiles, the next need not.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

register_profiles()

REQUIRED = set(filter(None, os.environ.get("VNET_REQUIRE", "").split(",")))
"""Markers whose tests may not be skipped here: CI has installed what they need."""

_NOT_TO_BE_INSTALLED = ("this kernel lacks ", "this is Linux ")
"""How reasons to skip begin that nobody can mend: the kernel is what it is."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Workers of ``-n auto``: many tests wait for programs that they have started."""
    return (os.cpu_count() or 1) + 1


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    missing = REQUIRED & {marker.name for marker in item.iter_markers()}
    if report.skipped and missing and not hasattr(report, "wasxfail") and not _is_kernels(report):
        report.outcome = "failed"
        needed = ", ".join(sorted(missing))
        report.longrepr = f"skipped, though {needed} must be here: {report.longrepr}"
    return report


def _is_kernels(report: pytest.TestReport) -> bool:
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else ""
    return reason.removeprefix("Skipped: ").startswith(_NOT_TO_BE_INSTALLED)


@pytest.fixture
def inner_pytest(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Callable[..., pytest.RunResult]:
    """Run pytest with vnet's plug-in on what ``pytester`` has written, warnings as errors."""
    # Where vnet is installed, pytest finds the plug-in by its entry point, and only once.
    installed = request.config.pluginmanager.has_plugin("vnet")
    plugin = [] if installed else ["-p", "vnet.testing.plugin"]
    # A run inside a worker of pytest-xdist is none of its workers.
    for name in [name for name in os.environ if name.startswith("PYTEST_XDIST_")]:
        monkeypatch.delenv(name)

    def run(*arguments: str) -> pytest.RunResult:
        return pytester.runpytest_inprocess(*plugin, "--strict-markers", "-Werror", *arguments)

    return run
