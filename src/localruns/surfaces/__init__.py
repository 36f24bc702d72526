"""What people and programs touch: HTTP, the control API, the network edge, the command line."""
