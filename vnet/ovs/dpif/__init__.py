"""The door between deciding and forwarding: datapath actions, upcalls, and what may be asked."""
