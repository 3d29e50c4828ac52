"""Ports as OpenFlow sees them, and what a switch itself does on them."""
