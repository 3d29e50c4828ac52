"""What virsh(1) is told, and what it finds out of a host."""
