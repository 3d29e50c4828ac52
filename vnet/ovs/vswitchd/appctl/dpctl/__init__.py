"""``dpctl/...``: the datapath itself, as ovs-dpctl(8) would look at it from outside.

:mod:`~vnet.ovs.vswitchd.appctl.dpctl.table` has all of its commands.
"""
