"""The four streams on the NATS server, and what they are called there."""

from __future__ import annotations

from dataclasses import dataclass

from nats.js.api import DiscardPolicy, RetentionPolicy, StorageType, StreamConfig

from network.broker.nats.settings import NatsSettings

KEPT_ANSWER_SECONDS = 15 * 60.0
"""How long parts of an answer stay on the server at most. When a question is over is told by its record."""

MARKER_SECONDS = 15 * 60.0
"""How long the server remembers that a key has expired, for routers that were away meanwhile."""
_REPEAT_SECONDS = 60.0
"""For how long the server knows a write again that is sent twice; longer than `patience_seconds`."""


@dataclass(frozen=True, slots=True)
class Names:
    """Streams and subjects of one namespace. Jobs and nodes are KV buckets: see `nats kv ls DAI_JOBS`."""

    namespace: str

    @property
    def jobs(self) -> str:
        """A record for every question."""
        return f"KV_{self.namespace}_JOBS"

    @property
    def nodes(self) -> str:
        """Workers that are there; each entry expires by itself."""
        return f"KV_{self.namespace}_NODES"

    @property
    def questions(self) -> str:
        """Sealed bodies and grants, read once by each worker."""
        return f"{self.namespace}_QUESTIONS"

    @property
    def answers(self) -> str:
        """Parts of answers; their place in this stream is their number for askers, at every router."""
        return f"{self.namespace}_ANSWERS"

    def job(self, job: str) -> str:
        """The subject of a question's record."""
        return f"$KV.{self.namespace}_JOBS.{job}"

    def node(self, node: str) -> str:
        """The subject of a worker's presence."""
        return f"$KV.{self.namespace}_NODES.{node}"

    def question(self, job: str) -> str:
        """The subject of a question's body."""
        return f"{self.namespace}.question.{job}"

    def answer(self, job: str) -> str:
        """The subject of the parts of all answers to a question."""
        return f"{self.namespace}.answer.{job}"


def stream_configs(settings: NatsSettings) -> list[StreamConfig]:
    """All four. Files, not memory: a server that is killed comes back with everything."""
    names = Names(settings.namespace)
    buckets = [
        StreamConfig(
            name=name,
            subjects=[f"$KV.{name.removeprefix('KV_')}.>"],
            max_msgs_per_subject=1,
            discard=DiscardPolicy.NEW,
            allow_rollup_hdrs=True,
            deny_delete=True,
            allow_msg_ttl=True,
            subject_delete_marker_ttl=MARKER_SECONDS,
        )
        for name in (names.jobs, names.nodes)
    ]
    questions = StreamConfig(name=names.questions, subjects=[names.question("*")], allow_msg_ttl=True)
    answers = StreamConfig(
        name=names.answers,
        subjects=[names.answer("*")],
        discard=DiscardPolicy.OLD,
        max_age=KEPT_ANSWER_SECONDS,
        max_bytes=settings.answer_bytes,
    )
    for config in (*buckets, questions, answers):
        config.storage = StorageType.FILE
        config.retention = RetentionPolicy.LIMITS
        config.allow_direct = True
        config.duplicate_window = _REPEAT_SECONDS
        config.num_replicas = settings.replicas
    return [*buckets, questions, answers]
