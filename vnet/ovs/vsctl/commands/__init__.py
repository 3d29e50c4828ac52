"""What each command of ovs-vsctl(8) does."""
