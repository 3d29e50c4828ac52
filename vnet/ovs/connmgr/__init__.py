"""Who speaks OpenFlow with a bridge, and what the bridge answers."""
