"""Bonds: several links of a switch used as one (ovs-vswitchd.conf.db(5), Port table, "Bonding
Configuration").

Three modes. ``active-backup`` uses one link and keeps the others; ``balance-slb`` spreads stations
over the links without the other switch's knowledge; ``balance-tcp`` spreads connections, and needs
LACP for it.
"""
