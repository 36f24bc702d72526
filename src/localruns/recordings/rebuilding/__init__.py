"""A scenario made of recorded exchanges."""
