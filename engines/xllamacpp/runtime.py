"""Owns one loaded model and serves requests for it, several at once; lives in a child process."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

from engines.errors import EngineNotLoaded, OptionRejected, PromptTooLong
from engines.families import Family, find_family
from engines.llama_cpp import failures, loading
from engines.llama_cpp.chat_template import ChatTemplate
from engines.llama_cpp.messages import (
    OPENING,
    Alive,
    Answer,
    Answered,
    Cancel,
    Counted,
    CountMessages,
    CountTexts,
    Event,
    Open,
    Opened,
    Pause,
    Request,
    Resume,
)
from engines.llama_cpp.sampling import check_sampling
from engines.protocol import Finish, Message, Usage
from engines.xllamacpp.answer import RunningAnswer, request_for
from engines.xllamacpp.server import ANSWERS_AT_ONCE, LocalServer
from engines.xllamacpp.vocabulary import Vocabulary
from engines.xllamacpp.window import Window, claim

_SECONDS_BETWEEN_SIGNS_OF_LIFE = 1.0
_THREADS = 4 * ANSWERS_AT_ONCE  # an answer that was cancelled may hold its thread for another batch

_Job = Open | Answer | CountMessages | CountTexts


class Runtime:
    """Every request has a thread of its own. `deliver` is called from all of them."""

    def __init__(self, deliver: Callable[[Event], None]) -> None:
        self._deliver = deliver
        self._threads = ThreadPoolExecutor(_THREADS, "engine")
        self._turn = threading.Lock()
        self._running: dict[int, RunningAnswer] = {}
        self._expected: set[int] = set()
        self._cancelled: set[int] = set()
        self._active = 0
        self._busy = threading.Event()
        self._server: LocalServer | None = None
        self._window = Window(0)
        self._vocabulary: Vocabulary | None = None
        self._template: ChatTemplate | None = None
        self._family: Family | None = None

    def start(self) -> None:
        """Begin to serve."""
        threading.Thread(target=self._give_signs_of_life, name="engine life", daemon=True).start()

    def handle(self, request: Request) -> None:
        """Take a request; returns at once."""
        match request:
            case Cancel():
                self._cancel(request.id)
            case Pause() | Resume():
                pass  # answers run side by side; none makes way for another
            case Answer():
                self._expected.add(request.id)
                self._threads.submit(self._work, request)
            case Open() | CountMessages() | CountTexts():
                self._threads.submit(self._work, request)

    def _cancel(self, request_id: int) -> None:
        with self._turn:
            running = self._running.get(request_id)
            if running is None and request_id in self._expected:
                self._cancelled.add(request_id)
        if running is not None:
            running.cancel()

    def _work(self, job: _Job) -> None:
        with self._turn:
            self._active += 1
            self._busy.set()
        try:
            result = self._do(job)
        except Exception as error:  # noqa: BLE001 - told to the other side, whatever it is
            result = failures.describe(OPENING if isinstance(job, Open) else job.id, error)
        with self._turn:
            if isinstance(job, Answer):
                self._expected.discard(job.id)
                self._cancelled.discard(job.id)
            self._active -= 1
            if not self._active:
                self._busy.clear()
        if result is not None:
            self._deliver(result)

    def _do(self, job: _Job) -> Event | None:
        match job:
            case Open():
                return self._open(job)
            case Answer():
                return self._answer(job)
            case CountMessages():
                _, vocabulary, template, _ = self._loaded()
                text = template.render(_defused(vocabulary, job.messages), thinking=False)
                return Counted(job.id, (len(vocabulary.prompt_tokens(text)),))
            case CountTexts():
                _, vocabulary, _, _ = self._loaded()
                return Counted(job.id, tuple(len(vocabulary.tokens(it, special=False)) for it in job.texts))

    def _loaded(self) -> tuple[LocalServer, Vocabulary, ChatTemplate, Family]:
        if not (self._server and self._vocabulary and self._template and self._family):
            raise EngineNotLoaded
        return self._server, self._vocabulary, self._template, self._family

    def _open(self, job: Open) -> Opened:
        loading.check_options(job.options)
        header = loading.check_file(Path(os.fsdecode(job.path)))
        self._family = find_family(header)
        self._server = LocalServer(header, job.options)
        self._window = Window(self._server.context_tokens)
        self._vocabulary = Vocabulary(self._server)
        self._template = ChatTemplate(
            header.chat_template,
            self._family,
            bos=self._vocabulary.bos_text,
            eos=self._vocabulary.eos_text,
        )
        return Opened(
            name=header.name,
            architecture=header.architecture,
            family=self._family.name,
            context_tokens=self._server.context_tokens,
            trained_context_tokens=header.trained_context or self._server.context_tokens,
            can_think=self._template.tags is not None,
            has_chat_template=header.has_chat_template,
        )

    def _answer(self, job: Answer) -> Event | None:
        server, vocabulary, template, family = self._loaded()
        prompt = job.prompt
        check_sampling(prompt.sampling)
        if prompt.adapters:
            raise OptionRejected("adapters", "only llama.cpp takes adapters")
        thinking = prompt.thinking and prompt.response is None
        if prompt.completion is None:
            messages = _defused(vocabulary, prompt.messages)
            text = template.render(messages, thinking=thinking, answer_start=prompt.answer_start)
        else:
            text = prompt.completion + prompt.answer_start
        tokens = vocabulary.prompt_tokens(text, special=prompt.completion is None)
        if len(tokens) >= server.context_tokens:
            raise PromptTooLong(len(tokens), server.context_tokens)
        answers_freely = prompt.completion is None and prompt.response is None
        running = RunningAnswer(
            job.id,
            prompt,
            len(tokens),
            template.tags if answers_freely and not prompt.answer_start else None,
            inside_thought=template.opens_thought(text),
            deliver=self._deliver,
        )
        with self._turn:
            self._expected.discard(job.id)
            if job.id in self._cancelled:
                self._cancelled.discard(job.id)
                return Answered(job.id, Finish.CANCELLED, Usage(0, 0, 0, 0.0, 0.0))
            self._running[job.id] = running
        try:
            sampling = family.complete(prompt.sampling, thinking=thinking)
            request = request_for(tokens, sampling, prompt.response, family.marks(template.tags))
            with self._window.room(claim(len(tokens), sampling.max_tokens, server.context_tokens)) as room:
                if not running.ended:
                    server.complete(request, partial(running.take, room=room))
            running.close()
        finally:
            with self._turn:
                self._running.pop(job.id, None)
        return None

    def _give_signs_of_life(self) -> None:
        pause = threading.Event()
        while self._busy.wait():
            self._deliver(Alive())
            pause.wait(_SECONDS_BETWEEN_SIGNS_OF_LIFE)


def _defused(vocabulary: Vocabulary, messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """The messages without control tokens in their text."""
    return tuple(replace(message, content=vocabulary.defused(message.content)) for message in messages)
