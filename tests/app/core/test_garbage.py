"""Files of the app full of garbage: it starts with what can be read of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.core.benchmarking import BenchmarkStore
from app.core.model_options import ModelOptions
from app.core.option_store import OptionStore
from app.core.set_aside import all_set_aside, take_untold
from app.core.settings import Settings, SettingsStore
from tests.garbage import garbage


@pytest.mark.slow
def test_settings_full_of_garbage_leave_an_app_that_starts(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    SettingsStore(path).change(language="fa", model_id="downloaded:مدل", text_scale=1.2)
    for content in garbage(path.read_bytes(), seed=1, count=60):
        _forget_earlier_ones(tmp_path)
        path.write_bytes(content)

        store = SettingsStore(path)

        assert isinstance(store.current, Settings)
        assert store.current.language in ("en", "fa")


@pytest.mark.slow
def test_options_full_of_garbage_are_no_options(tmp_path: Path) -> None:
    path = tmp_path / "options.json"
    OptionStore(path).change("a model", lambda _: ModelOptions(temperature=0.5, stop=("پایان",)))
    for content in garbage(path.read_bytes(), seed=2, count=60):
        _forget_earlier_ones(tmp_path)
        path.write_bytes(content)

        options = OptionStore(path).get("a model")

        assert isinstance(options, ModelOptions)
        assert options.temperature is None or 0 <= options.temperature <= 100


def test_benchmarks_full_of_garbage_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    for content in garbage(b'{"id": "x", "model": {"name": "\xd8\xb3"}}', seed=3, count=50):
        path.write_bytes(content)

        assert BenchmarkStore(tmp_path).list() == []


def _forget_earlier_ones(folder: Path) -> None:
    for aside in all_set_aside(folder):
        aside.unlink()
    take_untold(folder)
