"""Floor 9: what runs in a guest: the Scapy face of a vNIC, and the apps."""
