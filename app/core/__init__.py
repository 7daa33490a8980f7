"""Use cases and their stores, without any user interface."""
