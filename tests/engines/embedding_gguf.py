"""Turns the packaged all-MiniLM-L6-v2 into a GGUF file, so that tests have a real embedding model."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from pathlib import Path

import gguf
import numpy as np
import numpy.typing as npt
from gguf import TokenType

_TYPES = {"F32": np.float32, "F16": np.float16, "I64": np.int64}
_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def make_embedding_gguf(folder: Path, path: Path) -> Path:
    """Convert a BERT sentence encoder (config.json, vocab.txt, model.safetensors) to 16-bit GGUF."""
    config = json.loads((folder / "config.json").read_text())
    blocks = config["num_hidden_layers"]
    writer = gguf.GGUFWriter(path, "bert")
    writer.add_name("all-MiniLM-L6-v2")
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_block_count(blocks)
    writer.add_head_count(config["num_attention_heads"])
    writer.add_layer_norm_eps(config["layer_norm_eps"])
    writer.add_causal_attention(value=False)
    writer.add_pooling_type(gguf.PoolingType.MEAN)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    writer.add_token_type_count(config["type_vocab_size"])
    _add_vocabulary(writer, (folder / "vocab.txt").read_text(encoding="utf-8").splitlines())
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.BERT, blocks)
    for name, tensor in _tensors(folder / "model.safetensors"):
        if name.endswith("position_ids") or name.startswith("pooler."):
            continue
        new_name = names.get_name(name, try_suffixes=(".weight", ".bias"))
        assert new_name is not None, name
        narrow = tensor.ndim > 1 and new_name not in ("token_types.weight", "position_embd.weight")
        writer.add_tensor(new_name, tensor.astype(np.float16 if narrow else np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _add_vocabulary(writer: gguf.GGUFWriter, tokens: list[str]) -> None:
    kinds = [
        TokenType.CONTROL if token in _SPECIAL or token.startswith("[unused") else TokenType.NORMAL
        for token in tokens
    ]
    writer.add_tokenizer_model("bert")
    writer.add_tokenizer_pre("default")
    writer.add_token_list([_as_llama_cpp(token, kind) for token, kind in zip(tokens, kinds, strict=True)])
    writer.add_token_types(kinds)
    writer.add_bos_token_id(tokens.index("[CLS]"))
    writer.add_uint32("tokenizer.ggml.cls_token_id", tokens.index("[CLS]"))
    writer.add_eos_token_id(tokens.index("[SEP]"))
    writer.add_sep_token_id(tokens.index("[SEP]"))
    writer.add_unk_token_id(tokens.index("[UNK]"))
    writer.add_pad_token_id(tokens.index("[PAD]"))
    writer.add_mask_token_id(tokens.index("[MASK]"))


def _as_llama_cpp(token: str, kind: TokenType) -> str:
    """BERT marks continuations ("##ing"), llama.cpp marks beginnings ("▁go")."""
    if kind is TokenType.CONTROL:
        return token
    return token[2:] if token.startswith("##") else "▁" + token


def _tensors(path: Path) -> Iterator[tuple[str, npt.NDArray[np.generic]]]:
    content = path.read_bytes()
    (length,) = struct.unpack_from("<Q", content)
    start = 8 + length
    for name, entry in json.loads(content[8:start]).items():
        if name == "__metadata__":
            continue
        first, last = entry["data_offsets"]
        flat = np.frombuffer(content[start + first : start + last], _TYPES[entry["dtype"]])
        yield name.removeprefix("bert."), flat.reshape(entry["shape"])
