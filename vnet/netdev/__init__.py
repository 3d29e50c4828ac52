"""Floor 3: the network device, and the joints by which devices meet."""
