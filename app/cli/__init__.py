"""The `dai` command."""
