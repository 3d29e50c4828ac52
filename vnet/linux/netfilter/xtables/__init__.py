"""What matches and targets of iptables are made of: options, and how words become values."""
