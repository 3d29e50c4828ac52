"""The devices of switches that run by themselves, without a lab around them."""
