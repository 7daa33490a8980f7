"""For whom this device works, with what, and over which routers: read from the owner's stores."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from app.core.errors import RecordsLost
from app.core.models import Models
from app.core.network.facade import Network
from app.core.network.groups import Group, GroupKind
from app.core.network.model_tag import model_tag
from app.core.network.routers import Router
from app.core.network.shared_documents import SharedDocuments
from app.core.network.work_policy import WorkPolicy
from app.core.network.work_records import WorkRecords
from app.core.network.work_status import WorkState
from app.core.provenance import PrivacyLevel
from engines.library import InstalledModel
from network.cards import Offer
from network.fingerprints import node_id
from network.groups import is_member, membership
from network.protocol.cards import ModelOffer
from network.protocol.content import Question
from network.protocol.routers import RouterInfo
from network.worker.connection import Registration

_LEVELS = {GroupKind.MINE: PrivacyLevel.MY_DEVICES, GroupKind.CIRCLE: PrivacyLevel.CIRCLE}
_LEAST_CONTEXT = 128
MOST_TOPICS = 16
"""On a card, as the protocol has it."""


@dataclass(frozen=True, slots=True)
class WorkPlan:
    """What would be done if nothing stood in the way."""

    routers: tuple[Router, ...]
    groups: tuple[Group, ...] = field(repr=False)
    public: bool
    model: InstalledModel | None
    offer: Offer
    """For the card; whoever sees it can read it."""

    @property
    def impossible(self) -> WorkState | None:
        """Why there is nothing to do at all."""
        if not self.routers:
            return WorkState.NO_ROUTER
        if not (self.groups or self.public):
            return WorkState.NOBODY
        return WorkState.NO_MODEL if self.model is None else None

    @property
    def shown(self) -> tuple[object, ...]:
        """What routers are shown: where it changes, this device registers anew.

        A measured speed counts when it has doubled or halved; the next card tells it in any case.
        """
        models = tuple(
            msgspec.structs.replace(each, tokens_per_second=each.tokens_per_second.bit_length())
            for each in self.offer.models
        )
        offer = msgspec.structs.replace(self.offer, models=models)
        return (offer, self.public, tuple(group.secret for group in self.groups))

    def level_of(self, question: Question, asker: bytes, network: Network) -> PrivacyLevel | None:
        """The nearest step on which an asker stands; None: it is not answered. Blocks briefly."""
        try:
            if network.devices.blocked(node_id(asker)):
                return None
        except RecordsLost:  # anybody may be one of those
            return None
        for group in self.groups:
            if any(is_member(group.secret, shown, asker) for shown in question.memberships):
                return _LEVELS[group.kind]
        return PrivacyLevel.PUBLIC if self.public else None

    def registration(self, info: RouterInfo, network: Network) -> Registration:
        """What this router is shown, with a fresh card. Blocks, and may ask the keyring."""
        card = network.identity.card(self.offer)
        keys = network.identity.keys()
        shown = tuple(membership(group.secret, info.public, keys.public) for group in self.groups)
        return Registration(keys, card, shown, self.public)


def make_plan(
    policy: WorkPolicy, network: Network, models: Models, documents: SharedDocuments, records: WorkRecords
) -> WorkPlan:
    """Read the stores. Blocks, and may ask the keyring. Raises what they raise."""
    routers = [
        router
        for router in network.routers.enabled()
        if policy.routers is None or router.id in policy.routers
    ]
    groups = [group for group in network.groups.all() if policy.groups is None or group.id in policy.groups]
    groups.sort(key=lambda group: group.kind is not GroupKind.MINE)
    model = model_for_others(policy, models)
    return WorkPlan(
        tuple(routers),
        tuple(groups),
        policy.public,
        model,
        _offer(policy, network, models, documents, records, groups, model),
    )


def model_for_others(policy: WorkPolicy, models: Models) -> InstalledModel | None:
    """The model of this device that answers. Never one of a server: its owner has not been asked."""
    installed = [model for model in models.installed() if model.has_chat_template]
    if policy.model_id is not None:
        return next((model for model in installed if model.id == policy.model_id), None)
    chosen = models.chosen()
    if isinstance(chosen, InstalledModel) and chosen.has_chat_template:
        return chosen
    return next(iter(installed), None)


def _offer(
    policy: WorkPolicy,
    network: Network,
    models: Models,
    documents: SharedDocuments,
    records: WorkRecords,
    groups: list[Group],
    model: InstalledModel | None,
) -> Offer:
    if model is None:
        return Offer()
    tag = model_tag(model.name)
    context = min(models.options(model).context_tokens, model.trained_context or 1 << 24)
    levels = {PrivacyLevel.PUBLIC} if policy.public else set()
    levels |= {_LEVELS[group.kind] for group in groups}
    return Offer(
        name="" if policy.public else network.identity.name,  # strangers need not know whose it is
        models=(
            ModelOffer(
                model=tag,
                context_tokens=max(_LEAST_CONTEXT, context),
                tokens_per_second=records.tokens_per_second(tag),
            ),
        ),
        topics=_topics(policy, documents),
        slots=policy.slots,
        shares_documents=any(documents.shared(level) for level in levels),
    )


def _topics(policy: WorkPolicy, documents: SharedDocuments) -> tuple[str, ...]:
    """What the owner says, and what documents are about that strangers may ask anyway."""
    found = documents.topics() if policy.public else ()
    return tuple(dict.fromkeys((*policy.topics, *found)))[:MOST_TOPICS]
