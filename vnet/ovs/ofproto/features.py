"""What a datapath can do, and what translations may make use of (``dpif/set-dp-features``).

The userspace datapath can do everything. Whoever wants to know what becomes of flows on one that
cannot, such as an older kernel's, forbids translations what it lacks. ``clone``,
``sample_nesting``, ``trunc``, ``check_pkt_len``, ``add_mpls`` and ``tnl_push_pop`` make a
difference; the others are remembered and shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from vnet.ovs.flow.flow import N_MPLS_LABELS

TITLES: Mapping[str, str] = MappingProxyType(
    {
        "masked_set_action": "Masked set action",
        "tnl_push_pop": "Tunnel push pop",
        "ufid": "Ufid",
        "trunc": "Truncate action",
        "clone": "Clone action",
        "sample_nesting": "Sample nesting",
        "ct_eventmask": "Conntrack eventmask",
        "ct_clear": "Conntrack clear",
        "max_hash_alg": "Max dp_hash algorithm",
        "check_pkt_len": "Check pkt length action",
        "ct_timeout": "Conntrack timeout policy",
        "explicit_drop_action": "Explicit Drop action",
        "lb_output_action": "Optimized Balance TCP mode",
        "ct_zero_snat": "Conntrack all-zero IP SNAT",
        "add_mpls": "MPLS Label add",
        "max_vlan_headers": "Max VLAN headers",
        "max_mpls_depth": "Max MPLS depth",
        "recirc": "Recirc",
        "ct_state": "CT state",
        "ct_zone": "CT zone",
        "ct_mark": "CT mark",
        "ct_label": "CT label",
        "ct_state_nat": "CT state NAT",
        "ct_orig_tuple": "CT orig tuple",
        "ct_orig_tuple6": "CT orig tuple for IPv6",
        "nd_ext": "IPv6 ND Extension",
    }
)
"""Every feature, in the order in which ``dpif/show-dp-features`` shows them."""

_NUMBERS = {
    "sample_nesting": 10,
    "max_hash_alg": 1,
    "max_vlan_headers": 1,
    "max_mpls_depth": N_MPLS_LABELS,
}

BOOT_FEATURES: Mapping[str, bool | int] = MappingProxyType(
    {name: _NUMBERS.get(name, True) for name in TITLES}
)
"""What the datapath was found to be capable of."""


class Features:
    """What translations may make use of now."""

    def __init__(self) -> None:
        self._values: dict[str, bool | int] = dict(BOOT_FEATURES)

    def __getitem__(self, name: str) -> bool | int:
        return self._values[name]

    def set(self, name: str, value: bool | int) -> None:
        """Allow or forbid. Raises ``ValueError`` for more than the datapath is capable of."""
        if value > BOOT_FEATURES[name]:
            raise ValueError(f"the datapath is not capable of {name} {value}")
        self._values[name] = value
