"""The spanning tree protocol of IEEE 802.1D-1998, clause 8.

Bridges elect the one with the least identifier as root. Each keeps forwarding by its root port,
the best way to the root, and by ports that are designated, the best way to the root of whoever is
behind them; every other port blocks. A port that may forward listens for a forward delay first,
and learns for another. :mod:`~vnet.l2.stp.bridge` is the way in.
"""
