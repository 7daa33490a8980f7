"""On-device engines: language models and embedders, each behind one Protocol."""
