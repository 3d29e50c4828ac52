"""ethtool(8) -K: what a device leaves to hardware that is not there.

A veth takes segments of 64 KB and checksums that nobody has worked out. What a capture shows
would then never have been on a wire, so all of it is switched off.
"""

from __future__ import annotations

import ctypes
import fcntl
import socket
import struct
from contextlib import suppress

_SIOCETHTOOL = 0x8946
_REQUEST = struct.Struct("16sP")
_VALUE = struct.Struct("=II")

_SWITCHES = {
    "rx checksums": 0x15,
    "tx checksums": 0x17,
    "scatter-gather": 0x19,
    "tso": 0x1F,
    "gso": 0x24,
    "gro": 0x2C,
}
"""The commands of linux/ethtool.h that set each (ETHTOOL_S...)."""


def switch_off(devices: list[str]) -> None:
    """Have the kernel do everything itself, for devices of the namespace that we are in.

    What a kind of device does not have cannot be switched off, and need not be.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        for device in devices:
            for command in _SWITCHES.values():
                # The request holds a pointer to what is wanted.
                wanted = ctypes.create_string_buffer(_VALUE.pack(command, 0))
                request = _REQUEST.pack(device.encode(), ctypes.addressof(wanted))
                with suppress(OSError):
                    fcntl.ioctl(control, _SIOCETHTOOL, request)
