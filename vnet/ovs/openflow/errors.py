"""Refusals that have an OpenFlow error type and code."""

from __future__ import annotations

from vnet.base.errors import VnetError


class OpenFlowError(VnetError):
    """The switch refuses a request. ``name`` is the error's, such as ``OFPFMFC_TABLE_FULL``."""

    def __init__(self, name: str, hint: str = "") -> None:
        self.name = name
        super().__init__(name, hint)
