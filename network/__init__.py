"""Distributed mode: what devices and the routing server say to each other."""
