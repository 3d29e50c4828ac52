"""Refusals that have an OpenFlow error type and code."""

from __future__ import annotations

from vnet.base.errors import VnetError


class OpenFlowError(VnetError):
    """The switch refuses a request. ``name`` is the error's, such as ``OFPFMFC_TABLE_FULL``.

    ``warning`` is what a daemon's log says of it: a module and a text, or nothing. Where several
    requests belong together, ``position`` is that of the one that is refused.
    """

    def __init__(
        self, name: str, hint: str = "", *, warning: tuple[str, str] | None = None
    ) -> None:
        self.name = name
        self.warning = warning
        self.position = 0
        super().__init__(name, hint)
