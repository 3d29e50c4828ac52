"""The sysctls that change frames, with the kernel's defaults.

Only keys that something here reads are known; setting another is an error, so that a
misspelt knob is not silently without effect.
"""

from __future__ import annotations

from difflib import get_close_matches

from vnet.base.errors import UsageError

DEFAULTS: dict[str, int] = {
    "net.ipv4.ip_forward": 0,
    "net.ipv4.ip_default_ttl": 64,
    "net.ipv4.icmp_echo_ignore_all": 0,
    "net.ipv4.icmp_echo_ignore_broadcasts": 1,
    "net.ipv4.icmp_ratelimit": 1000,
    "net.ipv4.ipfrag_time": 30,
    "net.ipv4.igmp_qrv": 2,
    "net.ipv4.conf.all.arp_notify": 0,
    "net.ipv6.conf.all.forwarding": 0,
    "net.ipv6.conf.all.disable_ipv6": 0,
    "net.ipv6.conf.all.dad_transmits": 1,
    "net.ipv6.conf.all.hop_limit": 64,
    "net.ipv6.conf.all.router_solicitations": -1,
    "net.ipv6.conf.all.router_solicitation_delay": 1,
    "net.ipv6.conf.all.router_solicitation_interval": 4,
    "net.ipv6.conf.all.router_solicitation_max_interval": 3600,
    "net.ipv6.icmp.ratelimit": 100,
    "net.ipv6.ip6frag_time": 60,
    "net.ipv6.mld_qrv": 2,
}


class Sysctls:
    """One namespace's knobs. Only those that differ from the defaults take memory."""

    __slots__ = ("_changed",)

    def __init__(self) -> None:
        self._changed: dict[str, int] = {}

    def __getitem__(self, key: str) -> int:
        return self._changed.get(key, DEFAULTS[key])

    def __setitem__(self, key: str, value: int) -> None:
        """Set a knob. Raises :class:`UsageError` for one that does not exist here."""
        name = key.replace("/", ".")
        if name not in DEFAULTS:
            close = get_close_matches(name, DEFAULTS, n=1)
            hint = f"did you mean {close[0]}?" if close else "`vnet shell` lists them: sysctl -a"
            raise UsageError(f"unknown sysctl {key}", hint)
        self._changed[name] = value

    def items(self) -> list[tuple[str, int]]:
        """Every knob with its present value, by name."""
        return [(key, self[key]) for key in sorted(DEFAULTS)]
