"""The spelling of a step that a DHCP client takes."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from vnet.topology.schema.fields import InterfaceName, Name
from vnet.topology.schema.parts import Part


class DhcpStepFile(Part):
    """A DHCP client gets an address, asks for more time, gives it back, or begins anew."""

    vm: Name = Field(..., description="VM, host or router whose client it is.")
    device: InterfaceName | None = Field(
        default=None, description="The device; left out, the one that asks, or the first."
    )
    action: Literal["start", "renew", "release", "reboot"] = Field(
        default="start",
        description="'start' waits until there is an address; 'renew' asks for more time now; "
        "'release' gives the address back; 'reboot' ends the client without a word and starts it "
        "again, with what it remembers.",
    )
