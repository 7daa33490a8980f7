"""The application: composes engines, knowledge base and network into a product."""
