"""From a namespace's sysctls to what a connection goes by."""

from __future__ import annotations

from functools import lru_cache

from vnet.linux.netns.sysctl.tcp import TcpKnobs
from vnet.linux.tcp.settings import TcpSettings


@lru_cache(maxsize=256)
def tcp_settings(knobs: TcpKnobs) -> TcpSettings:
    """What these settings say to a connection that begins now."""
    return TcpSettings(
        sack=bool(knobs.tcp_sack),
        dsack=bool(knobs.tcp_dsack),
        timestamps=bool(knobs.tcp_timestamps),
        window_scaling=bool(knobs.tcp_window_scaling),
        syn_retries=knobs.tcp_syn_retries,
        syn_linear_timeouts=knobs.tcp_syn_linear_timeouts,
        synack_retries=knobs.tcp_synack_retries,
        retries2=knobs.tcp_retries2,
        # 0 stands for eight, where anything is heard from the path.
        orphan_retries=knobs.tcp_orphan_retries or 8,
        keepalive_time_s=knobs.tcp_keepalive_time,
        keepalive_interval_s=knobs.tcp_keepalive_intvl,
        keepalive_probes=knobs.tcp_keepalive_probes,
        fin_timeout_s=knobs.tcp_fin_timeout,
        slow_start_after_idle=bool(knobs.tcp_slow_start_after_idle),
        rmem=knobs.tcp_rmem,
        wmem=knobs.tcp_wmem,
    )
