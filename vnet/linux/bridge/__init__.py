"""The Linux bridge: ports, learning, flooding, ageing."""
