"""Refusals that have an OpenFlow error type and code."""

from __future__ import annotations

from vnet.base.errors import VnetError


class OpenFlowError(VnetError):
    """The switch refuses a request. ``name`` is the error's, such as ``OFPFMFC_TABLE_FULL``.

    ``warnings`` are what a daemon's log says of it, each a module and a text; ``warning`` is the
    first, or None. Where several requests belong together, ``position`` is that of the one that is
    refused.
    """

    def __init__(
        self, name: str, hint: str = "", *, warning: tuple[str, str] | None = None
    ) -> None:
        self.name = name
        self.warnings = [] if warning is None else [warning]
        self.position = 0
        super().__init__(name, hint)

    @property
    def warning(self) -> tuple[str, str] | None:
        """The first of the warnings."""
        return self.warnings[0] if self.warnings else None
