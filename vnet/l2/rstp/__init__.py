"""The rapid spanning tree protocol of IEEE 802.1D-2004, clause 17.

:mod:`~vnet.l2.rstp.bridge` is the way in. The standard's state machines have a file each, written
as states: what is done on entering one, and where it leads. Their variables keep the standard's
names (17.18 to 17.20), and timers count whole seconds down.
"""
