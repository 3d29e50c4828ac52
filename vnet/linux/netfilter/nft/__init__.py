"""nft(8): the same rules in nftables' words (1.0.6). It shows; iptables changes."""
