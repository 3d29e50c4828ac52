"""Tunnels of a datapath's bridges: their ports, where they listen, and the way they take."""
