"""Which workers a router offers for a question."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from network.protocol.fields import (
    MAX_RECIPIENTS,
    GroupTag,
    JobId,
    LanguageTag,
    ModelTag,
    NodeId,
    PublicKey,
    Slots,
    Time,
    TopicTag,
)
from network.protocol.groups import Memberships
from network.protocol.message import Message, Part, Signed, Statement

Nodes = Annotated[tuple[NodeId, ...], Meta(max_length=MAX_RECIPIENTS)]


class WorkerQuery(Message, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What an asker looks for. Tags only: nothing of the question."""

    job: JobId
    asker: NodeId
    model: ModelTag | None = None
    topics: Annotated[tuple[TopicTag, ...], Meta(max_length=4)] = ()
    languages: Annotated[tuple[LanguageTag, ...], Meta(max_length=4)] = ()
    workers: Annotated[int, Meta(ge=1, le=8)] = 3
    spares: Annotated[int, Meta(ge=0, le=8)] = 2
    groups: Annotated[tuple[GroupTag, ...], Meta(max_length=8)] = ()
    """Groups whose devices may answer: those of the first one before the others, and all before strangers."""
    public: bool = False
    """Whether strangers that volunteer may answer, too."""
    nodes: Annotated[tuple[NodeId, ...], Meta(max_length=MAX_RECIPIENTS)] = ()
    """Only these, where any are given; they must be in one of the groups or public all the same."""


class AssignmentTicket(Statement, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A router's word that it, and not the asker, drew these workers. Signed by the router's key.

    A rating counts only together with its ticket: otherwise an asker could rate friends well that it chose
    itself.
    """

    router: PublicKey
    job: JobId
    asker: NodeId
    workers: Nodes
    spares: Nodes
    issued: Time
    expires: Time


class Candidate(Part, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A worker that is there now."""

    card: Signed
    credit: Slots
    memberships: Memberships = ()
    """In those groups that the query named; the asker checks the proofs. None: a stranger."""


class Candidates(Message, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A router's answer: signed cards, which the asker checks, and the ticket that names them."""

    candidates: Annotated[tuple[Candidate, ...], Meta(max_length=MAX_RECIPIENTS)]
    ticket: Signed
