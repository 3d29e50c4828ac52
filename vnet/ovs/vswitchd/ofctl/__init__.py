"""ovs-ofctl(8) on bridges that run here. :mod:`~vnet.ovs.vswitchd.ofctl.table` has all of it."""
