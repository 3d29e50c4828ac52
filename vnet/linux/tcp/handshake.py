"""What the two ends agree on in SYN and SYN-ACK."""

from __future__ import annotations

from dataclasses import dataclass

from vnet.linux.tcp.settings import TcpSettings
from vnet.linux.tcp.window import window_scale
from vnet.wire.tcp_options import TIMESTAMPS_BYTES, TcpOptions

DEFAULT_MSS = 536
"""What a peer takes that names no MSS (RFC 9293 section 3.7.1)."""

LEAST_MSS = 48
"""net.ipv4.tcp_min_snd_mss: smaller ones would make every segment dear."""


@dataclass(slots=True)
class Agreement:
    """Before the handshake what we offer, after it what both ends have."""

    mss: int
    """The largest segment that the peer takes, options not counted off."""
    sack: bool
    timestamps: bool
    send_scale: int | None
    """By how much the peer's window fields are shifted."""
    receive_scale: int | None
    """By how much ours are."""

    @classmethod
    def offered(cls, settings: TcpSettings) -> Agreement:
        scale = window_scale(settings) if settings.window_scaling else None
        return cls(DEFAULT_MSS, settings.sack, settings.timestamps, scale, scale)

    def settle(self, peer: TcpOptions) -> None:
        """The peer's SYN is here: what only one end offers does not hold."""
        self.mss = max(peer.mss or DEFAULT_MSS, LEAST_MSS)
        self.sack = self.sack and peer.sack_permitted
        self.timestamps = self.timestamps and peer.timestamps is not None
        if self.send_scale is None or peer.window_scale is None:
            self.send_scale = self.receive_scale = None
        else:
            self.send_scale = peer.window_scale

    @property
    def option_bytes(self) -> int:
        """What each segment's options take."""
        return TIMESTAMPS_BYTES if self.timestamps else 0

    def options(self, mss: int, timestamps: tuple[int, int]) -> TcpOptions:
        """Those of a SYN or SYN-ACK of ours, which takes segments of ``mss`` bytes."""
        return TcpOptions(
            mss=mss,
            window_scale=self.receive_scale,
            sack_permitted=self.sack,
            timestamps=timestamps if self.timestamps else None,
        )
