"""Holds an answer to a grammar, at little cost: the model chooses first, and only its choice is tested.

llama.cpp's grammar sampler in front of the chain would test the whole vocabulary for every token. Here that
happens only after a choice that the grammar forbids.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Sequence
from types import ModuleType
from typing import Any

import numpy as np

from engines.errors import OptionRejected
from engines.llama_cpp import native
from engines.llama_cpp.sampling import Sampler
from engines.llama_cpp.vocabulary import Vocabulary

_CANDIDATE = np.dtype([("id", np.int32), ("logit", np.float32), ("p", np.float32)])


class ConstrainedSampler:
    """Chooses as a `Sampler` does, among what a grammar allows. Free it after use."""

    def __init__(
        self, library: ModuleType, context: Any, vocabulary: Vocabulary, sampler: Sampler, grammar: str
    ) -> None:
        """Takes over the sampler.

        Raises:
            OptionRejected: it is no grammar.
        """
        self._library = library
        self._context = context
        self._size = vocabulary.size
        self._sampler = sampler
        self._end = library.llama_vocab_eot(vocabulary.handle)
        if self._end < 0:
            self._end = library.llama_vocab_eos(vocabulary.handle)
        native.log.clear()
        self._grammar = library.llama_sampler_init_grammar(
            vocabulary.handle, grammar.encode("utf-8", "replace"), b"root"
        )
        if not self._grammar:
            sampler.free()
            raise OptionRejected("response", native.log.problems() or "no grammar")
        self._ids = np.arange(self._size, dtype=np.int32)
        self._candidates = np.zeros(self._size, _CANDIDATE)
        self._array = library.llama_token_data_array()
        self._one = (library.llama_token_data * 1)()

    def choose(self) -> int:
        """The token that follows what was read last.

        Raises:
            OptionRejected: the vocabulary has no token that the grammar allows here.
        """
        library, grammar, chain = self._library, self._grammar, self._sampler.chain
        token, _ = self._pick([chain])
        if not self._allows(token):
            token, logit = self._pick([grammar, chain])
            if math.isinf(logit):
                raise OptionRejected("response", "the model has no token that the grammar allows")
        library.llama_sampler_accept(grammar, token)
        library.llama_sampler_accept(chain, token)
        return token

    @property
    def whole(self) -> bool:
        """Whether the answer may end here."""
        return self._allows(self._end)

    def begin_with(self, tokens: Sequence[int]) -> None:
        """Take the beginning that an answer already has.

        Raises:
            OptionRejected: the grammar does not allow it.
        """
        for token in tokens:
            if not self._allows(token):
                raise OptionRejected("response", "the answer so far does not obey the grammar")
            self._library.llama_sampler_accept(self._grammar, token)

    def free(self) -> None:
        """Give everything back to llama.cpp."""
        self._library.llama_sampler_free(self._grammar)
        self._sampler.free()

    def _pick(self, samplers: Sequence[Any]) -> tuple[int, float]:
        library, candidates, array = self._library, self._candidates, self._array
        logits = library.llama_get_logits_ith(self._context, -1)
        candidates["id"] = self._ids  # samplers sort in place
        candidates["logit"] = np.ctypeslib.as_array(logits, (self._size,))
        array.data = ctypes.cast(candidates.ctypes.data, ctypes.POINTER(library.llama_token_data))
        array.size, array.selected, array.sorted = self._size, -1, False
        for sampler in samplers:
            library.llama_sampler_apply(sampler, ctypes.byref(array))
        chosen = array.data[array.selected]
        return chosen.id, chosen.logit

    def _allows(self, token: int) -> bool:
        one, array = self._one, self._array
        one[0].id, one[0].logit, one[0].p = token, 1.0, 0.0
        array.data = ctypes.cast(one, ctypes.POINTER(self._library.llama_token_data))
        array.size, array.selected, array.sorted = 1, -1, False
        self._library.llama_sampler_apply(self._grammar, ctypes.byref(array))
        return not math.isinf(one[0].logit)
