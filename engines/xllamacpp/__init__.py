"""Models in GGUF files, run by xllamacpp: ready wheels, no compiler needed, several answers at once."""
