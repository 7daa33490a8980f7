"""Single documents that a conversation asks, and what becomes of the choice when they are deleted."""

from __future__ import annotations

from app.core.conversations import Conversations
from rag.knowledge import KnowledgeBase


def drop_deleted(conversations: Conversations, knowledge: KnowledgeBase, conversation_id: int) -> int:
    """Take documents that were deleted out of a conversation's choice; returns how many those were.

    The others stay chosen, and nothing is asked in their place.

    Raises:
        ConversationMissing: the conversation was deleted.
    """
    chosen = conversations.get(conversation_id)
    there = knowledge.existing_documents(chosen.document_ids)
    gone = len(chosen.document_ids) - len(there)
    if gone:
        conversations.set_collections(conversation_id, chosen.collection_ids, there)
    return gone
