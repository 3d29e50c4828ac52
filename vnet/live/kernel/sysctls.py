"""sysctl(8) in a namespace: what the lab says is made to hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

_ROOT = Path("/proc/sys")
_BRIDGE_NETFILTER = tuple(
    f"net.bridge.bridge-nf-call-{tables}" for tables in ("arptables", "iptables", "ip6tables")
)


def path_of(name: str) -> Path:
    """The file of a setting; with dots between, a slash stands for a dot in a device's name."""
    return _ROOT.joinpath(*(part.replace("/", ".") for part in name.split(".")))


def apply(settings: Mapping[str, str], told: frozenset[str]) -> Iterator[str]:
    """Make ``settings`` hold in the namespace that we are in; ``told`` are those of the file.

    Yields, as sentences, which of ``told`` could not be set. What the kernel keeps to itself, or
    has once for all namespaces, stays as it is.
    """
    for name, value in settings.items():
        try:
            file = path_of(name)
            if file.read_text().split() != value.split():
                file.write_text(value)
        except OSError as error:
            if name in told:
                yield f"sysctl {name}: {error.strerror}"


def no_bridge_netfilter() -> None:
    """As where br_netfilter is not loaded: bridges do not ask iptables."""
    for name in _BRIDGE_NETFILTER:
        if path_of(name).exists():
            path_of(name).write_text("0")


def of_devices(settings: Mapping[str, str], devices: set[str]) -> dict[str, str]:
    """Those that are of one of ``devices``."""
    return {name: value for name, value in settings.items() if device_of(name) in devices}


def device_of(name: str) -> str | None:
    """The device that a setting is of, if it is of one (or ``all``, or ``default``)."""
    parts = name.split(".")
    if len(parts) == 5 and parts[2] in ("conf", "neigh"):
        return parts[3].replace("/", ".")
    return None
