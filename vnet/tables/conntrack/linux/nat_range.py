"""What a target allows a connection to be translated to (struct nf_nat_range2)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NatRange:
    """``first_address`` None keeps the address, ``first_port`` None the port, where that is free.

    Both ends belong to the range; ``last_...`` None is the same as the first. ``base_port`` is
    set where the range of ports is shifted: port ``base_port`` becomes ``first_port``, and so on
    (``--to-destination 10.0.0.1:8000-8010/80``). For ICMP echo the ports are identifiers.
    ``random`` is ``--random``, ``random_fully`` ``--random-fully``; ``persistent`` gives a client
    the same address for all targets. ``netmap`` (NETMAP) is a mask: the bits of the address that
    it leaves open stay as they are.
    """

    first_address: bytes | None = None
    last_address: bytes | None = None
    first_port: int | None = None
    last_port: int | None = None
    base_port: int | None = None
    random: bool = False
    random_fully: bool = False
    persistent: bool = False
    netmap: bytes | None = None
