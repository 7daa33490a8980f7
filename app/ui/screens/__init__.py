"""The screens: each composes components for one route."""
