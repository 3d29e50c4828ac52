"""Flows, groups and meters as ``ovs-ofctl`` writes and reads them."""
