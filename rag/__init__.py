"""The knowledge base: documents, passages, vectors, retrieval, citations."""
