"""What is wrong with a text that a user wrote, in Open vSwitch's own sentence."""

from __future__ import annotations

from vnet.base.errors import VnetError


class OvsTextError(VnetError):
    """A flow, match, action, group, meter or port that Open vSwitch would refuse.

    ``what`` is the sentence that ``ovs-ofctl`` prints, without its ``ovs-ofctl: `` and without
    the place; whoever reads a file adds file and line.
    """
