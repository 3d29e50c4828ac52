"""What is wrong with a text that a user wrote, in Open vSwitch's own sentence."""

from __future__ import annotations

from vnet.base.errors import VnetError


class OvsTextError(VnetError):
    """A flow, match, action, group, meter or port that Open vSwitch would refuse.

    ``what`` is the sentence that ``ovs-ofctl`` prints, without its ``ovs-ofctl: `` and without
    the place; whoever reads a file adds file and line.
    """


class MatchError(VnetError):
    """A match that a switch refuses. ``name`` is OpenFlow's error, such as OFPBMC_BAD_PREREQ."""

    def __init__(self, name: str, hint: str = "") -> None:
        self.name = name
        super().__init__(name, hint)
