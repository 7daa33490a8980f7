"""Options: what they may be, which layer decides, and where they are kept."""

from __future__ import annotations

import logging
from pathlib import Path

import msgspec
import pytest

from app.core.errors import OptionError, OptionInvalid, OptionOutOfRange, OptionUnknown
from app.core.model_options import (
    ANSWER_OPTIONS,
    LIMITS,
    LOAD_OPTIONS,
    AnswerOptions,
    ModelOptions,
    OptionOrigin,
    changed,
    read_value,
    resolve,
)
from app.core.option_store import OptionStore
from engines.llama_cpp.loading import check_options
from engines.llama_cpp.sampling import check_sampling
from engines.protocol import LoadOptions, Sampling


def test_the_strongest_layer_that_says_anything_decides() -> None:
    resolved = resolve(
        [
            (OptionOrigin.MAKER, AnswerOptions(temperature=0.7, top_k=20)),
            (OptionOrigin.MODEL, ModelOptions(temperature=0.0, context_tokens=8192)),
            (OptionOrigin.CONVERSATION, AnswerOptions(top_k=5)),
        ]
    )
    found = {
        name: (it.value, it.origin.value) for name, it in resolved.by_name.items() if it.value is not None
    }
    assert found == {
        "temperature": (0.0, "model"),
        "top_k": (5, "conversation"),
        "context_tokens": (8192, "model"),
    }
    beneath = resolved.by_name["temperature"].beneath
    assert beneath is not None
    assert (beneath.value, beneath.origin) == (0.7, OptionOrigin.MAKER)


def test_what_the_user_leaves_open_is_left_to_the_engine() -> None:
    resolved = resolve(
        [
            (OptionOrigin.MAKER, AnswerOptions(temperature=0.7)),
            (OptionOrigin.APP, ModelOptions(max_answer_tokens=99)),
            (OptionOrigin.MODEL, ModelOptions(top_p=0.5, threads=3)),
        ]
    )
    assert resolved.sampling() == Sampling(top_p=0.5, max_tokens=99)
    assert resolved.load_options() == LoadOptions(threads=3)


def test_every_option_belongs_to_one_kind() -> None:
    names = [field.name for field in msgspec.structs.fields(ModelOptions)]
    assert sorted(names) == sorted([*ANSWER_OPTIONS, *LOAD_OPTIONS, "adapters"])


@pytest.mark.parametrize("name", [name for name in LIMITS if name in (*ANSWER_OPTIONS, *LOAD_OPTIONS)])
def test_the_limits_are_those_of_the_engine(name: str) -> None:
    for value in LIMITS[name]:
        resolved = resolve([(OptionOrigin.MODEL, changed(ModelOptions(max_answer_tokens=5), name, value))])
        check_sampling(resolved.sampling())
        check_options(resolved.load_options())
    least, most = LIMITS[name]
    for value in (least - 1, most + 1):
        with pytest.raises(OptionOutOfRange) as raised:
            changed(ModelOptions(), name, value)
        assert (raised.value.option, raised.value.least, raised.value.most) == (name, least, most)


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("temperature", "warm", OptionInvalid),
        ("temperature", float("nan"), OptionInvalid),
        ("temperature", float("inf"), OptionOutOfRange),
        ("seed", 1.5, OptionInvalid),
        ("thinking", 3, OptionInvalid),
        ("kv_cache_type", "q5_0", OptionInvalid),
        ("stop", ("",), OptionInvalid),
        ("stop", ("x",) * 17, OptionInvalid),
        ("system_prompt", "x" * 8001, OptionInvalid),
        ("colour", "red", OptionUnknown),
    ],
)
def test_a_value_that_makes_no_sense_is_refused(name: str, value: object, error: type[OptionError]) -> None:
    with pytest.raises(error):
        changed(ModelOptions(), name, value)


def test_a_conversation_has_no_options_that_would_load_the_model_again() -> None:
    with pytest.raises(OptionUnknown):
        changed(AnswerOptions(), "context_tokens", 4096)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("temperature", "0.3", 0.3),
        ("temperature", "1", 1.0),
        ("seed", " 42 ", 42),
        ("thinking", "true", True),
        ("use_mmap", "false", False),
        ("kv_cache_type", "q8_0", "q8_0"),
        ("system_prompt", "Be brief. ", "Be brief. "),
        ("stop", "###", ("###",)),
        ("stop", '["a", "b"]', ("a", "b")),
    ],
)
def test_values_are_read_as_they_are_typed(name: str, text: str, value: object) -> None:
    assert read_value(ModelOptions, name, text) == value


@pytest.mark.parametrize(
    ("name", "text", "error"),
    [
        ("temperature", "hot", OptionInvalid),
        ("temperature", "101", OptionOutOfRange),
        ("temperature", "nan", OptionInvalid),
        ("seed", "1.5", OptionInvalid),
        ("thinking", "maybe", OptionInvalid),
        ("nothing", "1", OptionUnknown),
    ],
)
def test_what_is_typed_wrong_is_refused(name: str, text: str, error: type[OptionError]) -> None:
    with pytest.raises(error):
        read_value(ModelOptions, name, text)


def test_options_of_models_are_kept_and_told(tmp_path: Path) -> None:
    store = OptionStore(tmp_path / "model-options.json")
    told: list[None] = []
    end = store.subscribe(lambda: told.append(None))
    store.change("a", lambda options: changed(options, "temperature", 0.2))
    end()
    store.change("b", lambda options: changed(options, "seed", 7))

    again = OptionStore(tmp_path / "model-options.json")
    assert again.all() == {"a": ModelOptions(temperature=0.2), "b": ModelOptions(seed=7)}
    assert len(told) == 1
    again.forget("a")
    again.change("b", lambda options: changed(options, "seed", None))
    assert (tmp_path / "model-options.json").read_bytes() == b"{}\n"


def test_what_another_process_has_set_holds_at_once(tmp_path: Path) -> None:
    window, terminal = OptionStore(tmp_path / "options.json"), OptionStore(tmp_path / "options.json")
    window.change("a", lambda options: changed(options, "temperature", 0.2))
    assert terminal.get("a").temperature == 0.2
    terminal.change("a", lambda options: changed(options, "seed", 7))
    assert window.get("a") == ModelOptions(temperature=0.2, seed=7)
    window.change("b", lambda options: changed(options, "seed", 8))
    assert terminal.get("a") == ModelOptions(temperature=0.2, seed=7)


def test_one_wrong_value_in_the_file_costs_only_itself(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "options.json"
    path.write_text('{"a": {"temperature": "hot", "seed": 5, "of_a_newer_version": 1}, "b": 3}')
    with caplog.at_level(logging.WARNING):
        store = OptionStore(path)
        assert store.get("a") == ModelOptions(seed=5)
        assert store.get("b") == ModelOptions()
    assert "temperature" in caplog.text
    assert "hot" not in caplog.text


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[1]"])
def test_a_damaged_file_is_no_options(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "options.json"
    path.write_bytes(content)
    store = OptionStore(path)
    assert store.all() == {}
    store.change("a", lambda options: changed(options, "seed", 1))
    assert OptionStore(path).get("a").seed == 1


def test_a_change_that_is_refused_changes_nothing(tmp_path: Path) -> None:
    store = OptionStore(tmp_path / "options.json")
    with pytest.raises(OptionOutOfRange):
        store.change("a", lambda options: changed(options, "temperature", -1))
    assert not (tmp_path / "options.json").exists()
