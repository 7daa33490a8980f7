"""What may leave this device with a question, and whether the user has agreed to it."""

from __future__ import annotations

import asyncio

from app.core.attachments import AttachmentDraft
from app.core.conversations import Conversations
from app.core.errors import ConsentNeeded, EmptyQuestion, NoRouter
from app.core.network.departure import Departure
from app.core.network_answers import NetworkAnswers
from app.core.provenance import PrivacyLevel
from app.core.retrieval import Attached, Retrieval
from app.core.turns import last_question


class Departures:
    """Composes what other devices would get to read, and lets nothing leave without consent."""

    def __init__(
        self, conversations: Conversations, retrieval: Retrieval, elsewhere: NetworkAnswers | None
    ) -> None:
        """Without `elsewhere` there are no other devices: nothing ever leaves."""
        self._conversations = conversations
        self._retrieval = retrieval
        self._elsewhere = elsewhere

    async def compose(
        self, conversation_id: int, text: str | None = None, attachments: AttachmentDraft | None = None
    ) -> Departure | None:
        """What would leave this device with this question, or with the last one again; None: nothing.

        It is approved already where the conversation remembers that it need not be shown. Nothing is sent
        and nothing stored; the conversation's documents are searched.

        Raises:
            EmptyQuestion: there is nothing but white space.
            NothingToAnswer: without `text`, there is no question yet.
            NoRouter: no router is set up.
            AttachmentsTooLong: files are longer than what other devices can take.
            ConversationMissing: it was deleted.
        """
        conversation = await asyncio.to_thread(self._conversations.get, conversation_id)
        if self._elsewhere is None or conversation.level is PrivacyLevel.DEVICE:
            return None
        if text is not None and not text.strip():
            raise EmptyQuestion
        if not await self._elsewhere.ready():
            raise NoRouter
        earlier = await asyncio.to_thread(self._conversations.messages, conversation_id)
        attached = Attached.to_new(attachments)
        if text is None:
            question = last_question(earlier)
            text, earlier = question.text, [one for one in earlier if one.id < question.id]
            attached = Attached.of(question)
        text = text.strip()
        files = await asyncio.to_thread(self._retrieval.files, conversation_id, attached)
        retrieved = await self._retrieval.search(text, conversation_id, attached)
        departure = await self._elsewhere.compose(conversation, earlier, text, retrieved, files)
        known = conversation.level is not PrivacyLevel.PUBLIC and conversation.consent.reaches(
            conversation.level
        )
        return departure.approve() if known else departure

    async def check_goes_on_here(self, conversation_id: int) -> None:
        """That this device alone goes on with an answer.

        Raises:
            ConsentNeeded: the conversation asks other devices, but the chosen model is on a server.
            ConversationMissing: it was deleted.
        """
        level = self._conversations.get(conversation_id).level
        if self._elsewhere is None or level is PrivacyLevel.DEVICE:
            return
        if await self._elsewhere.server_answers():
            raise ConsentNeeded

    async def check(self, conversation_id: int, departure: Departure | None) -> None:
        """That the user has approved what leaves, or that nothing does.

        Raises:
            ConsentNeeded: other devices are to be asked, and `departure` is missing or not approved.
            NoRouter: other devices are to be asked, and no router is set up.
            ConversationMissing: it was deleted.
        """
        if self._elsewhere is None:
            return
        level = self._conversations.get(conversation_id).level
        if level is PrivacyLevel.DEVICE and departure is None:
            return
        if departure is None or not departure.approved or not level.reaches(departure.level):
            raise ConsentNeeded
        if not await self._elsewhere.ready():
            raise NoRouter
