"""The fast road: exact-match cache, megaflows, and what they do. It knows no OpenFlow."""
