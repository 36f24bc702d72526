"""What still looks like a secret in a file."""
