"""Owns one loaded model and serves requests for it; lives in a child process or in a thread."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue
from time import monotonic

from engines.errors import EngineNotLoaded
from engines.families import Family, find_family
from engines.llama_cpp import failures, generation, loading
from engines.llama_cpp.chat_template import ChatTemplate
from engines.llama_cpp.generation import Generation
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
    Paused,
    Progress,
    Request,
    Resume,
    Text,
    Thought,
)
from engines.llama_cpp.model import LoadedModel
from engines.llama_cpp.native import AbortSwitch
from engines.llama_cpp.sampling import check_sampling
from engines.protocol import Done, Finish, Usage

_SECONDS_BETWEEN_SIGNS_OF_LIFE = 1.0
_SECONDS_BETWEEN_LOOKS_AT_MEMORY = 5.0


class _LookAtMemory:
    """While nothing is asked: does the device need what is kept for later?"""


_Job = Open | Answer | Resume | CountMessages | CountTexts


class Runtime:
    """Three threads: one works on the model, one counts tokens meanwhile, one gives signs of life.

    `deliver` is called from all three.
    """

    def __init__(self, deliver: Callable[[Event], None]) -> None:
        self._deliver = deliver
        self._switch = AbortSwitch()
        self._turn = threading.Lock()
        self._current: int | None = None
        self._cancelled: set[int] = set()
        self._to_pause: set[int] = set()
        self._paused: dict[int, Generation] = {}
        self._closing = threading.Event()
        self._busy = threading.Event()
        self._active = 0
        self._answers: SimpleQueue[_Job | _LookAtMemory | None] = SimpleQueue()
        self._counts: SimpleQueue[_Job | _LookAtMemory | None] = SimpleQueue()
        self._model: LoadedModel | None = None
        self._template: ChatTemplate | None = None
        self._family: Family | None = None
        self._threads = [
            threading.Thread(target=self._work, args=(self._answers,), name="engine", daemon=True),
            threading.Thread(target=self._work, args=(self._counts,), name="engine counts", daemon=True),
            threading.Thread(target=self._give_signs_of_life, name="engine life", daemon=True),
        ]

    def start(self) -> None:
        """Begin to serve."""
        for thread in self._threads:
            thread.start()

    def handle(self, request: Request) -> None:
        """Take a request; returns at once."""
        match request:
            case Cancel():
                self._cancel(request.id)
            case Pause():
                self._interrupt(request.id, self._to_pause)
            case CountMessages() | CountTexts():
                self._counts.put(request)
            case _:
                self._answers.put(request)

    def close(self, seconds: float) -> bool:
        """End all work and free the model; returns whether that was done within `seconds`."""
        self._closing.set()
        self._busy.set()
        self._switch.press()
        self._counts.put(None)
        self._answers.put(None)
        deadline = monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - monotonic()))
        if any(thread.is_alive() for thread in self._threads):
            return False
        if self._model is not None:
            for generation in self._paused.values():
                generation.free()
            self._model.free()
            self._model = None
        return True

    def _cancel(self, request_id: int) -> None:
        self._interrupt(request_id, self._cancelled)
        if request_id in self._paused:
            self._answers.put(Resume(request_id))  # only to end it

    def _interrupt(self, request_id: int, because: set[int]) -> None:
        with self._turn:
            because.add(request_id)
            if self._current == request_id:
                self._switch.press()

    def _work(self, jobs: SimpleQueue[_Job | _LookAtMemory | None]) -> None:
        while (job := jobs.get()) is not None and not self._closing.is_set():
            if isinstance(job, _LookAtMemory):
                if self._model is not None:
                    self._model.spare_memory()
                continue
            self._begin()
            request_id = OPENING if isinstance(job, Open) else job.id
            try:
                result = self._do(job)
            except Exception as error:  # noqa: BLE001 - told to the other side, whatever it is
                result = failures.describe(request_id, error)
            self._end()
            self._deliver(result)

    def _begin(self) -> None:
        with self._turn:
            self._active += 1
            self._busy.set()

    def _end(self) -> None:
        with self._turn:
            self._active -= 1
            if not self._active and not self._closing.is_set():
                self._busy.clear()

    def _do(self, job: _Job) -> Event:
        match job:
            case Open():
                return self._open(job)
            case Answer() | Resume():
                return self._answer(job)
            case CountMessages():
                model, template, _ = self._loaded()
                text = template.render(generation.defuse(model, job.messages), thinking=False)
                return Counted(job.id, (len(model.vocabulary.prompt_tokens(text)),))
            case CountTexts():
                vocabulary = self._loaded()[0].vocabulary
                counts = (len(vocabulary.tokens(text, special=False)) for text in job.texts)
                return Counted(job.id, tuple(counts))

    def _loaded(self) -> tuple[LoadedModel, ChatTemplate, Family]:
        if self._model is None or self._template is None or self._family is None:
            raise EngineNotLoaded
        return self._model, self._template, self._family

    def _open(self, job: Open) -> Opened:
        loading.check_options(job.options)
        header = loading.check_file(Path(os.fsdecode(job.path)))
        family = find_family(header)
        model = LoadedModel(header, job.options, self._switch, lambda: self._deliver(Progress()))
        vocabulary = model.vocabulary
        try:
            template = ChatTemplate(
                header.chat_template, family, bos=vocabulary.bos_text, eos=vocabulary.eos_text
            )
        except Exception:
            model.free()
            raise
        vocabulary.show(family.marks(template.tags))
        self._model, self._template, self._family = model, template, family
        return Opened(
            name=header.name,
            architecture=header.architecture,
            family=family.name,
            context_tokens=model.context_tokens,
            trained_context_tokens=header.trained_context or model.context_tokens,
            can_think=template.tags is not None,
            has_chat_template=header.has_chat_template,
        )

    def _answer(self, job: Answer | Resume) -> Answered | Paused:
        answer = self._paused.pop(job.id, None)
        with self._turn:
            cancelled = job.id in self._cancelled
            self._cancelled.discard(job.id)
            if not cancelled:
                self._current = job.id
                if self._closing.is_set() or job.id in self._to_pause:  # told before it could begin
                    self._switch.press()
                else:
                    self._switch.release()
        if answer is not None and cancelled:
            return _answered(job.id, answer.end(Finish.CANCELLED))
        if cancelled:
            return Answered(job.id, Finish.CANCELLED, Usage(0, 0, 0, 0.0, 0.0))
        try:
            if answer is None:
                if isinstance(job, Resume):
                    raise EngineNotLoaded  # it was paused in another process, which is gone
                answer = self._prepare(job)
            return self._run(job.id, answer)
        except BaseException:
            if answer is not None:
                answer.free()
            raise
        finally:
            with self._turn:
                self._current = None
                self._cancelled.discard(job.id)
                self._to_pause.discard(job.id)

    def _prepare(self, job: Answer) -> Generation:
        model, template, family = self._loaded()
        check_sampling(job.prompt.sampling)
        loading.check_scales(job.prompt.adapters or ())
        listener = generation.Listener(
            text=lambda text: self._deliver(Text(job.id, text)),
            thought=lambda text: self._deliver(Thought(job.id, text)),
            progress=lambda: self._deliver(Progress()),
        )
        return Generation(model, template, family, job.prompt, listener)

    def _run(self, request_id: int, answer: Generation) -> Answered | Paused:
        done = answer.run(self._switch)
        if done is not None:
            return _answered(request_id, done)
        with self._turn:
            pauses = request_id in self._to_pause and request_id not in self._cancelled
            if pauses and not self._closing.is_set():
                self._paused[request_id] = answer
                return Paused(request_id)
        return _answered(request_id, answer.end(Finish.CANCELLED))

    def _give_signs_of_life(self) -> None:
        while not self._closing.is_set():
            if self._busy.wait(_SECONDS_BETWEEN_LOOKS_AT_MEMORY if self._keeps_something else None):
                self._deliver(Alive())
                self._closing.wait(_SECONDS_BETWEEN_SIGNS_OF_LIFE)
            else:
                self._answers.put(_LookAtMemory())

    @property
    def _keeps_something(self) -> bool:
        model = self._model
        return model is not None and len(model.prefix_cache) > 0


def _answered(request_id: int, done: Done) -> Answered:
    return Answered(request_id, done.finish, done.usage, done.whole)
