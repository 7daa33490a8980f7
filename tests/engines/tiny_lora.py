"""Makes LoRA adapters for the scripted models: with one, an answer begins at another piece."""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np

_WIDTH = 128


def make_tiny_lora(path: Path, model: Path, *, skip_to: str, architecture: str | None = None) -> Path:
    """Write an adapter that lets the model's answer begin at the token `skip_to`.

    What follows a line break is decided by one column of the first block's look-up table; the adapter adds
    the difference between two such columns.
    """
    reader = gguf.GGUFReader(model)
    tokens = [bytes(part).decode() for part in _values(reader, "tokenizer.ggml.tokens")]
    tensors = {tensor.name: tensor for tensor in reader.tensors}
    down = np.asarray(tensors["blk.0.ffn_down.weight"].data, np.float32)
    embedding = np.asarray(tensors["token_embd.weight"].data, np.float32)
    rows = down.shape[1]
    start = np.zeros((1, rows), np.float32)
    start[0, 0] = 1.0  # the first entry of the table is the line break's
    wanted = 4 * embedding[tokens.index(skip_to)] - down[:, 0]

    writer = gguf.GGUFWriter(path, architecture or bytes(_field(reader, "general.architecture")).decode())
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", 1.0)
    writer.add_tensor("blk.0.ffn_down.weight.lora_a", start)
    writer.add_tensor("blk.0.ffn_down.weight.lora_b", wanted.reshape(_WIDTH, 1).copy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _field(reader: gguf.GGUFReader, name: str):
    field = reader.fields[name]
    return field.parts[field.data[0]]


def _values(reader: gguf.GGUFReader, name: str):
    field = reader.fields[name]
    return [field.parts[index] for index in field.data]
