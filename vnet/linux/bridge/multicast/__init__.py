"""Multicast snooping of a Linux bridge (net/bridge/br_multicast.c; RFC 4541).

The bridge listens to IGMP and MLD and sends a group's frames to the ports that want them and to
those with a multicast router. It does so only while somebody asks for reports: another querier, or
the bridge itself. :mod:`~vnet.linux.bridge.multicast.snooping` is the way in.
"""
