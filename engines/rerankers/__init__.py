"""Models that read a question and a passage together, and tell how well the one answers the other."""
