"""Netfilter: what a machine does to packets on their way, by rules and connections.

``hooks`` are the five places where packets are shown, ``packet`` is what is shown there and
``verdict`` what may be said of it. ``netfilter`` is one machine's: who looks, in which order.
"""
