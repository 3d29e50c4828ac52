"""The versions of OpenFlow, by their numbers on the wire."""

from __future__ import annotations

from enum import IntEnum

from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.protocols import (
    P_OF10_ANY,
    P_OF10_NXM,
    P_OF10_NXM_TID,
    P_OF10_STD,
    P_OF10_STD_TID,
    P_OF11_STD,
    P_OF12_OXM,
    P_OF13_OXM,
    P_OF14_OXM,
    P_OF15_OXM,
)


class OpenFlowVersion(IntEnum):
    """The first byte of every message."""

    OF10 = 1
    OF11 = 2
    OF12 = 3
    OF13 = 4
    OF14 = 5
    OF15 = 6


KNOWN_VERSIONS = frozenset(OpenFlowVersion)
"""Those that messages may be of."""


_VERSIONS = {
    P_OF10_STD: OpenFlowVersion.OF10,
    P_OF10_STD_TID: OpenFlowVersion.OF10,
    P_OF10_NXM: OpenFlowVersion.OF10,
    P_OF10_NXM_TID: OpenFlowVersion.OF10,
    P_OF11_STD: OpenFlowVersion.OF11,
    P_OF12_OXM: OpenFlowVersion.OF12,
    P_OF13_OXM: OpenFlowVersion.OF13,
    P_OF14_OXM: OpenFlowVersion.OF14,
    P_OF15_OXM: OpenFlowVersion.OF15,
}


def version_of(protocol: int) -> OpenFlowVersion:
    """The version that a protocol of ``vnet.ovs.flow.protocols`` is a dialect of."""
    return _VERSIONS[protocol]


_PROTOCOLS = {version: protocol for protocol, version in reversed(_VERSIONS.items())}


def protocol_of(version: OpenFlowVersion) -> int:
    """The plainest dialect of a version: what is spoken before anything else is asked for."""
    return _PROTOCOLS[version]


def most_able_protocol(version: OpenFlowVersion) -> int:
    """The dialect of a version that can say most: in 1.0 NXM, with the table of each flow."""
    return max(protocol for protocol, of in _VERSIONS.items() if of is version)


def version_named(name: str) -> OpenFlowVersion:
    """``OpenFlow13``, as the ``protocols`` of a bridge have it."""
    return OpenFlowVersion(int(name.removeprefix("OpenFlow1")) + 1)


_PROTOCOLS_OF_NAME = {
    f"openflow1{minor}": P_OF10_ANY if minor == 0 else P_OF11_STD << minor - 1 for minor in range(6)
}


def protocols_of_versions(text: str) -> int:
    """The protocols of versions as ``ovs-ofctl -O`` takes them: ``OpenFlow10,OpenFlow13``."""
    protocols = 0
    for name in text.replace(",", " ").split():
        if name.lower() not in _PROTOCOLS_OF_NAME:
            raise OvsTextError(f'Unknown OpenFlow version: "{name}"')
        protocols |= _PROTOCOLS_OF_NAME[name.lower()]
    return protocols


def versions_listed(text: str) -> tuple[OpenFlowVersion, ...]:
    """The same as versions."""
    protocols = protocols_of_versions(text)
    return tuple(version for version in OpenFlowVersion if protocol_of(version) & protocols)
