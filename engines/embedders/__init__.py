"""Models that turn text into vectors for the knowledge base, each behind the same members."""
