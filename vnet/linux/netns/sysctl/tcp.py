"""net.ipv4.tcp_*, which IPv6 follows as well (Documentation/networking/ip-sysctl.rst)."""

from __future__ import annotations

from dataclasses import dataclass

from vnet.linux.netns.sysctl.knob import knob

_MOST_BUFFER = 0x7FFFFFFF


@dataclass(frozen=True, slots=True)
class TcpKnobs:
    """Times in seconds, buffers in bytes (least, default, most).

    Reno is all the congestion control there is; others are modules that cannot be found.
    """

    tcp_congestion_control: str = knob("reno", choices=("reno",))
    tcp_dsack: int = knob(1, least=0, most=1)
    tcp_fin_timeout: int = knob(60, least=0)
    tcp_keepalive_intvl: int = knob(75, least=1)
    tcp_keepalive_probes: int = knob(9, least=1, most=255)
    tcp_keepalive_time: int = knob(7200, least=1)
    tcp_orphan_retries: int = knob(0, least=0, most=255)
    tcp_retries2: int = knob(15, least=0, most=255)
    tcp_rmem: tuple[int, int, int] = knob((4096, 131_072, 6_291_456), least=1, most=_MOST_BUFFER)
    tcp_sack: int = knob(1, least=0, most=1)
    tcp_slow_start_after_idle: int = knob(1, least=0, most=1)
    tcp_syn_linear_timeouts: int = knob(4, least=0, most=127)
    tcp_syn_retries: int = knob(6, least=1, most=127)
    tcp_synack_retries: int = knob(5, least=0, most=255)
    tcp_timestamps: int = knob(1, least=0, most=2)
    tcp_window_scaling: int = knob(1, least=0, most=1)
    tcp_wmem: tuple[int, int, int] = knob((4096, 16_384, 4_194_304), least=1, most=_MOST_BUFFER)
