"""Random labs of each kind, and the frames for them: the same for the same seed."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from tests.kernel.frames_ethernet import EthernetFrames
from tests.kernel.play import Step
from tests.kernel.setup import Bridge, Lab, Port
from vnet.base.chance import Chance, Stream

_FLAGS = {
    "hairpin": 0,
    "isolated": 0,
    "learning": 1,
    "flood": 1,
    "mcast_flood": 1,
    "bcast_flood": 1,
}


class Case(NamedTuple):
    """A lab, and what happens in it."""

    lab: Lab
    steps: list[Step]


def case(kind: str, seed: int, n_steps: int) -> Case:
    """The case of a kind that belongs to ``seed``."""
    chance = Chance(seed)
    return KINDS[kind](chance.stream(f"{kind} lab"), chance.stream(f"{kind} frames"), n_steps)


def station_mac(port: int, number: int) -> str:
    return f"0a:00:00:00:{port:02x}:{number:02x}"


def port_mac(port: int) -> str:
    return f"02:00:00:00:00:{port:02x}"


def _bridge(chance: Stream, frames: Stream, n_steps: int) -> Case:
    """Three or four ports with flags at random, and a host behind the bridge in every other."""
    ports = tuple(
        Port(
            f"p{number}",
            port_mac(number),
            mtu_bytes=chance.choice((1500, 1500, 1500, 1400)),
            settings={flag: 1 - usual for flag, usual in _FLAGS.items() if chance.random() < 0.25},
            stations={f"10.0.0.{10 * number + n}": station_mac(number, n) for n in (1, 2)},
        )
        for number in range(1, chance.choice((4, 5)))
    )
    mask = sum(1 << bit for bit in range(3, 16) if chance.random() < 0.3)
    settings = {"stp_state": 0, "mcast_snooping": 0, "group_fwd_mask": mask}
    addresses = ("10.0.0.8/24",) if chance.random() < 0.5 else ()
    lab = Lab(ports, Bridge(addresses, settings), sysctls=_UNLIMITED)
    return Case(lab, list(EthernetFrames(lab, frames).steps(n_steps)))


_UNLIMITED = {
    "net.ipv4.icmp_ratelimit": 0,
    "net.ipv4.icmp_msgs_per_sec": 1_000_000,
    "net.ipv4.icmp_msgs_burst": 1_000_000,
}

KINDS: dict[str, Callable[[Stream, Stream, int], Case]] = {"bridge": _bridge}
