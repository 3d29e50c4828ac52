"""vnet: a virtual data centre in one Python process.

    from vnet import Lab

    lab = Lab.load("topologies/two-hosts.yaml")
    print(lab.vm("vm1").ping("10.0.0.2", count=3))

``ARCHITECTURE.md`` has the floor plan.

PYTEST_DONT_REWRITE: pytest looks for this word, and else warns whoever imports vnet before it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vnet.base.errors import VnetError
    from vnet.lab.lab import Lab

__version__ = "0.1.0"
__all__ = ["Lab", "VnetError", "__version__"]


def __getattr__(name: str) -> Any:
    # Lab pulls in Scapy and the whole house; `vnet --version` and `vnet check` need neither.
    if name == "Lab":
        from vnet.lab.lab import Lab

        return Lab
    if name == "VnetError":
        from vnet.base.errors import VnetError

        return VnetError
    raise AttributeError(f"module 'vnet' has no attribute {name!r}")
