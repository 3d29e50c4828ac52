"""OpenFlow as it is spoken on a connection (openflow-spec 1.5.1, sections 6 and 7)."""
