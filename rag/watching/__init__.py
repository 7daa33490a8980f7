"""Folders whose files are followed: new, changed, renamed and deleted ones."""
