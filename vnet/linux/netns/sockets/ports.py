"""The ports that programs get which do not ask for one."""

from __future__ import annotations

EPHEMERAL_PORTS = range(32768, 61000)
"""net.ipv4.ip_local_port_range."""
