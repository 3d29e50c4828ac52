"""What a bridge samples for collectors: sFlow, IPFIX and NetFlow (ovs-vswitchd.conf.db(5)).

Samples show in datapath actions, and NetFlow in masks. Nobody sends them anywhere yet.
"""

from __future__ import annotations

from vnet.base.record import record

SAMPLE_ALL = 0xFFFFFFFF


def probability_of(rate: int) -> int:
    """One packet of ``rate``, as a share of :data:`SAMPLE_ALL`."""
    return max(1, SAMPLE_ALL // rate)


@record(frozen=True, slots=True)
class IpfixSampling:
    """IPFIX of a whole bridge: of packets that come in, and that go out.

    ``is_of_tunnels`` says that its collector is told what a tunnel puts around a packet. ``sets``
    are the sets of collectors for ``sample`` actions, ``sets_of_tunnels`` those that are told, too.
    """

    probability: int = 0
    is_of_input: bool = False
    is_of_output: bool = False
    is_of_tunnels: bool = False
    sets: tuple[int, ...] = ()
    sets_of_tunnels: frozenset[int] = frozenset()


@record(frozen=True, slots=True)
class Sampling:
    """What is sampled. Of 0 packets, nothing is. ``ipfix`` None: there is no collector for
    ``sample`` actions either."""

    sflow_probability: int = 0
    ipfix: IpfixSampling | None = None
    has_netflow: bool = False
