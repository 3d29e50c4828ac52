"""Floor 8: domains, their vNICs' back ends, and how a host wires them up."""
