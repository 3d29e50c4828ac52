"""What all tests share."""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest
from hypothesis import settings

# Shared machines stall now and then; a slow example is not a wrong one.
settings.register_profile("vnet", deadline=None)
settings.load_profile("vnet")

REQUIRED = set(filter(None, os.environ.get("VNET_REQUIRE", "").split(",")))
"""Markers whose tests may not be skipped here: CI has installed what they need."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    missing = REQUIRED & {marker.name for marker in item.iter_markers()}
    if report.skipped and missing and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        needed = ", ".join(sorted(missing))
        report.longrepr = f"skipped, though {needed} must be here: {report.longrepr}"
    return report
