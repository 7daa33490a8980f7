"""A turn of a conversation before it is answered: which question, and where its answer goes."""

from __future__ import annotations

from collections.abc import Sequence

from app.core.answer_run import AnswerRun
from app.core.attachments import AttachmentDraft
from app.core.conversations import Conversations
from app.core.draft import Draft
from app.core.errors import EmptyQuestion, NothingToAnswer
from app.core.messages import ChatMessage, MessageState


class Turns:
    """Begins the turns of conversations in their store."""

    def __init__(self, conversations: Conversations) -> None:
        self._conversations = conversations

    def new_question(self, conversation_id: int, text: str, attachments: AttachmentDraft | None) -> AnswerRun:
        """Store a question with its files, and an empty answer.

        Raises:
            EmptyQuestion: there is nothing but white space.
            ConversationMissing: the conversation was deleted.
        """
        if not text.strip():
            raise EmptyQuestion
        attached = attachments or AttachmentDraft()
        question, answer = self._conversations.add_question(
            conversation_id, text.strip(), attached.files, attached.collection_id
        )
        return AnswerRun(question, Draft(self._conversations, answer))

    def same_question(self, conversation_id: int) -> AnswerRun:
        """The last question again; what was answered to it is replaced.

        Raises:
            NothingToAnswer: there is no question yet.
        """
        messages = self._conversations.messages(conversation_id, last=2)
        question = last_question(messages)
        answer = messages[-1]
        if answer is question:
            answer = self._conversations.add(conversation_id, "assistant", state=MessageState.STREAMING)
        return AnswerRun(question, Draft(self._conversations, answer, replace_it=True))

    def unfinished_answer(self, conversation_id: int) -> AnswerRun:
        """The last answer, to go on right where it ended, from the sources it had.

        Raises:
            NothingToAnswer: the last message is no answer that could go on.
        """
        messages = self._conversations.messages(conversation_id, last=2)
        if len(messages) < 2 or not messages[-1].continuable or messages[-2].role != "user":
            raise NothingToAnswer
        question, answer = messages[-2:]
        if not answer.text:  # at most thoughts: there is nothing to go on from
            return AnswerRun(question, Draft(self._conversations, answer, replace_it=True))
        sources = self._conversations.sources(answer.id)
        return AnswerRun(question, Draft(self._conversations, answer), sources)


def last_question(messages: Sequence[ChatMessage]) -> ChatMessage:
    """The latest of these messages that is a question.

    Raises:
        NothingToAnswer: there is none.
    """
    question = next((message for message in reversed(messages) if message.role == "user"), None)
    if question is None:
        raise NothingToAnswer
    return question
