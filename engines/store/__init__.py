"""Models from the hub: what there is, what we recommend, and the download of one file."""
