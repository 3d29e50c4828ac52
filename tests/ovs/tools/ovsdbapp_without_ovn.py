"""Runs tests of ovsdbapp whose fixtures start OVN besides, without it. For a Python that has
ovsdbapp; the words are unittest's.
"""

from __future__ import annotations

import sys
import unittest
from typing import Any


def _main() -> None:
    from ovsdbapp import venv
    from ovsdbapp.tests.functional import base

    class OpenVSwitchAlone(venv.OvsVenvFixture):  # type: ignore[misc]
        ovnnb_connection: Any = None
        ovnsb_connection: Any = None

    base.FunctionalTestCase.fixture_class = OpenVSwitchAlone
    unittest.main(module=None, argv=sys.argv)


if __name__ == "__main__":
    _main()
