"""Connection tracking: which packets belong together, what they may be called, and NAT.

``tracker`` is where packets go through; ``packet`` is what goes in and comes out, ``action``
what is asked for. What a particular system decides its own way (how protocols move through
their states, for how long they are remembered, which address and port a translation picks)
is in a :class:`~vnet.tables.conntrack.policy.Policy`.
"""
