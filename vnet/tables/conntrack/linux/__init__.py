"""Connection tracking as the Linux kernel does it (net/netfilter/nf_conntrack_*.c)."""
