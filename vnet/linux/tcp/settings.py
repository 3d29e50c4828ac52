"""What a namespace's sysctls say to its connections, read once when one begins."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TcpSettings:
    """net.ipv4.tcp_* by their own names, with Linux's defaults; ``rmem`` and ``wmem`` are
    (least, default, most) bytes of a buffer."""

    sack: bool = True
    dsack: bool = True
    timestamps: bool = True
    window_scaling: bool = True
    syn_retries: int = 6
    syn_linear_timeouts: int = 4
    synack_retries: int = 5
    retries2: int = 15
    orphan_retries: int = 8
    keepalive_time_s: int = 7200
    keepalive_interval_s: int = 75
    keepalive_probes: int = 9
    fin_timeout_s: int = 60
    slow_start_after_idle: bool = True
    rmem: tuple[int, int, int] = (4096, 131_072, 6_291_456)
    wmem: tuple[int, int, int] = (4096, 16_384, 4_194_304)


DEFAULTS = TcpSettings()
