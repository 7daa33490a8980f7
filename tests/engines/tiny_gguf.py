"""Makes chat models of less than 1 MB whose answer is scripted, so that tests run the real engine.

The weights are constructed, not trained: attention adds nothing, and one feed-forward block is a look-up
table from token to next token. The last token of every generation prompt, a line break, starts the chain.
So llama.cpp, decoding greedily or with any sane sampling, says exactly the script and ends its turn.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import gguf
import numpy as np
import numpy.typing as npt

from tests.engines.tiny_templates import TEMPLATES
from tests.engines.tiny_vocabulary import (
    Piece,
    Vocabulary,
    byte_level_vocabulary,
    sentence_piece_vocabulary,
    split_script,
)

Architecture = Literal["llama", "qwen2", "qwen3", "gemma2", "gemma3"]
ARCHITECTURES: tuple[Architecture, ...] = ("llama", "qwen2", "qwen3", "gemma2", "gemma3")

FAMILY_TEMPLATE = "family"
"""Stands for the chat template that the architecture's family has."""

_WIDTH = 128
_COUNTED = 150
_HEADS = 4
_KV_HEADS = 2
_BLOCKS = 2
_HEAD_WIDTH = _WIDTH // _HEADS

Matrix = npt.NDArray[np.float32]


def make_tiny_gguf(
    path: Path,
    architecture: Architecture = "qwen3",
    reply: str = "Hello from a tiny model!",
    *,
    loop: bool = False,
    circle: bool = False,
    pieces: Sequence[Piece] | None = None,
    controls: Sequence[str] = (),
    chat_template: str | None = FAMILY_TEMPLATE,
    context: int = 2048,
    name: str | None = None,
    without_tensor: str | None = None,
    tensors_per_part: int = 0,
) -> Path:
    """Write a model that answers every prompt with `reply`.

    Args:
        path: the file to write; its folder must exist.
        architecture: what the file says it is.
        reply: the answer, in any language.
        loop: never end, for tests of Stop and of a full context: after the reply the model counts, and then
            starts again. It counts so far that the engine does not take it for a model going in circles.
        circle: with `loop`, repeat the bare reply.
        pieces: the answer token by token, instead of `reply`; all must differ. A `bytes` is one raw byte.
        controls: the pieces that are control tokens, which llama.cpp does not write out by itself.
        chat_template: Jinja source; `None` makes a base model.
        context: tokens the model was "trained" on.
        name: the model's name in the file.
        without_tensor: leave this tensor out, which makes the file unusable.
        tensors_per_part: split the model into files with so many tensors each, as `llama-gguf-split` does.

    Returns the file, or the first of its parts.
    """
    script: Sequence[Piece] = split_script(reply) if pieces is None else pieces
    if len(set(script)) != len(script) or "\n" in script:
        raise ValueError("the pieces must all differ, also from the line break that starts the answer")
    if loop and not circle:
        script = [*script, *(f" {number}" for number in range(1, _COUNTED + 1) if f" {number}" not in script)]
    gemma = architecture.startswith("gemma")
    vocabulary = sentence_piece_vocabulary(script) if gemma else byte_level_vocabulary(architecture, script)
    for piece in controls:
        vocabulary.types[vocabulary.tokens.index(piece)] = gguf.TokenType.CONTROL
    table = _next_tokens(vocabulary, loop=loop)
    table_size = 256 * math.ceil(len(table) / 256)

    writer = gguf.GGUFWriter(path, architecture, split_max_tensors=tensors_per_part)
    writer.add_name(name or f"tiny-{architecture}")
    writer.add_context_length(context)
    writer.add_embedding_length(_WIDTH)
    writer.add_block_count(_BLOCKS)
    writer.add_feed_forward_length(table_size)
    writer.add_head_count(_HEADS)
    writer.add_head_count_kv(_KV_HEADS)
    writer.add_key_length(_HEAD_WIDTH)
    writer.add_value_length(_HEAD_WIDTH)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_rope_freq_base(10_000.0)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    if gemma:
        writer.add_sliding_window(64)
    if architecture == "llama":
        writer.add_rope_dimension_count(_HEAD_WIDTH)
    _add_vocabulary(writer, vocabulary, starts_with_bos=gemma or architecture == "llama")
    template = TEMPLATES[architecture] if chat_template == FAMILY_TEMPLATE else chat_template
    if template is not None:
        writer.add_chat_template(template)
    for tensor, values in _weights(architecture, len(vocabulary.tokens), table, table_size).items():
        if tensor != without_tensor:
            writer.add_tensor(tensor, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    if tensors_per_part:
        return next(iter(sorted(path.parent.glob(f"{path.stem}-00001-of-*.gguf"))))
    return path


def _next_tokens(vocabulary: Vocabulary, *, loop: bool) -> list[tuple[int, int]]:
    """Pairs of a token and the one that follows it."""
    script = vocabulary.script
    end = vocabulary.tokens.index(vocabulary.end_of_turn)
    first = script[0] if script else end
    last = first if loop else end
    # Some templates end without a line break; these letters start the chain too.
    letters = [vocabulary.tokens.index(letter) for letter in "]>:.?!" if letter in vocabulary.tokens]
    starts = [vocabulary.newline, *(letter for letter in letters if letter not in script)]
    return [*((start, first) for start in starts), *zip(script, [*script[1:], last], strict=True)]


def _add_vocabulary(writer: gguf.GGUFWriter, vocabulary: Vocabulary, *, starts_with_bos: bool) -> None:
    tokens = vocabulary.tokens
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model(vocabulary.model)
    writer.add_tokenizer_pre(vocabulary.pre_tokenizer)
    writer.add_token_list(tokens)
    writer.add_token_types(vocabulary.types)
    if vocabulary.scores is not None:
        writer.add_token_scores(vocabulary.scores)
        writer.add_unk_token_id(tokens.index("<unk>"))
        writer.add_add_space_prefix(False)  # noqa: FBT003 - the package's own signature
    if vocabulary.merges is not None:
        writer.add_token_merges(vocabulary.merges)
    writer.add_bos_token_id(tokens.index(vocabulary.bos))
    writer.add_eos_token_id(tokens.index(vocabulary.eos))
    writer.add_eot_token_id(tokens.index(vocabulary.end_of_turn))
    writer.add_pad_token_id(0)
    writer.add_add_bos_token(starts_with_bos)


def _weights(
    architecture: str, vocabulary_size: int, table: list[tuple[int, int]], table_size: int
) -> dict[str, npt.NDArray[np.generic]]:
    random = np.random.default_rng(0)
    # Unit vectors: after the norm a token is its own vector, so the gate of row i answers to token i alone.
    embedding = random.standard_normal((vocabulary_size, _WIDTH)).astype(np.float32)
    embedding /= np.linalg.norm(embedding, axis=1, keepdims=True)
    gate = np.zeros((table_size, _WIDTH), np.float32)
    up, down = gate.copy(), np.zeros((_WIDTH, table_size), np.float32)
    for row, (token, following) in enumerate(table):
        gate[row], up[row], down[:, row] = 2 * embedding[token], embedding[token], 4 * embedding[following]

    ones = np.ones(_WIDTH, np.float32)
    head_ones = np.ones(_HEAD_WIDTH, np.float32)
    tensors: dict[str, npt.NDArray[np.generic]] = {
        "token_embd.weight": embedding.astype(np.float16),
        "output_norm.weight": ones,
    }
    for block in range(_BLOCKS):
        own = f"blk.{block}."
        looks_up = block == 0
        feed_forward = (gate, up, down) if looks_up else (gate * 0, up * 0, down * 0)
        matrices = {
            "attn_q": _noise(random, _WIDTH),
            "attn_k": _noise(random, _HEAD_WIDTH * _KV_HEADS),
            "attn_v": _noise(random, _HEAD_WIDTH * _KV_HEADS),
            "attn_output": np.zeros((_WIDTH, _WIDTH), np.float32),
            **dict(zip(("ffn_gate", "ffn_up", "ffn_down"), feed_forward, strict=True)),
        }
        tensors |= {f"{own}{key}.weight": value.astype(np.float16) for key, value in matrices.items()}
        tensors |= {f"{own}attn_norm.weight": ones, f"{own}ffn_norm.weight": ones}
        if architecture == "qwen2":
            for letter in "qkv":
                size = len(matrices[f"attn_{letter}"])
                tensors[f"{own}attn_{letter}.bias"] = np.zeros(size, np.float32)
        if architecture in ("qwen3", "gemma3"):
            tensors |= {f"{own}attn_{letter}_norm.weight": head_ones for letter in "qk"}
        if architecture.startswith("gemma"):
            tensors[f"{own}post_attention_norm.weight"] = ones
            tensors[f"{own}post_ffw_norm.weight"] = ones * (8.0 if looks_up else 1.0)
    return tensors


def _noise(random: np.random.Generator, rows: int) -> Matrix:
    return (random.standard_normal((rows, _WIDTH)) * 0.02).astype(np.float32)
