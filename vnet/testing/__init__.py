"""Floor 13: labs in other people's tests. pytest loads :mod:`vnet.testing.plugin` by itself.

:class:`LabFactory` is the type of the fixture ``vnet_lab``, for tests with annotations.
"""

from __future__ import annotations

from vnet.testing.factory import LabFactory

__all__ = ["LabFactory"]
