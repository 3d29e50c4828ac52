"""In which dialects of OpenFlow a flow can be said: sets of protocols, one bit each.

A field, an action or a keyword narrows the set; a text for which none is left is refused.
Plain integers, because every token of a large file of flows narrows one.
"""

from __future__ import annotations

P_NONE = 0
P_OF10_STD = 1 << 0
P_OF10_STD_TID = 1 << 1
P_OF10_NXM = 1 << 2
P_OF10_NXM_TID = 1 << 3
P_OF11_STD = 1 << 4
P_OF12_OXM = 1 << 5
P_OF13_OXM = 1 << 6
P_OF14_OXM = 1 << 7
P_OF15_OXM = 1 << 8

P_OF10_STD_ANY = P_OF10_STD | P_OF10_STD_TID
P_OF10_NXM_ANY = P_OF10_NXM | P_OF10_NXM_TID
P_OF10_ANY = P_OF10_STD_ANY | P_OF10_NXM_ANY
P_ANY_OXM = P_OF12_OXM | P_OF13_OXM | P_OF14_OXM | P_OF15_OXM
P_OF15_UP = P_OF15_OXM
P_OF14_UP = P_OF14_OXM | P_OF15_UP
P_OF13_UP = P_OF13_OXM | P_OF14_UP
P_OF12_UP = P_OF12_OXM | P_OF13_UP
P_OF11_UP = P_OF11_STD | P_OF12_UP
P_NXM_OF11_UP = P_OF10_NXM_ANY | P_OF11_UP
P_NXM_OXM_ANY = P_OF10_NXM_ANY | P_ANY_OXM
P_ANY = (1 << 9) - 1
P_TID = P_OF10_STD_TID | P_OF10_NXM_TID | P_OF11_UP
"""Those in which a change of flows can name a table."""

_NAMES: tuple[tuple[int, str], ...] = (
    # Whole families first: they are named before their members are.
    (P_ANY, "any"),
    (P_OF10_STD_ANY, "OpenFlow10"),
    (P_OF10_NXM_ANY, "NXM"),
    (P_ANY_OXM, "OXM"),
    (P_OF10_STD, "OpenFlow10-table_id"),
    (P_OF10_STD_TID, "OpenFlow10+table_id"),
    (P_OF10_NXM, "NXM-table_id"),
    (P_OF10_NXM_TID, "NXM+table_id"),
    (P_OF11_STD, "OpenFlow11"),
    (P_OF12_OXM, "OXM-OpenFlow12"),
    (P_OF13_OXM, "OXM-OpenFlow13"),
    (P_OF14_OXM, "OXM-OpenFlow14"),
    (P_OF15_OXM, "OXM-OpenFlow15"),
)


def protocols_text(protocols: int) -> str:
    """The set as ``ovs-ofctl parse-flows`` prints it after ``usable protocols:``."""
    names = []
    for bits, name in _NAMES:
        if protocols & bits == bits:
            names.append(name)
            protocols &= ~bits
    return ",".join(names) or "none"
