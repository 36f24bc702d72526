"""What goes wrong on demand: refusals, page faults, wire faults, rates."""
