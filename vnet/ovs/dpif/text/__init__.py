"""The datapath's texts, as ``dpctl`` and ``ofproto/trace`` print and read them.

``in_port(1),eth_type(0x0800),ipv4(frag=no)`` is a flow, a row of attributes; ``set(...),2`` are
actions. Public are :mod:`~vnet.ovs.dpif.text.flows`, :mod:`~vnet.ovs.dpif.text.stats`,
:mod:`~vnet.ovs.dpif.text.actions` and :mod:`~vnet.ovs.dpif.text.parse_actions`.
"""
